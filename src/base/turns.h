/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is in a loop.  A round gives each who has one coming a turn; of
 * those whose turns are long one only, and more where the others' took long
 * together, for half of the time is theirs.  So whoever has little to do waits
 * for one long turn, not for all of them.  No clock, no locks: one thread's.
 */
#ifndef BASE_TURNS_H
#define BASE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

enum turn_length {
    TURN_SHORT,
    TURN_LONG
};

/* Intrusive: embed it; with take alone set, none is coming. */
struct turn {
    void (*take)(struct turn *turn); /* may add and remove any, itself too */
    bool coming;
    struct turn *next, **link;
};

/* Those who have a turn coming, the longest waiting first. */
struct turn_queue {
    struct turn *first;
    struct turn **end;
};

struct turns {
    struct turn_queue queues[2]; /* by enum turn_length */
    struct turn *now;            /* still to have theirs in this round */
};

void turns_init(struct turns *turns);

/* A short turn comes in the next round; a long one when those who wait longer
 * have had theirs, perhaps still in this round.  Who has one coming already keeps it
 * as it is. */
void turns_add(struct turns *turns, struct turn *turn, enum turn_length length);

/* It has none coming any more; fine where it had none. */
void turns_remove(struct turns *turns, struct turn *turn);

/* Does anybody have a turn coming? */
bool turns_are_coming(const struct turns *turns);

/* A round.  now_us tells the time in microseconds, from whenever. */
void turns_run(struct turns *turns, uint64_t (*now_us)(void));

#endif
