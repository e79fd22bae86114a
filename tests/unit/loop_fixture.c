/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders go to the loop by mail. */
#include "loop_fixture.h"

#include <check.h>

#include "base/container.h"
#include "fake_gss.h"
#include "latch.h"

enum {
    POOL_THREADS = 4
};

struct loop *test_loop;
struct pool *test_pool;
struct batch_budget *test_budget;
struct batch_store *test_store;

void
loop_limit_memory(size_t limit)
{
    batch_store_free(test_store);
    batch_budget_free(test_budget);
    test_budget = batch_budget_new(limit);
    ck_assert_ptr_nonnull(test_budget);
    test_store = batch_store_new(test_budget);
    ck_assert_ptr_nonnull(test_store);
}

void
loop_set_up(void)
{
    loop_limit_memory(4 * 1024 * 1024);
    ck_assert(loop_new("test", &test_loop, NULL));
    ck_assert(pool_new(POOL_THREADS, &test_pool, NULL));
    ck_assert(loop_start(test_loop, NULL));
}

void
loop_tear_down(void)
{
    fake_await_gone();
    ck_assert_uint_eq(batch_budget_used(test_budget), 0);
    loop_join(test_loop);
    pool_free(test_pool);
    loop_free(test_loop);
    batch_store_free(test_store);
    batch_budget_free(test_budget);
    test_store = NULL;
    test_budget = NULL;
}

struct order {
    struct mail mail;
    void (*function)(void *arg);
    void *arg;
    struct latch done;
};

static void
deliver(struct mail *mail)
{
    struct order *order = container_of(mail, struct order, mail);

    order->function(order->arg);
    latch_tell(&order->done);
}

void
loop_do(void (*function)(void *arg), void *arg)
{
    struct order order = {
        .mail.deliver = deliver,
        .function = function,
        .arg = arg,
        .done = LATCH_INITIALIZER,
    };

    loop_post(test_loop, &order.mail);
    latch_wait(&order.done, 1);
}

static void
do_nothing(void *arg)
{
    (void)arg;
}

void
loop_settle(void)
{
    /* Orders are delivered between a round's look at the sockets and its turns,
     * one or two in a round.  The first two may come in a round that had looked
     * before; the next two before the turns that follow, then two before those
     * of watches that asked for another, and the seventh after these. */
    for (int i = 0; i < 7; i++)
        loop_do(do_nothing, NULL);
}
