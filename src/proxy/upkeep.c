/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer and a job that take turns.
 */
#include "proxy/upkeep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/jitter.h"
#include "base/log.h"
#include "base/timer.h"

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MOST_MS = 60000,
    /* Tickets that came meanwhile, and a clock that was set, are seen then. */
    LOOK_MOST_S = 60,
};

struct renewal {
    struct job job;                /* first: the pool's view */
    struct credential *credential; /* held */
    struct upkeep *upkeep;         /* borrowed; valid unless abandoned */
    struct error error;
    bool renewed;
};

struct upkeep {
    /* owned */
    struct renewal *renewal;       /* while the pool works */
    struct credential *credential; /* held */
    struct timer timer;
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    const char *service;
    /* plain */
    uint64_t retry_ms;
    int64_t expires; /* as last logged */
};

static void
renewal_free(struct job *job)
{
    struct renewal *renewal = (struct renewal *)job;
    credential_release(renewal->credential);
    free(renewal);
}

static void
run(struct job *job)
{
    struct renewal *renewal = (struct renewal *)job;
    renewal->renewed = credential_renew(renewal->credential, &renewal->error);
}

static void
log_success(struct upkeep *upkeep)
{
    int64_t expires = credential_expires(upkeep->credential);
    time_t when = (time_t)expires;
    char text[32] = "";
    struct tm utc;

    if (expires == upkeep->expires)
        return;
    upkeep->expires = expires;
    if (gmtime_r(&when, &utc) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    log_event(EVENT_CREDENTIAL, LOG_TEXT("service", upkeep->service),
              LOG_TEXT("principal", credential_name(upkeep->credential)),
              LOG_TEXT("expires", text));
}

static uint64_t
next_look(struct upkeep *upkeep, const struct renewal *renewal)
{
    if (renewal->renewed) {
        int64_t seconds = credential_renew_in(upkeep->credential);
        log_success(upkeep);
        upkeep->retry_ms = RETRY_FIRST_MS;
        if (seconds < 1)
            seconds = 1;
        if (seconds > LOOK_MOST_S)
            seconds = LOOK_MOST_S;
        return (uint64_t)seconds * 1000;
    }
    uint64_t wait = upkeep->retry_ms;
    upkeep->expires = 0;
    upkeep->retry_ms = wait * 2 < RETRY_MOST_MS ? wait * 2
                                                : (uint64_t)RETRY_MOST_MS;
    log_event(EVENT_CREDENTIAL_BAD, LOG_TEXT("service", upkeep->service),
              LOG_TEXT("principal", credential_name(upkeep->credential)),
              LOG_TEXT("reason", renewal->error.text));
    return wait;
}

static void
on_renewed(struct job *job)
{
    struct renewal *renewal = (struct renewal *)job;
    struct upkeep *upkeep = renewal->upkeep;

    upkeep->renewal = NULL;
    timer_start(&upkeep->timer, with_jitter(next_look(upkeep, renewal)));
    renewal_free(job);
}

static void
on_due(void *arg)
{
    struct upkeep *upkeep = arg;
    char lane[LANE_NAME_SIZE];
    struct renewal *renewal = calloc(1, sizeof *renewal);

    if (renewal == NULL) {
        timer_start(&upkeep->timer, RETRY_MOST_MS);
        return;
    }
    renewal->credential = credential_hold(upkeep->credential);
    renewal->upkeep = upkeep;
    renewal->job.run = run;
    renewal->job.done = on_renewed;
    renewal->job.discard = renewal_free;
    upkeep->renewal = renewal;
    credential_lane(upkeep->credential, lane, sizeof lane);
    pool_submit(upkeep->pool, lane, upkeep->loop, &renewal->job);
}

struct upkeep *
upkeep_start(struct loop *loop, struct pool *pool,
             struct credential *credential, const char *service)
{
    struct upkeep *upkeep = calloc(1, sizeof *upkeep);
    if (upkeep == NULL)
        return NULL;
    upkeep->credential = credential_hold(credential);
    upkeep->loop = loop;
    upkeep->pool = pool;
    upkeep->service = service;
    upkeep->retry_ms = RETRY_FIRST_MS;
    timer_init(&upkeep->timer, loop, on_due, upkeep);
    timer_start(&upkeep->timer, 0);
    return upkeep;
}

void
upkeep_cancel(struct upkeep *upkeep)
{
    if (upkeep == NULL)
        return;
    if (upkeep->renewal != NULL)
        pool_abandon(&upkeep->renewal->job);
    timer_stop(&upkeep->timer);
    credential_release(upkeep->credential);
    free(upkeep);
}
