/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads for what can block (GSS steps, KDC exchanges, name resolution, LDAP).
 * Jobs run in lanes: a lane never has more than its share of the threads (an
 * eighth, at least two), and all lanes that may wait for the network together
 * leave a quarter of the pool (at least one thread) to the lane of prompt jobs.
 * So a dead KDC fills its own lane only.
 *
 * A job that has begun cannot be stopped, but its owner can abandon it: then it
 * ends unheard and frees itself.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/histogram.h"
#include "base/loop.h"

struct pool;
struct lane;

/* The lane of jobs that use only the processor and local files. */
#define LANE_PROMPT NULL

enum {
    LANE_NAME_SIZE = 256
};

enum job_state {
    JOB_IDLE,
    JOB_QUEUED,  /* in its lane */
    JOB_RUNNING, /* in a pool thread */
    JOB_POSTED,  /* on its way back to the loop */
};

/* Embed it as the first member of what the job works on. */
struct job {
    void (*run)(struct job *job);     /* in a pool thread */
    void (*done)(struct job *job);    /* in the loop; exactly once, or ... */
    void (*discard)(struct job *job); /* ... this instead, in any thread, once
                                         the job was abandoned: frees it */
    /* the pool's */
    struct mail mail;
    struct job *next, **link; /* in the lane's queue */
    struct pool *pool;
    struct lane *lane;
    struct loop *loop;
    enum job_state state;
    bool abandoned;
};

/* threads: at least two are made. */
MUST_CHECK bool pool_new(unsigned threads, struct pool **pool_out,
                         struct error *err);

/*
 * For the end of the process.  Queued jobs are discarded; running ones are not
 * waited for: they count as abandoned, nothing is posted for them any more, and
 * the memory they use lasts as long as they do.  The loops may be freed after.
 * No job may be submitted or abandoned any more.  NULL is fine.
 *
 * False: a job is still at work.  Then the process must end by _Exit, for the
 * exit handlers of libraries would take from it what it uses.
 */
bool pool_free(struct pool *pool);

/*
 * Queues job in the lane called name (LANE_PROMPT or a text such as
 * "kdc CORP.EXAMPLE.TEST", made on demand), done to be delivered to loop.
 * The job's run, done and discard are set; the rest is the pool's until done.
 */
void pool_submit(struct pool *pool, const char *name, struct loop *loop,
                 struct job *job);

/*
 * From the loop's thread, between pool_submit and done: done never comes,
 * discard comes exactly once (at once when the job had not begun).
 */
void pool_abandon(struct job *job);

/* The number of the calling pool thread, 0 .. threads - 1, for what is kept
 * per thread; -1 in any other thread. */
int pool_worker(void);

unsigned pool_threads(const struct pool *pool);

struct lane_status {
    char name[LANE_NAME_SIZE]; /* "prompt" for LANE_PROMPT */
    unsigned running;
    unsigned queued;
};

/* How long the jobs of a lane were at work; kept when the lane is gone. */
struct lane_times {
    char name[LANE_NAME_SIZE];
    struct histogram work;
    const struct lane_times *next;
};

/* A list of all lanes there have been, or as many as are kept; lives as long as
 * the pool.  Any thread. */
const struct lane_times *pool_times(const struct pool *pool);

/* Copies up to max lanes that have work; returns how many.  Any thread. */
size_t pool_lanes(struct pool *pool, struct lane_status *lanes, size_t max);

#endif
