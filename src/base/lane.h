/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which job of a pool runs next: queues by name, taking turns, none with more
 * than its share.  No threads and no locks: the pool's lock guards it.
 */
#ifndef BASE_LANE_H
#define BASE_LANE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"

struct lane_times;

struct lane {
    struct lane_times *times; /* borrowed; the pool's */
    char name[LANE_NAME_SIZE];
    bool prompt;
    unsigned running;
    unsigned queued;
    struct job *first, **end;
    struct lane *next;
};

struct lanes {
    /* owned; a list in order of turns, the two below always among them */
    struct lane *first;
    struct lane prompt;
    struct lane overflow; /* of lanes for which there was no memory */
    /* plain */
    unsigned share;       /* running jobs of a lane, but of prompt */
    unsigned waiting_max; /* running jobs of all lanes but prompt */
    unsigned waiting;
};

void lanes_init(struct lanes *lanes, unsigned threads);

/* Sets lane, next, link and state of job.  True: it may run at once. */
bool lanes_push(struct lanes *lanes, const char *name, struct job *job);

/* Takes a queued job back. */
void lanes_remove(struct lanes *lanes, struct job *job);

/* The job that runs next; NULL when none may.  lanes_ended must follow with
 * its lane. */
struct job *lanes_take(struct lanes *lanes);
void lanes_ended(struct lanes *lanes, struct lane *lane);

/* May another job run? */
bool lanes_have_more(const struct lanes *lanes);

/* Any queued job, for taking all of them back; NULL: there is none. */
struct job *lanes_any(const struct lanes *lanes);

size_t lanes_status(const struct lanes *lanes, struct lane_status *status,
                    size_t max);

#endif
