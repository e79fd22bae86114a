/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lock guards lanes, jobs and workers; jobs run outside it.
 *
 * One worker at a time is on its way from sleep: it takes a job, and wakes another
 * if more may run.  So few are woken for jobs that those awake have done before
 * they come, and yet no job that may run is ever left lying while a worker sleeps:
 * somebody is on his way, or looks for another job before he idles.  An ended job
 * makes room for one other at most, which the worker that ran it takes.
 */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/lane.h"
#include "base/thread.h"

enum {
    THREADS_MIN = 2,
    TIMES_MAX = 64 /* lanes; realms and directories are few */
};

struct worker {
    struct pool *pool; /* borrowed */
    struct job *job;   /* borrowed, while it runs */
    struct worker *next_idle;
    pthread_t thread;
    pthread_cond_t wake;
    bool woken;
    int number;
};

struct pool {
    pthread_mutex_t lock;
    struct lanes lanes;
    _Atomic(struct lane_times *) times; /* owned; only ever grows, in front */
    struct worker *workers;             /* owned */
    struct worker *idle; /* the last to fall asleep first: it is warm */
    unsigned threads;
    unsigned started; /* of them, all but while the pool is made */
    unsigned holders; /* running threads and the owner: the last one frees */
    unsigned posting; /* threads in loop_post */
    unsigned busy;    /* threads in a job's run or discard */
    unsigned coming;  /* threads that were woken and have not looked yet */
    pthread_cond_t posted; /* for pool_free: none is any more */
    bool closed;
};

static _Thread_local int this_worker = -1;

static void
deliver(struct mail *mail)
{
    struct job *job = container_of(mail, struct job, mail);

    /* No lock: a posted job is abandoned by this thread only. */
    job->state = JOB_IDLE;
    if (job->abandoned)
        job->discard(job);
    else
        job->done(job);
}

/* The lock is held on entry and on return, not in between: the loop that is
 * woken may want it at once. */
static void
post_job(struct pool *pool, struct job *job)
{
    job->state = JOB_POSTED;
    pool->posting++;
    pthread_mutex_unlock(&pool->lock);
    loop_post(job->loop, &job->mail);
    pthread_mutex_lock(&pool->lock);
    if (--pool->posting == 0 && pool->closed)
        pthread_cond_signal(&pool->posted);
}

/* NULL: there are too many, or no memory. */
static struct lane_times *
times_of(struct pool *pool, const struct lane *lane)
{
    const struct lane_times *known = pool_times(pool);
    size_t count = 0;

    for (; known != NULL; known = known->next, count++)
        if (strcmp(known->name, lane->name) == 0)
            return (struct lane_times *)known;
    struct lane_times *times = count < TIMES_MAX ? calloc(1, sizeof *times)
                                                 : NULL;
    if (times == NULL)
        return NULL;
    memcpy(times->name, lane->name, sizeof times->name);
    times->next = pool_times(pool);
    atomic_store(&pool->times, times);
    return times;
}

/* The lock is held. */
static void
note_time(struct pool *pool, struct lane *lane, uint64_t us)
{
    if (lane->times == NULL)
        lane->times = times_of(pool, lane);
    if (lane->times != NULL)
        histogram_observe(&lane->times->work, us);
}

static struct worker *
take_idle(struct pool *pool)
{
    struct worker *worker = pool->idle;

    if (worker == NULL)
        return NULL;
    pool->idle = worker->next_idle;
    pool->coming++;
    worker->woken = true;
    return worker;
}

/* Releases the lock and, if more: another job may run, wakes a worker for it;
 * before, it would wake only to wait for the lock. */
static void
unlock_and_wake(struct pool *pool, bool more)
{
    struct worker *worker = NULL;

    if (more && pool->coming == 0)
        worker = take_idle(pool);
    pthread_mutex_unlock(&pool->lock);
    if (worker != NULL)
        pthread_cond_signal(&worker->wake);
}

/* The lock is held on entry and on return, not while the job is at work. */
static void
run_job(struct worker *worker, struct job *job)
{
    struct pool *pool = worker->pool;

    worker->job = job;
    pool->busy++;
    unlock_and_wake(pool, lanes_have_more(&pool->lanes));
    uint64_t began = loop_now_us();
    job->run(job);
    uint64_t took = loop_now_us() - began;
    pthread_mutex_lock(&pool->lock);

    worker->job = NULL;
    note_time(pool, job->lane, took);
    lanes_ended(&pool->lanes, job->lane);
    if (job->abandoned) {
        pthread_mutex_unlock(&pool->lock);
        job->discard(job);
        pthread_mutex_lock(&pool->lock);
    } else {
        post_job(pool, job);
    }
    pool->busy--;
}

static void
fall_asleep(struct worker *worker)
{
    struct pool *pool = worker->pool;

    worker->woken = false;
    worker->next_idle = pool->idle;
    pool->idle = worker;
    while (!worker->woken)
        pthread_cond_wait(&worker->wake, &pool->lock);
    pool->coming--;
}

/* The lock is held; what it guards may be gone on return. */
static void
release(struct pool *pool)
{
    bool last = --pool->holders == 0;

    pthread_mutex_unlock(&pool->lock);
    if (!last)
        return;
    for (unsigned i = 0; i < pool->threads; i++)
        pthread_cond_destroy(&pool->workers[i].wake);
    pthread_cond_destroy(&pool->posted);
    pthread_mutex_destroy(&pool->lock);
    struct lane_times *times = atomic_load(&pool->times);
    while (times != NULL) {
        struct lane_times *next = (struct lane_times *)times->next;
        free(times);
        times = next;
    }
    free(pool->workers);
    free(pool);
}

static void *
work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;

    this_worker = worker->number;
    /* Else each job that a loop submits would interrupt it. */
    thread_take_time();
    pthread_mutex_lock(&pool->lock);
    while (!pool->closed) {
        struct job *job = lanes_take(&pool->lanes);
        if (job != NULL)
            run_job(worker, job);
        else
            fall_asleep(worker);
    }
    release(pool);
    return NULL;
}

static bool
start_worker(struct worker *worker, struct error *err)
{
    struct pool *pool = worker->pool;
    char name[32];

    snprintf(name, sizeof name, "pool %d", worker->number);
    pthread_mutex_lock(&pool->lock);
    bool started = thread_start(name, work, worker, &worker->thread, err);
    if (started) {
        pool->started++;
        pool->holders++;
    }
    pthread_mutex_unlock(&pool->lock);
    return started;
}

bool
pool_new(unsigned threads, struct pool **pool_out, struct error *err)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (threads < THREADS_MIN)
        threads = THREADS_MIN;
    if (pool != NULL)
        pool->workers = calloc(threads, sizeof *pool->workers);
    if (pool == NULL || pool->workers == NULL) {
        free(pool);
        error_set_errno(err, ENOMEM, "cannot make the thread pool");
        return false;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->posted, NULL);
    lanes_init(&pool->lanes, threads);
    pool->threads = threads;
    pool->holders = 1;
    for (unsigned i = 0; i < threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = (int)i;
        pthread_cond_init(&pool->workers[i].wake, NULL);
    }
    for (unsigned i = 0; i < threads; i++) {
        if (!start_worker(&pool->workers[i], err)) {
            pool_free(pool);
            return false;
        }
    }
    *pool_out = pool;
    return true;
}

/* Idle threads are on their way out, and what libraries keep for each of them
 * is gone when they are: a process that ends meanwhile would leave it behind. */
static void
end_threads(struct pool *pool, bool idle)
{
    for (unsigned i = 0; i < pool->started; i++) {
        if (idle)
            pthread_join(pool->workers[i].thread, NULL);
        else
            pthread_detach(pool->workers[i].thread);
    }
}

bool
pool_free(struct pool *pool)
{
    struct job *job;

    if (pool == NULL)
        return true;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    for (unsigned i = 0; i < pool->threads; i++) {
        if (pool->workers[i].job != NULL)
            pool->workers[i].job->abandoned = true;
    }
    while (pool->idle != NULL)
        pthread_cond_signal(&take_idle(pool)->wake);
    while ((job = lanes_any(&pool->lanes)) != NULL) {
        lanes_remove(&pool->lanes, job);
        pthread_mutex_unlock(&pool->lock);
        job->discard(job);
        pthread_mutex_lock(&pool->lock);
    }
    /* From here on nothing reaches a loop. */
    while (pool->posting > 0)
        pthread_cond_wait(&pool->posted, &pool->lock);
    bool idle = pool->busy == 0;
    pthread_mutex_unlock(&pool->lock);
    end_threads(pool, idle);
    pthread_mutex_lock(&pool->lock);
    release(pool);
    return idle;
}

void
pool_submit(struct pool *pool, const char *name, struct loop *loop,
            struct job *job)
{
    job->mail.deliver = deliver;
    job->pool = pool;
    job->loop = loop;
    job->abandoned = false;
    pthread_mutex_lock(&pool->lock);
    assert(!pool->closed);
    unlock_and_wake(pool, lanes_push(&pool->lanes, name, job));
}

void
pool_abandon(struct job *job)
{
    struct pool *pool = job->pool;

    pthread_mutex_lock(&pool->lock);
    assert(job->state != JOB_IDLE && !job->abandoned);
    job->abandoned = true;
    bool queued = job->state == JOB_QUEUED;
    if (queued)
        lanes_remove(&pool->lanes, job);
    pthread_mutex_unlock(&pool->lock);
    if (queued)
        job->discard(job);
}

int
pool_worker(void)
{
    return this_worker;
}

unsigned
pool_threads(const struct pool *pool)
{
    return pool->threads;
}

const struct lane_times *
pool_times(const struct pool *pool)
{
    return atomic_load(&pool->times);
}

size_t
pool_lanes(struct pool *pool, struct lane_status *lanes, size_t max)
{
    pthread_mutex_lock(&pool->lock);
    size_t count = lanes_status(&pool->lanes, lanes, max);
    pthread_mutex_unlock(&pool->lock);
    return count;
}
