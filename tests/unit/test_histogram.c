/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/histogram.c */
#include "base/histogram.h"

#include "check_main.h"

START_TEST(bounds_ascend)
{
    for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
        ck_assert_uint_lt(histogram_bound_us((enum histogram_scale)_i, i - 1),
                          histogram_bound_us((enum histogram_scale)_i, i));
}
END_TEST

START_TEST(a_value_on_a_bound_is_within_it)
{
    struct histogram histogram = {.scale = HISTOGRAM_MOMENTS};

    histogram_observe(&histogram, 2000);
    histogram_observe(&histogram, 2001);
    ck_assert_uint_eq(histogram.buckets[1], 1);
    ck_assert_uint_eq(histogram.buckets[2], 1);
    ck_assert_uint_eq(histogram.sum_us, 4001);
}
END_TEST

START_TEST(what_is_above_all_bounds_is_counted_too)
{
    struct histogram histogram = {.scale = HISTOGRAM_LIFETIMES};

    histogram_observe(&histogram, UINT64_C(604800000001));
    ck_assert_uint_eq(histogram.buckets[HISTOGRAM_BOUNDS], 1);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, bounds_ascend, HISTOGRAM_MOMENTS,
                        HISTOGRAM_LIFETIMES + 1);
    tcase_add_test(tests, a_value_on_a_bound_is_within_it);
    tcase_add_test(tests, what_is_above_all_bounds_is_counted_too);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
