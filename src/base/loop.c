/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libevent without its locks: one thread touches a base and its events.  What
 * comes from other threads goes through the mailbox, a list under a mutex and
 * an eventfd that is written only when the list was empty.  What the loop's own
 * thread posts needs no waking: before it sleeps, the loop looks at the list.
 *
 * A round is: look at the descriptors (sleeping only when nobody has a turn
 * coming), deliver mail, fire timers, then give the watches their turns.
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
#include <event2/event.h>

#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/turns.h"

enum {
    LOOP_NAME_SIZE = 32
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
    struct turns turns; /* of the watches */
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
    turns_init(&loop->turns);
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
        bool idle = !mail && !turns_are_coming(&loop->turns);
        int sleep = idle ? 0 : EVLOOP_NONBLOCK;
        if (event_base_loop(loop->base, EVLOOP_ONCE | sleep) < 0)
            break;
        if (mail)
            loop_deliver(loop);
        turns_run(&loop->turns, loop_now_us);
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

struct turns *
loop_turns(struct loop *loop)
{
    return &loop->turns;
}

const char *
loop_name(const struct loop *loop)
{
    return loop->name;
}
