/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a file: collected while it is read and cross-checked, and
 * reported once, in line order.
 */
#ifndef CONFIG_FINDINGS_H
#define CONFIG_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

enum {
    FINDINGS_MAX = 1000 /* errors, then no more is looked at */
};

struct finding {
    unsigned line; /* 0: the file as a whole */
    size_t number; /* in the order of findings_add */
    enum severity severity;
    char *sentence; /* owned */
};

struct findings {
    struct finding *items; /* owned */
    size_t count;
    size_t room;
    size_t errors;  /* all but the warnings */
    bool exhausted; /* of memory: something is missing */
};

/* findings is all zero at first.  False: there are FINDINGS_MAX errors now, or
 * no memory, and it is no use to go on. */
bool findings_add(struct findings *findings, enum severity severity,
                  unsigned line, const char *format, ...) PRINTF_LIKE(4, 5);

/* Calls report for each, in line order, as config_load promises. */
void findings_report(struct findings *findings, const char *path,
                     config_report *report, void *arg);

void findings_clear(struct findings *findings);

/* Text of the file, made safe for a sentence, and cut. */
struct shown {
    char text[128];
};
struct shown finding_show(const char *text);

#endif
