/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loop that runs in a thread of its own, as in the daemon, and the pool and
 * batches beside it.  What is tested lives in that thread; the test stands at
 * the far ends of its sockets.
 */
#ifndef TESTS_LOOP_FIXTURE_H
#define TESTS_LOOP_FIXTURE_H

#include <stddef.h>

#include "base/batch.h"
#include "base/loop.h"
#include "base/pool.h"

extern struct loop *test_loop;
extern struct pool *test_pool;
extern struct batch_budget *test_budget;
extern struct batch_store *test_store;

/* A checked fixture.  The end asserts that every fake was freed and that no
 * batch is held any more. */
void loop_set_up(void);
void loop_tear_down(void);

/* Another limit of memory, before anything was started. */
void loop_limit_memory(size_t limit);

/* Runs function(arg) in the loop's thread and waits for it. */
void loop_do(void (*function)(void *arg), void *arg);

/* Until the loop has seen all that its sockets held at this moment. */
void loop_settle(void);

#endif
