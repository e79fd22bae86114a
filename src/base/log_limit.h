/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of what strangers can cause is logged: of each such event a burst of
 * 50 lines, then 10 a second.  What is withheld is counted.  Pure: the time is
 * given.  Private to the log.
 */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log_events.h"

/* All zero: nothing was logged yet. */
struct log_limit {
    struct {
        uint64_t spent; /* thousandths of lines; they come back with time */
        uint64_t at_ms; /* when spent was right */
        uint64_t withheld;
    } events[EVENT_COUNT];
};

/* Can a stranger cause event at will? */
bool log_limit_applies(enum log_event event);

/* May a line of event be logged now?  If not, it is counted as withheld. */
bool log_limit_pass(struct log_limit *limit, enum log_event event,
                    uint64_t now_ms);

/* Takes the count of event's lines that were withheld since the last call. */
uint64_t log_limit_withheld(struct log_limit *limit, enum log_event event);

#endif
