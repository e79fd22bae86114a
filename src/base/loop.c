/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libevent without its locks: one thread touches a base and its events.  What
 * comes from other threads goes through the mailbox, a list under a mutex and
 * an eventfd that is written only when the list was empty.  What the loop's own
 * thread posts needs no waking: before it sleeps, the loop looks at the list.
 *
 * A round is: look at the descriptors (sleeping only when no watch is ready),
 * deliver mail, fire timers, then give each watch that is ready one turn; of
 * those whose turns are long, one of them, and more where the others took long
 * together.
 */
#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"

enum {
    LOOP_NAME_SIZE = 32,
    /* What the others' turns may take in a round without slow ones getting as
     * much. */
    QUICK_US = 1000,
};

/* Watches that have a turn coming, the longest waiting first. */
struct queue {
    struct watch *first;
    struct watch **end;
};

struct loop {
    /* owned */
    struct event_base *base;
    struct event *wakeup;
    pthread_t thread; /* when threaded */
    int wakeup_fd;
    /* plain, the loop's thread */
    char name[LOOP_NAME_SIZE];
    bool threaded;
    struct queue ready; /* in the next round */
    struct queue slow;  /* of long turns: one in each round */
    struct watch *turn; /* still to have theirs in this round */
    /* any thread */
    atomic_bool stopping;
    atomic_uint wakers;   /* are about to write wakeup_fd: loop_free waits */
    pthread_mutex_t lock; /* of the mailbox */
    struct mail *mail;
    struct mail **mail_end;
};

/* By the calling thread. */
static _Thread_local const struct loop *running;

/*
 * Takes all mail at once: what a delivery posts waits for the next round, so
 * that two parties who answer each other cannot hold the loop.
 */
void
loop_deliver(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct mail *mail = loop->mail;
    loop->mail = NULL;
    loop->mail_end = &loop->mail;
    pthread_mutex_unlock(&loop->lock);

    while (mail != NULL) {
        struct mail *next = mail->next;
        mail->deliver(mail);
        mail = next;
    }
}

static void
on_wakeup(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    /* Emptied before the list is taken: a post in between wakes us for nothing,
     * the other order would lose it. */
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    loop_deliver(arg);
}

/* Without the lock, which the loop would run into as soon as it is awake. */
static void
wake(struct loop *loop)
{
    const uint64_t one = 1;

    while (write(loop->wakeup_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static struct event_base *
make_base(void)
{
    struct event_base *base = NULL;
    struct event_config *settings = event_config_new();

    if (settings == NULL)
        return NULL;
    if (event_config_set_flag(settings, EVENT_BASE_FLAG_NOLOCK) == 0 &&
        event_config_require_features(settings, EV_FEATURE_ET) == 0)
        base = event_base_new_with_config(settings);
    event_config_free(settings);
    return base;
}

/* What libevent has to say goes where all else goes. */
static void
on_library_message(int severity, const char *message)
{
    if (severity >= EVENT_LOG_WARN)
        log_event(EVENT_WARN, LOG_TEXT("reason", message));
    else
        log_event(EVENT_DETAIL, LOG_TEXT("reason", message));
}

bool
loop_new(const char *name, struct loop **loop_out, struct error *err)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL) {
        error_set_errno(err, ENOMEM, "cannot make an event loop");
        return false;
    }
    event_set_log_callback(on_library_message);
    snprintf(loop->name, sizeof loop->name, "%s", name);
    atomic_init(&loop->stopping, false);
    atomic_init(&loop->wakers, 0);
    pthread_mutex_init(&loop->lock, NULL);
    loop->mail_end = &loop->mail;
    loop->ready.end = &loop->ready.first;
    loop->slow.end = &loop->slow.first;
    loop->wakeup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wakeup_fd < 0) {
        error_set_errno(err, errno, "cannot make an event loop");
        loop_free(loop);
        return false;
    }
    loop->base = make_base();
    if (loop->base != NULL)
        loop->wakeup = event_new(loop->base, loop->wakeup_fd,
                                 EV_READ | EV_PERSIST, on_wakeup, loop);
    if (loop->wakeup == NULL || event_add(loop->wakeup, NULL) != 0) {
        error_set(err, "cannot make an event loop: the event library refused");
        loop_free(loop);
        return false;
    }
    *loop_out = loop;
    return true;
}

void
loop_join(struct loop *loop)
{
    if (!loop->threaded)
        return;
    loop_stop(loop);
    pthread_join(loop->thread, NULL);
    loop->threaded = false;
}

void
loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    loop_join(loop);
    /* Whose mail is delivered may still be on his way out of loop_post. */
    while (atomic_load(&loop->wakers) > 0)
        sched_yield();
    if (loop->wakeup != NULL)
        event_free(loop->wakeup);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wakeup_fd >= 0)
        close(loop->wakeup_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

/* From whichever list it is on. */
static void
unlink_watch(struct watch *watch)
{
    struct loop *loop = watch->loop;

    watch->queued = false;
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    else if (loop->ready.end == &watch->next)
        loop->ready.end = watch->link;
    else if (loop->slow.end == &watch->next)
        loop->slow.end = watch->link;
}

/*
 * One turn for each watch that is ready now; those that queue themselves again
 * wait for the next round.  A turn may clear any watch: that unlinks it from
 * whichever list it is on.
 */
static void
run_ready(struct loop *loop)
{
    loop->turn = loop->ready.first;
    if (loop->turn == NULL)
        return;
    loop->turn->link = &loop->turn;
    loop->ready.first = NULL;
    loop->ready.end = &loop->ready.first;
    while (loop->turn != NULL) {
        struct watch *watch = loop->turn;
        unlink_watch(watch);
        watch->on_ready(watch->arg);
    }
}

/* others_us: what the others' turns took. */
static void
run_slow(struct loop *loop, uint64_t others_us)
{
    uint64_t began = loop_now_us();

    do {
        struct watch *watch = loop->slow.first;
        if (watch == NULL)
            return;
        unlink_watch(watch);
        watch->on_ready(watch->arg);
    } while (loop_now_us() - began + QUICK_US < others_us);
}

static void
run_turns(struct loop *loop)
{
    uint64_t began;

    if (loop->slow.first == NULL) {
        run_ready(loop);
        return;
    }
    began = loop_now_us();
    run_ready(loop);
    run_slow(loop, loop_now_us() - began);
}

static bool
has_mail(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool has = loop->mail != NULL;
    pthread_mutex_unlock(&loop->lock);
    return has;
}

void
loop_run(struct loop *loop)
{
    running = loop;
    while (!atomic_load(&loop->stopping)) {
        bool mail = has_mail(loop);
        bool idle = !mail && loop->ready.first == NULL &&
                    loop->slow.first == NULL;
        int sleep = idle ? 0 : EVLOOP_NONBLOCK;
        if (event_base_loop(loop->base, EVLOOP_ONCE | sleep) < 0)
            break;
        if (mail)
            loop_deliver(loop);
        run_turns(loop);
    }
    running = NULL;
    loop_deliver(loop);
}

static void *
run_thread(void *arg)
{
    loop_run(arg);
    return NULL;
}

bool
loop_start(struct loop *loop, struct error *err)
{
    loop->threaded = thread_start(loop->name, run_thread, loop, &loop->thread,
                                  err);
    return loop->threaded;
}

void
loop_stop(struct loop *loop)
{
    atomic_fetch_add(&loop->wakers, 1);
    atomic_store(&loop->stopping, true);
    wake(loop);
    atomic_fetch_sub(&loop->wakers, 1);
}

void
loop_post(struct loop *loop, struct mail *mail)
{
    mail->next = NULL;
    atomic_fetch_add(&loop->wakers, 1);
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->mail == NULL;
    *loop->mail_end = mail;
    loop->mail_end = &mail->next;
    pthread_mutex_unlock(&loop->lock);
    if (was_empty && loop != running)
        wake(loop);
    atomic_fetch_sub(&loop->wakers, 1);
}

uint64_t
loop_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
loop_now_ms(void)
{
    return loop_now_us() / 1000;
}

struct event_base *
loop_base(struct loop *loop)
{
    return loop->base;
}

const char *
loop_name(const struct loop *loop)
{
    return loop->name;
}

static void
on_edge(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;

    (void)fd;
    if ((what & EV_READ) != 0)
        watch->readable = true;
    if ((what & EV_WRITE) != 0)
        watch->writable = true;
    watch_again(watch);
}

bool
watch_init(struct watch *watch, struct loop *loop, int fd,
           void (*on_ready)(void *arg), void *arg)
{
    *watch = (struct watch){.arg = arg, .on_ready = on_ready, .fd = fd};
    if (event_assign(&watch->event, loop->base, fd,
                     EV_READ | EV_WRITE | EV_ET | EV_PERSIST, on_edge,
                     watch) != 0 ||
        event_add(&watch->event, NULL) != 0)
        return false;
    watch->loop = loop;
    return true;
}

void
watch_clear(struct watch *watch)
{
    struct loop *loop = watch->loop;

    if (loop == NULL)
        return;
    event_del(&watch->event);
    if (watch->queued)
        unlink_watch(watch);
    watch->loop = NULL;
}

void
watch_again(struct watch *watch)
{
    struct loop *loop = watch->loop;
    struct queue *queue;

    if (loop == NULL || watch->queued)
        return;
    queue = watch->slow ? &loop->slow : &loop->ready;
    watch->queued = true;
    watch->next = NULL;
    watch->link = queue->end;
    *queue->end = watch;
    queue->end = &watch->next;
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct timer *timer = arg;

    (void)fd;
    (void)what;
    timer->on_fire(timer->arg);
}

void
timer_init(struct timer *timer, struct loop *loop, void (*on_fire)(void *arg),
           void *arg)
{
    *timer = (struct timer){.on_fire = on_fire, .arg = arg};
    evtimer_assign(&timer->event, loop->base, on_timeout, timer);
}

void
timer_start(struct timer *timer, uint64_t ms)
{
    struct timeval delay = {
        .tv_sec = (time_t)(ms / 1000),
        .tv_usec = (suseconds_t)(ms % 1000 * 1000),
    };

    if (ms == DURATION_OFF)
        timer_stop(timer);
    else if (evtimer_add(&timer->event, &delay) != 0)
        /* No memory.  Timers are limits: better early than never. */
        event_active(&timer->event, EV_TIMEOUT, 1);
}

void
timer_stop(struct timer *timer)
{
    if (timer->on_fire != NULL)
        evtimer_del(&timer->event);
}
