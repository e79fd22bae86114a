/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One event as one line, in either format.  Pure.  Private to the log.
 */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include <stddef.h>
#include <time.h>

#include "base/log.h"

enum {
    LOG_LINE_SIZE = 8192,
    LOG_VALUE_SIZE = 2048, /* a longer value is cut */
};

struct log_line {
    enum log_level level;
    size_t body;   /* where it begins without time and level, for syslog */
    size_t length; /* with the newline it ends with */
    char text[LOG_LINE_SIZE];
};

enum log_level log_event_level(enum log_event event);
const char *log_event_name(enum log_event event);

/* Fields that do not fit are left out whole. */
void log_line_format(struct log_line *line, enum log_format format,
                     enum log_event event, const struct log_field *fields,
                     const struct timespec *now);

#endif
