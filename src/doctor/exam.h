/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of checks.  Each runs in a thread of its own, which is left behind
 * when it takes too long.  Private to src/doctor.
 */
#ifndef DOCTOR_EXAM_H
#define DOCTOR_EXAM_H

#include "doctor/visit.h"

enum whose {
    OF_MACHINE = 1,
    OF_SERVERS = 2,
    OF_CLIENTS = 4,
    OF_EACH_SERVER = 8, /* a client's, once for each server that it dials */
};

enum patience {
    PATIENCE_LOCAL,
    PATIENCE_NAMES, /* name servers */
    PATIENCE_KDC,
    PATIENCE_DIRECTORY,
    PATIENCE_CONNECT,
    PATIENCE_HANDSHAKE,
};

struct check {
    const char *name;
    unsigned whose; /* enum whose */
    unsigned needs; /* facts */
    unsigned proves;
    enum patience patience;
    bool (*applies)(const struct patient *patient); /* NULL: always */
    void (*run)(struct visit *visit);
    const char *trying; /* "asking a KDC": what takes too long */
    const char *advice;
};

extern const struct check exam_checks[];
extern const size_t exam_check_count;

#endif
