/* SPDX-License-Identifier: BSD-2-Clause */
/* A leaking bucket for each event: a line fills it by 1, time empties it. */
#include "base/log_limit.h"

#include <stddef.h>

enum {
    LINE = 1000,
    BURST = 50 * LINE,
    LEAK_PER_MS = 10 * LINE / 1000,
};

bool
log_limit_applies(enum log_event event)
{
    static const enum log_event limited[] = {
        EVENT_FAILED,    EVENT_REFUSED,       EVENT_PROBE,
        EVENT_CANDIDATE, EVENT_ACCEPT_PAUSED, EVENT_ACCEPT_RESUMED,
    };

    for (size_t i = 0; i < sizeof limited / sizeof limited[0]; i++) {
        if (limited[i] == event)
            return true;
    }
    return false;
}

bool
log_limit_pass(struct log_limit *limit, enum log_event event, uint64_t now_ms)
{
    uint64_t *spent = &limit->events[event].spent;
    uint64_t passed = now_ms - limit->events[event].at_ms;

    limit->events[event].at_ms = now_ms;
    *spent = passed < *spent / LEAK_PER_MS ? *spent - passed * LEAK_PER_MS : 0;
    if (*spent + LINE > BURST) {
        limit->events[event].withheld++;
        return false;
    }
    *spent += LINE;
    return true;
}

uint64_t
log_limit_withheld(struct log_limit *limit, enum log_event event)
{
    uint64_t withheld = limit->events[event].withheld;

    limit->events[event].withheld = 0;
    return withheld;
}
