/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lanes are few (a realm or a directory each), so lists are searched.  A lane
 * that runs a job goes behind the others; one without work is freed.
 */
#include "base/lane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARE_MIN = 2,
    SHARE_DIVISOR = 8,
    PROMPT_RESERVE_MIN = 1,
    PROMPT_RESERVE_DIVISOR = 4,
};

static unsigned
fraction(unsigned threads, unsigned divisor, unsigned min)
{
    unsigned part = threads / divisor;

    return part > min ? part : min;
}

static void
lane_init(struct lane *lane, const char *name)
{
    snprintf(lane->name, sizeof lane->name, "%s", name);
    lane->end = &lane->first;
}

void
lanes_init(struct lanes *lanes, unsigned threads)
{
    memset(lanes, 0, sizeof *lanes);
    lanes->share = fraction(threads, SHARE_DIVISOR, SHARE_MIN);
    lanes->waiting_max = threads - fraction(threads, PROMPT_RESERVE_DIVISOR,
                                            PROMPT_RESERVE_MIN);
    lane_init(&lanes->prompt, "prompt");
    lane_init(&lanes->overflow, "overflow");
    lanes->prompt.prompt = true;
    lanes->prompt.next = &lanes->overflow;
    lanes->first = &lanes->prompt;
}

static struct lane **
end_of(struct lanes *lanes)
{
    struct lane **link = &lanes->first;

    while (*link != NULL)
        link = &(*link)->next;
    return link;
}

/* A name is compared as it is kept, so that a long one finds its lane again. */
static struct lane *
lane_named(struct lanes *lanes, const char *name)
{
    if (name == LANE_PROMPT)
        return &lanes->prompt;
    for (struct lane *lane = lanes->first; lane != NULL; lane = lane->next) {
        if (!lane->prompt &&
            strncmp(lane->name, name, sizeof lane->name - 1) == 0)
            return lane;
    }
    struct lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return &lanes->overflow;
    lane_init(lane, name);
    *end_of(lanes) = lane;
    return lane;
}

static void
free_if_idle(struct lanes *lanes, struct lane *lane)
{
    struct lane **link = &lanes->first;

    if (lane->running > 0 || lane->queued > 0 || lane == &lanes->prompt ||
        lane == &lanes->overflow)
        return;
    while (*link != lane)
        link = &(*link)->next;
    *link = lane->next;
    free(lane);
}

static bool
has_room(const struct lanes *lanes, const struct lane *lane)
{
    return lane->prompt || (lane->running < lanes->share &&
                            lanes->waiting < lanes->waiting_max);
}

bool
lanes_push(struct lanes *lanes, const char *name, struct job *job)
{
    struct lane *lane = lane_named(lanes, name);

    job->lane = lane;
    job->state = JOB_QUEUED;
    job->next = NULL;
    job->link = lane->end;
    *lane->end = job;
    lane->end = &job->next;
    lane->queued++;
    return has_room(lanes, lane);
}

static void
unlink_job(struct lane *lane, struct job *job)
{
    *job->link = job->next;
    if (job->next != NULL)
        job->next->link = job->link;
    else
        lane->end = job->link;
    lane->queued--;
}

void
lanes_remove(struct lanes *lanes, struct job *job)
{
    assert(job->state == JOB_QUEUED);
    unlink_job(job->lane, job);
    job->state = JOB_IDLE;
    free_if_idle(lanes, job->lane);
}

static bool
can_go(const struct lanes *lanes, const struct lane *lane)
{
    return lane->queued > 0 && has_room(lanes, lane);
}

bool
lanes_have_more(const struct lanes *lanes)
{
    const struct lane *lane = lanes->first;

    while (lane != NULL && !can_go(lanes, lane))
        lane = lane->next;
    return lane != NULL;
}

struct job *
lanes_take(struct lanes *lanes)
{
    struct lane **link = &lanes->first;

    while (*link != NULL && !can_go(lanes, *link))
        link = &(*link)->next;
    struct lane *lane = *link;
    if (lane == NULL)
        return NULL;
    *link = lane->next;
    lane->next = NULL;
    *end_of(lanes) = lane;

    struct job *job = lane->first;
    unlink_job(lane, job);
    job->state = JOB_RUNNING;
    lane->running++;
    if (!lane->prompt)
        lanes->waiting++;
    return job;
}

void
lanes_ended(struct lanes *lanes, struct lane *lane)
{
    assert(lane->running > 0);
    lane->running--;
    if (!lane->prompt)
        lanes->waiting--;
    free_if_idle(lanes, lane);
}

struct job *
lanes_any(const struct lanes *lanes)
{
    const struct lane *lane = lanes->first;

    while (lane != NULL && lane->queued == 0)
        lane = lane->next;
    return lane == NULL ? NULL : lane->first;
}

size_t
lanes_status(const struct lanes *lanes, struct lane_status *status, size_t max)
{
    size_t count = 0;

    for (const struct lane *lane = lanes->first; lane != NULL && count < max;
         lane = lane->next) {
        if (lane->running == 0 && lane->queued == 0)
            continue;
        memcpy(status[count].name, lane->name, sizeof lane->name);
        status[count].running = lane->running;
        status[count].queued = lane->queued;
        count++;
    }
    return count;
}
