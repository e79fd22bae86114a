/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two queues.  A round takes the short turns off theirs, so that who adds itself
 * again waits for the next round, and who is removed leaves whichever list it is
 * on.
 */
#include "base/turns.h"

#include <stddef.h>

enum {
    /* What the short turns of a round may take without long ones getting as
     * much. */
    SHORT_US = 1000,
};

static void
empty(struct turn_queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

void
turns_init(struct turns *turns)
{
    turns->now = NULL;
    empty(&turns->queues[TURN_SHORT]);
    empty(&turns->queues[TURN_LONG]);
}

void
turns_add(struct turns *turns, struct turn *turn, enum turn_length length)
{
    struct turn_queue *queue = &turns->queues[length];

    if (turn->coming)
        return;
    turn->coming = true;
    turn->next = NULL;
    turn->link = queue->end;
    *queue->end = turn;
    queue->end = &turn->next;
}

void
turns_remove(struct turns *turns, struct turn *turn)
{
    if (!turn->coming)
        return;
    turn->coming = false;
    *turn->link = turn->next;
    if (turn->next != NULL) {
        turn->next->link = turn->link;
        return;
    }
    /* It was the last: of a queue, or of those of this round. */
    for (int length = TURN_SHORT; length <= TURN_LONG; length++) {
        if (turns->queues[length].end == &turn->next)
            turns->queues[length].end = turn->link;
    }
}

bool
turns_are_coming(const struct turns *turns)
{
    return turns->queues[TURN_SHORT].first != NULL ||
           turns->queues[TURN_LONG].first != NULL;
}

static void
take(struct turns *turns, struct turn *turn)
{
    turns_remove(turns, turn);
    turn->take(turn);
}

static void
run_short(struct turns *turns)
{
    struct turn_queue *queue = &turns->queues[TURN_SHORT];

    turns->now = queue->first;
    if (turns->now == NULL)
        return;
    turns->now->link = &turns->now;
    empty(queue);
    while (turns->now != NULL)
        take(turns, turns->now);
}

void
turns_run(struct turns *turns, uint64_t (*now_us)(void))
{
    const struct turn_queue *longs = &turns->queues[TURN_LONG];

    if (longs->first == NULL) {
        run_short(turns);
        return;
    }
    uint64_t began = now_us();
    run_short(turns);
    uint64_t between = now_us();
    while (longs->first != NULL) {
        take(turns, longs->first);
        if (now_us() - between + SHORT_US >= between - began)
            return;
    }
}
