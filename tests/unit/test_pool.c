/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/pool.c: jobs come back once, stuck ones hold up nobody else. */
#include "check_main.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"

enum {
    THREADS = 8
}; /* share 2, 6 waiting */

static struct loop *loop;
static struct pool *pool;
static atomic_int ran, discarded;
static int submitted, done;
static int wanted; /* the loop stops when so many are done */

static void
set_up(void)
{
    ck_assert(loop_new("test", &loop, NULL));
    ck_assert(pool_new(THREADS, &pool, NULL));
}

static void
await_discarded(int count)
{
    while (atomic_load(&discarded) < count)
        usleep(1000);
}

/* Whatever a test did: each job has come to exactly one end. */
static void
tear_down(void)
{
    pool_free(pool);
    if (loop != NULL)
        loop_deliver(loop);
    await_discarded(submitted - done);
    ck_assert_int_eq(atomic_load(&discarded), submitted - done);
    loop_free(loop);
}

/* A job that waits at a gate, when it has one, until the test opens it. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int waiting;
};

#define GATE_CLOSED                                                            \
    {                                                                          \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0          \
    }

struct task {
    struct job job;
    struct gate *gate;
    int worker;
};

static void
run_task(struct job *job)
{
    struct task *task = (struct task *)job;

    task->worker = pool_worker();
    if (task->gate != NULL) {
        pthread_mutex_lock(&task->gate->lock);
        task->gate->waiting++;
        pthread_cond_broadcast(&task->gate->changed);
        while (!task->gate->open)
            pthread_cond_wait(&task->gate->changed, &task->gate->lock);
        pthread_mutex_unlock(&task->gate->lock);
    }
    atomic_fetch_add(&ran, 1);
}

static void
await_waiting(struct gate *gate, int count)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->waiting < count)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void
open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void
task_done(struct job *job)
{
    struct task *task = (struct task *)job;

    ck_assert_int_eq(pool_worker(), -1);
    ck_assert(task->worker >= 0 && task->worker < THREADS);
    free(task);
    if (++done == wanted)
        loop_stop(loop);
}

static void
task_discard(struct job *job)
{
    free(job);
    atomic_fetch_add(&discarded, 1);
}

static struct task *
submit(const char *lane, struct gate *gate)
{
    struct task *task = calloc(1, sizeof *task);

    task->job.run = run_task;
    task->job.done = task_done;
    task->job.discard = task_discard;
    task->gate = gate;
    submitted++;
    pool_submit(pool, lane, loop, &task->job);
    return task;
}

static void
run_until_done(int count)
{
    wanted = count;
    loop_run(loop);
}

START_TEST(every_job_comes_back_to_its_loop)
{
    static const char *const names[] = {LANE_PROMPT, "kdc A", "kdc B"};
    for (int i = 0; i < 5000; i++)
        submit(names[i % 3], NULL);

    run_until_done(5000);

    ck_assert_int_eq(atomic_load(&ran), 5000);
    ck_assert_int_eq(atomic_load(&discarded), 0);
}
END_TEST

static void
submit_next(struct job *job)
{
    free(job);
    if (++done == wanted)
        loop_stop(loop);
    else
        submit(LANE_PROMPT, NULL)->job.done = submit_next;
}

START_TEST(idle_workers_are_woken_each_time)
{
    submit(LANE_PROMPT, NULL)->job.done = submit_next;

    run_until_done(2000);

    ck_assert_int_eq(done, 2000);
}
END_TEST

static bool took_time;

/* Unless a policy was chosen for all, or this is forbidden. */
static void
look_at_policy(struct job *job)
{
    const struct sched_param none = {.sched_priority = 0};

    took_time = sched_getscheduler(0) == SCHED_BATCH ||
                sched_getscheduler(getpid()) != SCHED_OTHER ||
                sched_setscheduler(0, SCHED_BATCH, &none) != 0;
    run_task(job);
}

START_TEST(workers_take_their_time)
{
    struct task *task = calloc(1, sizeof *task);

    task->job.run = look_at_policy;
    task->job.done = task_done;
    task->job.discard = task_discard;
    submitted++;
    pool_submit(pool, LANE_PROMPT, loop, &task->job);
    run_until_done(1);

    ck_assert(took_time);
}
END_TEST

/* All at once: each that is woken wakes another. */
START_TEST(burst_has_all_threads_at_work)
{
    static struct gate gate = GATE_CLOSED;
    for (int round = 1; round <= 20; round++) {
        gate.open = false;
        gate.waiting = 0;
        for (int i = 0; i < THREADS; i++)
            submit(LANE_PROMPT, &gate);
        await_waiting(&gate, THREADS);
        open_gate(&gate);
        while (atomic_load(&ran) < round * THREADS)
            usleep(100);
    }
}
END_TEST

START_TEST(stuck_lane_delays_neither_prompt_jobs_nor_another_lane)
{
    static struct gate never = GATE_CLOSED;
    for (int i = 0; i < 20; i++)
        submit("kdc DEAD", &never);
    await_waiting(&never, 2);

    for (int i = 0; i < 50; i++) {
        submit(LANE_PROMPT, NULL);
        submit("kdc ALIVE", NULL);
    }
    run_until_done(100);

    ck_assert_int_eq(atomic_load(&ran), 100);
    open_gate(&never);
}
END_TEST

START_TEST(all_lanes_stuck_leave_prompt_jobs_running)
{
    static struct gate never = GATE_CLOSED;
    char name[] = "kdc A";
    for (int i = 0; i < 24; i++, name[4]++)
        submit(name, &never);
    await_waiting(&never, 6);

    for (int i = 0; i < 50; i++)
        submit(LANE_PROMPT, NULL);
    run_until_done(50);

    ck_assert_int_eq(atomic_load(&ran), 50);
    open_gate(&never);
}
END_TEST

START_TEST(job_abandoned_before_it_began_is_discarded_at_once)
{
    struct gate gate = GATE_CLOSED;
    submit("kdc A", &gate);
    submit("kdc A", &gate);
    await_waiting(&gate, 2);
    struct task *queued = submit("kdc A", NULL);

    pool_abandon(&queued->job);

    ck_assert_int_eq(atomic_load(&discarded), 1);
    open_gate(&gate);
    run_until_done(2);
    ck_assert_int_eq(atomic_load(&ran), 2);
}
END_TEST

START_TEST(job_abandoned_while_running_is_discarded_at_its_end)
{
    struct gate gate = GATE_CLOSED;
    struct task *running = submit("kdc A", &gate);
    await_waiting(&gate, 1);

    pool_abandon(&running->job);
    ck_assert_int_eq(atomic_load(&discarded), 0);
    open_gate(&gate);
    await_discarded(1);

    loop_deliver(loop);
    ck_assert_int_eq(done, 0);
}
END_TEST

START_TEST(job_abandoned_before_its_delivery_is_discarded_there)
{
    struct lane_status status;
    struct task *posted = submit(LANE_PROMPT, NULL);
    while (atomic_load(&ran) < 1 || pool_lanes(pool, &status, 1) > 0)
        usleep(1000);

    pool_abandon(&posted->job);
    ck_assert_int_eq(atomic_load(&discarded), 0);
    loop_deliver(loop);

    ck_assert_int_eq(atomic_load(&discarded), 1);
    ck_assert_int_eq(done, 0);
}
END_TEST

/* Abandons at moments that nobody chose. */
START_TEST(each_of_many_jobs_ends_exactly_once)
{
    enum {
        JOBS = 2000
    };
    struct task *tasks[JOBS];
    for (int i = 0; i < JOBS; i++) {
        tasks[i] = submit(i % 4 == 0 ? "kdc A" : LANE_PROMPT, NULL);
        if (i >= 20 && i % 3 == 0) {
            pool_abandon(&tasks[i - 20]->job);
            tasks[i - 20] = NULL;
        }
    }
    const int abandoned = (JOBS - 20) / 3;

    run_until_done(JOBS - abandoned);
    await_discarded(abandoned);

    ck_assert_int_eq(done, JOBS - abandoned);
    ck_assert_int_eq(atomic_load(&discarded), abandoned);
}
END_TEST

START_TEST(freed_pool_discards_and_waits_for_nobody)
{
    struct gate gate = GATE_CLOSED;
    struct loop *other_loop = loop;
    for (int i = 0; i < 5; i++)
        submit("kdc A", &gate);
    await_waiting(&gate, 2);

    bool idle = pool_free(pool);
    loop_free(other_loop);
    pool = NULL;
    loop = NULL;

    ck_assert(!idle);
    ck_assert_int_eq(atomic_load(&discarded), 3);
    open_gate(&gate);
    await_discarded(5);
    ck_assert_int_eq(done, 0);
}
END_TEST

START_TEST(lanes_with_work_are_told)
{
    struct gate gate = GATE_CLOSED;
    struct lane_status status[4];
    for (int i = 0; i < 5; i++)
        submit("kdc A", &gate);
    submit(LANE_PROMPT, &gate);
    await_waiting(&gate, 3);

    size_t count = pool_lanes(pool, status, 4);

    ck_assert_uint_eq(count, 2);
    size_t a = strcmp(status[0].name, "kdc A") == 0 ? 0 : 1;
    ck_assert_str_eq(status[1 - a].name, "prompt");
    ck_assert_uint_eq(status[a].running, 2);
    ck_assert_uint_eq(status[a].queued, 3);
    open_gate(&gate);
    run_until_done(6);
}
END_TEST

START_TEST(pool_has_two_threads_at_least)
{
    struct pool *small;

    ck_assert(pool_new(0, &small, NULL));

    ck_assert_uint_eq(pool_threads(small), 2);
    ck_assert_uint_eq(pool_threads(pool), THREADS);
    ck_assert(pool_free(small));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("jobs");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_job_comes_back_to_its_loop);
    tcase_add_test(tests, idle_workers_are_woken_each_time);
    tcase_add_test(tests, workers_take_their_time);
    tcase_add_test(tests, burst_has_all_threads_at_work);
    tcase_add_test(tests,
                   stuck_lane_delays_neither_prompt_jobs_nor_another_lane);
    tcase_add_test(tests, all_lanes_stuck_leave_prompt_jobs_running);
    tcase_add_test(tests, job_abandoned_before_it_began_is_discarded_at_once);
    tcase_add_test(tests, job_abandoned_while_running_is_discarded_at_its_end);
    tcase_add_test(tests, job_abandoned_before_its_delivery_is_discarded_there);
    tcase_add_test(tests, each_of_many_jobs_ends_exactly_once);
    tcase_add_test(tests, freed_pool_discards_and_waits_for_nobody);
    tcase_add_test(tests, lanes_with_work_are_told);
    tcase_add_test(tests, pool_has_two_threads_at_least);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
