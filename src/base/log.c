/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sink: callers queue lines under a lock that is never held through a
 * write, and the writer empties the queue.  Should the target block for ever,
 * the queue fills, lines are dropped and counted, and at the end the writer is
 * left behind.
 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log_limit.h"
#include "base/log_line.h"
#include "base/log_queue.h"
#include "base/log_target.h"
#include "base/loop.h"
#include "base/thread.h"

/* How often lines that were withheld or dropped are reported at most. */
enum {
    REPORT_INTERVAL_MS = 1000
};

/* How long the writer waits for more after it has written, once it has written
 * more often than that: few lines are written at once. */
enum {
    REST_MS = 5,
    CALM_WRITES = 20,
    CALM_MS = 100
};

enum sink_state {
    SINK_DIRECT,  /* not open: straight to standard error */
    SINK_OPEN,    /* the writer takes what is queued */
    SINK_CLOSING, /* it ends when the queue is empty */
    SINK_LEFT,    /* it is stuck: nothing is written any more */
};

/* The one mutable global.  Members are guarded by lock unless said otherwise. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;    /* for the writer */
    pthread_cond_t crowded; /* the queue is half full, while he rests */
    pthread_cond_t ended;   /* the writer is */
    pthread_t writer;       /* main's */
    enum sink_state state;
    bool writer_ended;
    bool reopen;
    struct log_target *next; /* owned; what the writer should take, or NULL */
    uint64_t report_ms;      /* when to report losses; 0: there are none */
    uint64_t lost;           /* dropped and not yet reported */
    struct log_limit limit;
    struct log_queue queue;
    struct log_target target; /* the writer's alone, as are the next two */
    uint64_t calm_ms;         /* since when its writes are counted */
    unsigned writes;
    /* any thread */
    atomic_int level;
    atomic_int format;
    atomic_uint_fast64_t dropped;
} sink = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .crowded = PTHREAD_COND_INITIALIZER,
    .ended = PTHREAD_COND_INITIALIZER,
    .level = LOG_LEVEL_INFO,
    .format = LOG_FORMAT_TEXT,
};

/* The functions below that say so are called with the lock held. */

/* Locked.  A report is due in a while: what comes until then is in it. */
static void
plan_report(void)
{
    if (sink.report_ms == 0) {
        sink.report_ms = loop_now_ms() + REPORT_INTERVAL_MS;
        pthread_cond_signal(&sink.work);
    }
}

/* Locked. */
static void
count_lost(size_t lines)
{
    sink.lost += lines;
    atomic_fetch_add(&sink.dropped, lines);
    /* At the end the report itself may be what is lost: not again then. */
    if (sink.state == SINK_OPEN)
        plan_report();
}

/* Locked. */
static void
queue_line(const struct log_line *line)
{
    if (sink.state == SINK_LEFT || !log_queue_push(&sink.queue, line))
        count_lost(1);
    else if (sink.queue.used > LOG_QUEUE_SIZE / 2)
        pthread_cond_signal(&sink.crowded);
}

static void
format_line(struct log_line *line, enum log_event event,
            const struct log_field *fields)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    log_line_format(line, (enum log_format)atomic_load(&sink.format), event,
                    fields, &now);
}

bool
log_enabled(enum log_event event)
{
    return (int)log_event_level(event) <= atomic_load(&sink.level);
}

/* A flood is cut here, before it costs any formatting. */
static bool
may_pass(enum log_event event)
{
    if (!log_limit_applies(event))
        return true;
    pthread_mutex_lock(&sink.lock);
    bool pass = sink.state == SINK_DIRECT ||
                log_limit_pass(&sink.limit, event, loop_now_ms());
    if (!pass)
        plan_report();
    pthread_mutex_unlock(&sink.lock);
    return pass;
}

void
log_event_fields(enum log_event event, const struct log_field *fields)
{
    struct log_line line;
    int kept_errno = errno;

    if (!log_enabled(event) || !may_pass(event))
        return;
    format_line(&line, event, fields);
    pthread_mutex_lock(&sink.lock);
    bool direct = sink.state == SINK_DIRECT;
    if (!direct)
        queue_line(&line);
    pthread_mutex_unlock(&sink.lock);
    /* Not before: the writer would wake only to wait for the lock. */
    if (!direct)
        pthread_cond_signal(&sink.work);
    if (direct && write(STDERR_FILENO, line.text, line.length) < 0)
        atomic_fetch_add(&sink.dropped, 1);
    errno = kept_errno;
}

/* Locked. */
static void
report(enum log_event event, const struct log_field *fields)
{
    struct log_line line;

    if (!log_enabled(event))
        return;
    format_line(&line, event, fields);
    queue_line(&line);
}

/* Locked, but not while the target is written to.  While that fails, what is
 * to be told adds up. */
static void
report_dropped(void)
{
    uint64_t lost = sink.lost;
    const struct log_field fields[] = {
        LOG_NUMBER("lines", lost),
        {NULL, LOG_FIELD_END, NULL, 0},
    };
    struct log_line line;
    bool told = true;

    if (log_enabled(EVENT_DROPPED)) {
        format_line(&line, EVENT_DROPPED, fields);
        log_target_add(&sink.target, &line);
        pthread_mutex_unlock(&sink.lock);
        told = log_target_flush(&sink.target) == 0;
        pthread_mutex_lock(&sink.lock);
    }
    if (told)
        sink.lost -= lost;
    else if (sink.state == SINK_OPEN)
        plan_report();
}

/* Locked.  There is room: the writer calls this with the queue emptied. */
static void
report_losses(void)
{
    sink.report_ms = 0;
    if (sink.lost > 0)
        report_dropped();
    for (enum log_event event = 0; event < EVENT_COUNT; event++) {
        uint64_t withheld = log_limit_withheld(&sink.limit, event);
        if (withheld > 0)
            report(EVENT_SUPPRESSED,
                   (const struct log_field[]){
                       LOG_TEXT("suppressed_event", log_event_name(event)),
                       LOG_NUMBER("lines", withheld),
                       {NULL, LOG_FIELD_END, NULL, 0},
                   });
    }
}

/* Locked, but not while the target is opened. */
static void
reopen_target(void)
{
    struct error err;

    sink.reopen = false;
    pthread_mutex_unlock(&sink.lock);
    bool opened = log_target_reopen(&sink.target, &err);
    pthread_mutex_lock(&sink.lock);
    if (!opened)
        report(EVENT_ERROR, (const struct log_field[]){
                                LOG_TEXT("reason", err.text),
                                {NULL, LOG_FIELD_END, NULL, 0},
                            });
}

/* Locked, but not while the old target is closed. */
static void
take_next(void)
{
    struct log_target *next = sink.next;

    sink.next = NULL;
    pthread_mutex_unlock(&sink.lock);
    log_target_take(&sink.target, next);
    free(next);
    pthread_mutex_lock(&sink.lock);
}

/* Locked, but not while the target is written to.  False: nothing is queued. */
static bool
write_queued(void)
{
    struct log_line line;

    while (log_target_has_room(&sink.target) &&
           log_queue_pop(&sink.queue, &line))
        log_target_add(&sink.target, &line);
    if (sink.target.lines == 0)
        return false;
    pthread_mutex_unlock(&sink.lock);
    size_t lost = log_target_flush(&sink.target);
    pthread_mutex_lock(&sink.lock);
    if (lost > 0)
        count_lost(lost);
    return true;
}

/* Locked. */
static bool
losses_are_due(void)
{
    return sink.report_ms != 0 &&
           (sink.state == SINK_CLOSING || loop_now_ms() >= sink.report_ms);
}

static struct timespec
moment(uint64_t ms)
{
    return (struct timespec){
        .tv_sec = (time_t)(ms / 1000),
        .tv_nsec = (long)(ms % 1000) * 1000000,
    };
}

/* Locked, but not while it waits. */
static void
wait_for_work(void)
{
    struct timespec report = moment(sink.report_ms);

    if (sink.report_ms == 0)
        pthread_cond_wait(&sink.work, &sink.lock);
    else
        pthread_cond_clockwait(&sink.work, &sink.lock, CLOCK_MONOTONIC,
                               &report);
}

static bool
writes_often(uint64_t now)
{
    if (now - sink.calm_ms >= CALM_MS) {
        sink.calm_ms = now;
        sink.writes = 0;
    }
    return ++sink.writes > CALM_WRITES;
}

/* Locked, but not while it waits.  Where there are many lines, to be woken for
 * each would cost more than to write it. */
static void
rest(void)
{
    uint64_t now = loop_now_ms();
    struct timespec end = moment(now + REST_MS);

    if (writes_often(now) && sink.state == SINK_OPEN &&
        sink.queue.used <= LOG_QUEUE_SIZE / 2)
        pthread_cond_clockwait(&sink.crowded, &sink.lock, CLOCK_MONOTONIC,
                               &end);
}

static void *
write_lines(void *arg)
{
    pthread_mutex_lock(&sink.lock);
    for (;;) {
        if (sink.next != NULL)
            take_next();
        if (sink.reopen)
            reopen_target();
        if (write_queued()) {
            rest();
            continue;
        }
        if (losses_are_due())
            report_losses();
        else if (sink.state == SINK_OPEN)
            wait_for_work();
        else
            break;
    }
    sink.writer_ended = true;
    pthread_cond_signal(&sink.ended);
    pthread_mutex_unlock(&sink.lock);
    return arg;
}

struct log_target *
log_prepare(const char *target, struct error *err)
{
    struct log_target *prepared = calloc(1, sizeof *prepared);

    if (prepared == NULL)
        error_set(err, "cannot open the log: out of memory");
    else if (log_target_open(prepared, target, err))
        return prepared;
    free(prepared);
    return NULL;
}

void
log_discard(struct log_target *prepared)
{
    if (prepared != NULL && prepared->kind == LOG_TARGET_FILE)
        close(prepared->fd);
    free(prepared);
}

void
log_take(struct log_target *prepared)
{
    pthread_mutex_lock(&sink.lock);
    struct log_target *passed = sink.next;
    sink.next = prepared;
    pthread_cond_signal(&sink.work);
    pthread_mutex_unlock(&sink.lock);
    log_discard(passed);
}

bool
log_open(const struct log_settings *settings, struct error *err)
{
    sink.next = log_prepare(settings->target, err);
    if (sink.next == NULL)
        return false;
    log_adjust(settings->level, settings->format);
    sink.writer_ended = false;
    sink.state = SINK_OPEN;
    if (!thread_start("log", write_lines, NULL, &sink.writer, err)) {
        sink.state = SINK_DIRECT;
        log_discard(sink.next);
        sink.next = NULL;
        return false;
    }
    return true;
}

void
log_adjust(enum log_level level, enum log_format format)
{
    atomic_store(&sink.level, level);
    atomic_store(&sink.format, format);
}

void
log_reopen(void)
{
    pthread_mutex_lock(&sink.lock);
    sink.reopen = true;
    pthread_cond_signal(&sink.work);
    pthread_mutex_unlock(&sink.lock);
}

void
log_close(unsigned wait_ms)
{
    struct timespec deadline = moment(loop_now_ms() + wait_ms);
    int waited = 0;

    pthread_mutex_lock(&sink.lock);
    bool open = sink.state == SINK_OPEN;
    if (open) {
        sink.state = SINK_CLOSING;
        pthread_cond_signal(&sink.work);
        while (!sink.writer_ended && waited == 0)
            waited = pthread_cond_clockwait(&sink.ended, &sink.lock,
                                            CLOCK_MONOTONIC, &deadline);
        sink.state = sink.writer_ended ? SINK_DIRECT : SINK_LEFT;
    }
    bool ended = sink.state == SINK_DIRECT;
    pthread_mutex_unlock(&sink.lock);
    if (open && ended) {
        pthread_join(sink.writer, NULL);
        log_target_close(&sink.target);
    } else if (open) {
        pthread_detach(sink.writer);
    }
}

uint64_t
log_dropped(void)
{
    return atomic_load(&sink.dropped);
}
