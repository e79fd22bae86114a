/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/batch.c: the limit holds, and the guaranteed is always there. */
#include "check_main.h"

#include <pthread.h>
#include <string.h>

#include "base/batch.h"

enum {
    KIB = 1024
};

static struct batch_budget *budget;
static struct batch_store *store;

static void
set_up(void)
{
    budget = batch_budget_new(256 * KIB);
    store = batch_store_new(budget);
    ck_assert_ptr_nonnull(budget);
    ck_assert_ptr_nonnull(store);
}

static void
tear_down(void)
{
    ck_assert_uint_eq(batch_budget_used(budget), 0);
    batch_store_free(store);
    batch_budget_free(budget);
}

static const struct {
    size_t want, size, counted;
} sizes[] = {
    {0, 0, 0},
    {1, 4 * KIB, 0},
    {4 * KIB, 4 * KIB, 0},
    {4 * KIB + 1, 16 * KIB, 16 * KIB},
    {16 * KIB, 16 * KIB, 16 * KIB},
    {16 * KIB + 1, 32 * KIB, 32 * KIB},
    {65604, 128 * KIB, 128 * KIB},
    {256 * KIB, 256 * KIB, 256 * KIB},
};

START_TEST(batch_is_as_large_as_wanted_and_counted)
{
    struct batch batch = {0};

    ck_assert(batch_grow(store, &batch, sizes[_i].want));

    ck_assert_uint_eq(batch.size, sizes[_i].size);
    ck_assert_uint_eq((uintptr_t)batch.bytes % 64, 0);
    ck_assert_uint_eq(batch_budget_used(budget), sizes[_i].counted);
    if (batch.size > 0)
        memset(batch.bytes, 0xff, batch.size);
    batch_release(store, &batch);
    ck_assert_ptr_null(batch.bytes);
    ck_assert_uint_eq(batch.size, 0);
}
END_TEST

START_TEST(growing_keeps_the_bytes_and_returns_the_old_buffer)
{
    struct batch batch = {0};
    ck_assert(batch_grow(store, &batch, 4 * KIB));
    memset(batch.bytes, 'a', batch.size);

    ck_assert(batch_grow(store, &batch, 16 * KIB));
    ck_assert(batch_grow(store, &batch, 64 * KIB));

    for (size_t i = 0; i < 4 * KIB; i++)
        ck_assert_uint_eq(batch.bytes[i], 'a');
    ck_assert_uint_eq(batch_budget_used(budget), 64 * KIB);
    batch_release(store, &batch);
}
END_TEST

START_TEST(shrinking_keeps_the_front_and_returns_the_rest)
{
    struct batch batch = {0};
    ck_assert(batch_grow(store, &batch, 128 * KIB));
    memset(batch.bytes, 'a', batch.size);

    batch_shrink(store, &batch, 16 * KIB);

    ck_assert_uint_eq(batch.size, 16 * KIB);
    for (size_t i = 0; i < 16 * KIB; i++)
        ck_assert_uint_eq(batch.bytes[i], 'a');
    ck_assert_uint_eq(batch_budget_used(budget), 16 * KIB);
    batch_release(store, &batch);
}
END_TEST

START_TEST(batch_stays_as_it_is_where_the_smaller_one_has_no_room)
{
    struct batch batch = {0};
    ck_assert(batch_grow(store, &batch, 256 * KIB));
    uint8_t *bytes = batch.bytes;

    batch_shrink(store, &batch, 16 * KIB);

    ck_assert_ptr_eq(batch.bytes, bytes);
    ck_assert_uint_eq(batch.size, 256 * KIB);
    batch_release(store, &batch);
}
END_TEST

START_TEST(batch_that_is_large_enough_stays)
{
    struct batch batch = {0};
    ck_assert(batch_grow(store, &batch, 64 * KIB));
    uint8_t *before = batch.bytes;

    ck_assert(batch_grow(store, &batch, 16 * KIB));

    ck_assert_ptr_eq(batch.bytes, before);
    ck_assert_uint_eq(batch.size, 64 * KIB);
    batch_release(store, &batch);
}
END_TEST

START_TEST(reached_limit_leaves_the_guaranteed)
{
    struct batch large = {0}, small = {0};
    ck_assert(batch_grow(store, &large, 256 * KIB));

    ck_assert(!batch_grow(store, &small, 16 * KIB));
    ck_assert_uint_eq(small.size, 0);
    ck_assert(batch_grow(store, &small, BATCH_GUARANTEED));
    ck_assert(!batch_grow(store, &small, 16 * KIB));
    ck_assert_uint_eq(small.size, BATCH_GUARANTEED);

    batch_release(store, &large);
    ck_assert(batch_grow(store, &small, 16 * KIB));
    batch_release(store, &small);
}
END_TEST

START_TEST(growing_needs_room_for_old_and_new)
{
    struct batch batch = {0};
    ck_assert(batch_grow(store, &batch, 16 * KIB));

    ck_assert(!batch_grow(store, &batch, 256 * KIB));

    ck_assert_uint_eq(batch.size, 16 * KIB);
    batch_release(store, &batch);
}
END_TEST

START_TEST(what_is_required_goes_beyond_the_limit_and_is_counted)
{
    struct batch large = {0}, small = {0};
    ck_assert(batch_grow(store, &large, 256 * KIB));

    ck_assert(batch_require(store, &small, 16 * KIB));

    ck_assert_uint_eq(batch_budget_used(budget), 272 * KIB);
    batch_release(store, &large);
    ck_assert_uint_eq(batch_budget_used(budget), 16 * KIB);
    batch_release(store, &small);
}
END_TEST

START_TEST(released_buffer_is_used_again)
{
    struct batch batch = {0};
    ck_assert(batch_grow(store, &batch, 16 * KIB));
    uint8_t *before = batch.bytes;

    batch_release(store, &batch);
    ck_assert(batch_grow(store, &batch, 16 * KIB));

    ck_assert_ptr_eq(batch.bytes, before);
    batch_release(store, &batch);
}
END_TEST

START_TEST(many_released_buffers_are_not_all_kept)
{
    struct batch batches[16] = {{0}};
    for (size_t i = 0; i < 16; i++)
        ck_assert(batch_grow(store, &batches[i], 16 * KIB));

    for (size_t i = 0; i < 16; i++)
        batch_release(store, &batches[i]);
    for (size_t i = 0; i < 16; i++)
        ck_assert(batch_grow(store, &batches[i], 16 * KIB));

    for (size_t i = 0; i < 16; i++)
        batch_release(store, &batches[i]);
}
END_TEST

static void *
grow_and_release(void *arg)
{
    struct batch_store *own = batch_store_new(arg);
    struct batch batch = {0};

    for (int i = 0; i < 20000; i++) {
        if (batch_grow(own, &batch, (size_t)16 * KIB << i % 5))
            batch.bytes[0] = 1;
        ck_assert_uint_le(batch_budget_used(arg), 256 * KIB);
        if (i % 3 == 0)
            batch_release(own, &batch);
    }
    batch_release(own, &batch);
    batch_store_free(own);
    return NULL;
}

START_TEST(threads_together_keep_the_limit)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, grow_and_release, budget);

    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("batch");
    TCase *tests = tcase_create("budget");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, batch_is_as_large_as_wanted_and_counted, 0,
                        sizeof sizes / sizeof sizes[0]);
    tcase_add_test(tests, growing_keeps_the_bytes_and_returns_the_old_buffer);
    tcase_add_test(tests, shrinking_keeps_the_front_and_returns_the_rest);
    tcase_add_test(tests,
                   batch_stays_as_it_is_where_the_smaller_one_has_no_room);
    tcase_add_test(tests, batch_that_is_large_enough_stays);
    tcase_add_test(tests, reached_limit_leaves_the_guaranteed);
    tcase_add_test(tests, growing_needs_room_for_old_and_new);
    tcase_add_test(tests,
                   what_is_required_goes_beyond_the_limit_and_is_counted);
    tcase_add_test(tests, released_buffer_is_used_again);
    tcase_add_test(tests, many_released_buffers_are_not_all_kept);
    tcase_add_test(tests, threads_together_keep_the_limit);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
