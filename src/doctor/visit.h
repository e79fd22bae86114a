/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of one check, and what it notes.  Private to src/doctor. */
#ifndef DOCTOR_VISIT_H
#define DOCTOR_VISIT_H

#include "doctor/patient.h"

struct note {
    enum verdict verdict;
    char text[ERROR_TEXT_SIZE];
    char advice[ERROR_TEXT_SIZE]; /* "": the row's */
};

enum {
    NOTES_MAX = 12
};

struct visit {
    struct patient *patient;
    struct server *server; /* of rows for each server, else NULL */
    uint64_t patience_ms;
    struct note notes[NOTES_MAX];
    size_t count; /* none: the row has nothing to say here */
    bool stuck;   /* a thread was left behind, with what it uses */
};

/* advice NULL: the row's. */
void visit_ok(struct visit *visit, const char *format, ...) PRINTF_LIKE(2, 3);
void visit_warn(struct visit *visit, const char *advice, const char *format,
                ...) PRINTF_LIKE(3, 4);
void visit_fail(struct visit *visit, const char *advice, const char *format,
                ...) PRINTF_LIKE(3, 4);
/* Proves nothing, and counts as nothing. */
void visit_skip(struct visit *visit, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
