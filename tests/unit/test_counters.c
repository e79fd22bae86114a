/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/counters.c and src/proxy/rate.h */
#include "proxy/counters.h"

#include <stdio.h>

#include "check_main.h"
#include "proxy/rate.h"

static struct counters *counters;

static void
set_up(void)
{
    counters = counters_new();
    ck_assert_ptr_nonnull(counters);
}

static void
tear_down(void)
{
    counters_release(counters);
}

START_TEST(failures_of_one_kind_are_counted_together)
{
    char elsewhere[] = "timeout";

    counters_failure(counters, "timeout");
    counters_failure(counters, "closed");
    counters_failure(counters, elsewhere);
    counters_failure(counters, NULL);
    ck_assert_str_eq(counters->failures[0].label, "timeout");
    ck_assert_uint_eq(counters->failures[0].count, 2);
    ck_assert_uint_eq(counters->failures[1].count, 1);
    ck_assert_str_eq(counters->failures[2].label, "other");
    ck_assert_ptr_null(counters->failures[3].label);
}
END_TEST

START_TEST(kinds_that_have_no_room_are_counted_as_more)
{
    static char labels[FAILURE_KINDS + 5][8];

    for (int i = 0; i < FAILURE_KINDS + 5; i++) {
        snprintf(labels[i], sizeof labels[i], "kind%d", i);
        counters_failure(counters, labels[i]);
    }
    ck_assert_str_eq(counters->failures[FAILURE_KINDS - 1].label, "more");
    ck_assert_uint_eq(counters->failures[FAILURE_KINDS - 1].count, 6);
}
END_TEST

START_TEST(a_rate_is_of_the_time_between_two_looks)
{
    struct rate rate = {.ms = 1000};

    rate_look(&rate, 3000, 4000, 100);
    ck_assert_uint_eq(rate.received_rate, 2000);
    ck_assert_uint_eq(rate.sent_rate, 50);
    rate_look(&rate, 3999, 9000000, 9000000);
    ck_assert_uint_eq(rate.received_rate, 2000);
    rate_look(&rate, 5000, 4000, 100);
    ck_assert_uint_eq(rate.received_rate, 0);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("counters");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, failures_of_one_kind_are_counted_together);
    tcase_add_test(tests, kinds_that_have_no_room_are_counted_as_more);
    tcase_add_test(tests, a_rate_is_of_the_time_between_two_looks);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
