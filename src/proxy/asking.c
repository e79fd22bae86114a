/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop and the pool take turns: a step runs there, what follows is decided
 * here.  The asking belongs to the pool while a step runs, so that one that
 * hangs can be left behind with all that it uses.
 */
#include "proxy/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"

enum {
    /* A step makes at most two exchanges with a peer that is slow but alive. */
    STEP_TIMEOUTS = 2,
};

struct asking {
    struct job job; /* first: the pool's view */
    /* owned */
    struct inquiry *inquiry;
    struct timer late;
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    void *arg;
    /* plain */
    asking_done *done;
    char lane[LANE_NAME_SIZE]; /* of the step under way */
};

static void
asking_free(struct job *job)
{
    struct asking *asking = (struct asking *)job;

    inquiry_free(asking->inquiry);
    free(asking);
}

static void
run(struct job *job)
{
    lookup_step(((struct asking *)job)->inquiry->lookup);
}

static void
submit(struct asking *asking)
{
    timer_start(&asking->late,
                asking->inquiry->config->directory.timeout * STEP_TIMEOUTS);
    pool_submit(asking->pool, asking->lane, asking->loop, &asking->job);
}

static void
on_step_done(struct job *job)
{
    struct asking *asking = (struct asking *)job;
    struct lookup *lookup = asking->inquiry->lookup;
    struct error error;

    timer_stop(&asking->late);
    if (lookup_lane(lookup, asking->lane, sizeof asking->lane)) {
        submit(asking);
        return;
    }
    struct discovery *answer = lookup_finish(lookup, &error);
    asking->done(answer, &error, asking->arg);
    discovery_release(answer);
    asking_free(job);
}

/* A lane is named for whom its jobs wait. */
static void
explain_lateness(const char *lane, struct error *err)
{
    if (strcmp(lane, "dns") == 0)
        error_set(err, "the name servers do not answer in time");
    else if (strncmp(lane, "kdc ", 4) == 0)
        error_set(err, "the KDC of %s does not answer in time", lane + 4);
    else
        error_set(err, "the %s does not answer in time", lane);
}

static void
on_late(void *arg)
{
    struct asking *asking = arg;
    asking_done *done = asking->done;
    void *done_arg = asking->arg;
    struct error error;

    explain_lateness(asking->lane, &error);
    asking_cancel(asking);
    struct discovery *nothing = discovery_new(&error);
    if (nothing != NULL)
        nothing->reason = strdup(error.text);
    done(nothing, &error, done_arg);
    discovery_release(nothing);
}

struct asking *
asking_start(struct inquiry *inquiry, struct loop *loop, struct pool *pool,
             asking_done *done, void *arg)
{
    struct asking *asking = calloc(1, sizeof *asking);

    if (asking == NULL) {
        inquiry_free(inquiry);
        return NULL;
    }
    asking->job.run = run;
    asking->job.done = on_step_done;
    asking->job.discard = asking_free;
    asking->inquiry = inquiry;
    asking->loop = loop;
    asking->pool = pool;
    asking->done = done;
    asking->arg = arg;
    timer_init(&asking->late, loop, on_late, asking);
    /* A new lookup always has a first step. */
    (void)lookup_lane(inquiry->lookup, asking->lane, sizeof asking->lane);
    submit(asking);
    return asking;
}

void
asking_cancel(struct asking *asking)
{
    if (asking == NULL)
        return;
    timer_stop(&asking->late);
    pool_abandon(&asking->job);
}
