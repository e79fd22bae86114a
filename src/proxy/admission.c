/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting, and the order in which those who are held back come in. */
#include "proxy/admission.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/timer.h"
#include "proxy/sources.h"

enum {
    SWEEP_MS = 250
};

struct admission {
    /* owned */
    struct sources sources;
    struct arrival *all;
    struct timer sweep; /* while some are held */
    /* borrowed */
    struct loop *main_loop;
    struct worker *const *workers;
    void *arg;
    /* plain */
    void (*on_closed)(void *arg);
    size_t worker_count;
    size_t next_worker;
    struct admission_limits limits;
    struct admission_status status;
    bool stopped;
    /* any thread */
    atomic_bool crowded; /* status.held is not 0 */
};

static void on_sweep(void *arg);

struct admission *
admission_new(struct loop *main_loop, struct worker *const *workers,
              size_t worker_count, void (*on_closed)(void *arg), void *arg,
              struct error *err)
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL) {
        error_set(err, "cannot count connections: out of memory");
        return NULL;
    }
    admission->main_loop = main_loop;
    admission->workers = workers;
    admission->worker_count = worker_count;
    admission->on_closed = on_closed;
    admission->arg = arg;
    timer_init(&admission->sweep, main_loop, on_sweep, admission);
    return admission;
}

static void
hand_over(struct admission *admission, struct arrival *arrival)
{
    struct worker *worker = admission->workers[admission->next_worker];

    admission->next_worker = (admission->next_worker + 1) %
                             admission->worker_count;
    worker_take(worker, arrival);
}

static bool
may_begin(const struct admission *admission, const struct source *source)
{
    return admission->status.handshakes < admission->limits.handshakes &&
           source->handshakes < admission->limits.handshakes_per_source;
}

static void
begin_handshake(struct admission *admission, struct source *source,
                struct arrival *arrival)
{
    arrival->source = source;
    source->handshakes++;
    admission->status.handshakes++;
    hand_over(admission, arrival);
}

static struct arrival *
unhold(struct admission *admission, struct source *source)
{
    if (--admission->status.held == 0)
        atomic_store(&admission->crowded, false);
    return source_unhold(&admission->sources, source);
}

/* One round of the ring at most each time a place became free. */
static void
admit_held(struct admission *admission)
{
    struct source *stop = NULL;

    while (!admission->stopped && admission->sources.ring != NULL &&
           admission->sources.ring != stop &&
           admission->status.handshakes < admission->limits.handshakes) {
        struct source *source = admission->sources.ring;
        admission->sources.ring = source->ring_next;
        if (!may_begin(admission, source)) {
            if (stop == NULL)
                stop = source;
            continue;
        }
        stop = NULL;
        begin_handshake(admission, source, unhold(admission, source));
    }
}

static void
end_handshake(struct arrival *arrival)
{
    struct admission *admission = arrival->admission;
    struct source *source = arrival->source;

    if (source == NULL)
        return;
    arrival->source = NULL;
    source->handshakes--;
    admission->status.handshakes--;
    admit_held(admission);
    sources_forget_if_idle(&admission->sources, source);
}

/* A held arrival is sent away, as if its handshake had been too slow. */
static void
expire(struct admission *admission, struct arrival *arrival, const char *reason)
{
    const struct snapshot *snapshot = arrival->snapshot;
    char from[ADDRESS_TEXT_SIZE];

    address_format(&arrival->peer, from, sizeof from);
    log_event(EVENT_FAILED, LOG_TEXT("service", snapshot->service->name),
              LOG_NUMBER("id", arrival->id), LOG_TEXT("from", from),
              LOG_TEXT("reason", reason),
              LOG_MS("duration", loop_now_ms() - arrival->held_ms));
    counters_add(&snapshot->counters->failed, 1);
    counters_failure(snapshot->counters, "timeout");
    socket_reset(arrival->fd);
    loop_post(admission->main_loop, &arrival->closed);
}

/* The oldest of a source come first. */
static void
expire_source(struct admission *admission, struct source *source)
{
    uint64_t now = loop_now_ms();

    while (source->first != NULL) {
        struct arrival *arrival = source->first;
        if (now - arrival->held_ms <
            arrival->snapshot->service->handshake_timeout)
            return;
        unhold(admission, source);
        expire(admission, arrival,
               "no time left while waiting for a place among the handshakes");
    }
}

static void
on_sweep(void *arg)
{
    struct admission *admission = arg;

    for (size_t i = 0; i < SOURCE_BUCKETS; i++) {
        struct source *source = admission->sources.buckets[i];
        while (source != NULL) {
            struct source *next = source->next;
            expire_source(admission, source);
            sources_forget_if_idle(&admission->sources, source);
            source = next;
        }
    }
    if (admission->status.held > 0)
        timer_start(&admission->sweep, SWEEP_MS);
}

static void
hold(struct admission *admission, struct source *source,
     struct arrival *arrival)
{
    arrival->held_ms = loop_now_ms();
    source_hold(&admission->sources, source, arrival);
    if (admission->status.held++ == 0) {
        atomic_store(&admission->crowded, true);
        timer_start(&admission->sweep, SWEEP_MS);
    }
}

/* Those who are held may not fill max_connections: whoever has most of them
 * loses its oldest. */
static void
limit_held(struct admission *admission, struct source *newest)
{
    if (admission->status.held <= (admission->limits.connections + 1) / 2)
        return;
    struct source *source = sources_busiest(&admission->sources, newest);
    expire(admission, unhold(admission, source),
           "too many wait for a place among the handshakes");
    sources_forget_if_idle(&admission->sources, source);
}

static void
list_enter(struct admission *admission, struct arrival *arrival)
{
    arrival->all_next = admission->all;
    arrival->all_link = &admission->all;
    if (arrival->all_next != NULL)
        arrival->all_next->all_link = &arrival->all_next;
    admission->all = arrival;
}

static void
arrival_free(struct arrival *arrival)
{
    if (arrival->all_next != NULL)
        arrival->all_next->all_link = arrival->all_link;
    *arrival->all_link = arrival->all_next;
    snapshot_release(arrival->snapshot);
    free(arrival);
}

static void
on_proved_mail(struct mail *mail)
{
    end_handshake(container_of(mail, struct arrival, proved));
}

static void
on_closed_mail(struct mail *mail)
{
    struct arrival *arrival = container_of(mail, struct arrival, closed);
    struct admission *admission = arrival->admission;

    end_handshake(arrival);
    admission->status.connections--;
    atomic_fetch_sub(&arrival->snapshot->counters->connections, 1);
    arrival_free(arrival);
    admission->on_closed(admission->arg);
}

bool
admission_has_room(const struct admission *admission)
{
    return admission->status.connections < admission->limits.connections;
}

void
admission_take(struct admission *admission, struct arrival *arrival)
{
    arrival->admission = admission;
    arrival->main_loop = admission->main_loop;
    arrival->proved.deliver = on_proved_mail;
    arrival->closed.deliver = on_closed_mail;
    list_enter(admission, arrival);
    admission->status.connections++;
    atomic_fetch_add(&arrival->snapshot->counters->connections, 1);
    counters_add(&arrival->snapshot->counters->accepted, 1);

    struct source *source = NULL;
    if (arrival->snapshot->service->role == ROLE_SERVER)
        source = sources_find(&admission->sources, &arrival->peer);
    if (source == NULL) {
        hand_over(admission, arrival);
    } else if (source->first == NULL && may_begin(admission, source)) {
        begin_handshake(admission, source, arrival);
    } else {
        hold(admission, source, arrival);
        limit_held(admission, source);
    }
}

void
admission_limit(struct admission *admission,
                const struct admission_limits *limits)
{
    admission->limits = *limits;
    admission->status.limit = limits->connections;
    admit_held(admission);
}

bool
admission_is_crowded(const struct arrival *arrival)
{
    return arrival->admission != NULL &&
           atomic_load(&arrival->admission->crowded);
}

struct admission_status
admission_status(const struct admission *admission)
{
    return admission->status;
}

void
admission_stop(struct admission *admission, const char *reason)
{
    if (admission == NULL)
        return;
    admission->stopped = true;
    while (admission->sources.ring != NULL) {
        struct source *source = admission->sources.ring;
        expire(admission, unhold(admission, source), reason);
        sources_forget_if_idle(&admission->sources, source);
    }
}

static void
close_held(struct source *source)
{
    for (struct arrival *held = source->first; held != NULL; held = held->next)
        close(held->fd);
}

void
admission_free(struct admission *admission)
{
    if (admission == NULL)
        return;
    for (size_t i = 0; i < SOURCE_BUCKETS; i++) {
        while (admission->sources.buckets[i] != NULL) {
            struct source *source = admission->sources.buckets[i];
            admission->sources.buckets[i] = source->next;
            close_held(source);
            free(source);
        }
    }
    timer_stop(&admission->sweep);
    while (admission->all != NULL)
        arrival_free(admission->all);
    free(admission);
}
