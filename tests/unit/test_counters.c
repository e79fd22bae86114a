/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/counters.c and src/proxy/rate.h */
#include "proxy/counters.h"

#include <stdio.h>
#include <string.h>

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

/* -1: there is no such kind. */
static int
count_of(const char *label)
{
    for (size_t i = 0; i < FAILURE_KINDS; i++) {
        const char *found = counters->failures[i].label;
        if (found != NULL && strcmp(found, label) == 0)
            return (int)counters->failures[i].count;
    }
    return -1;
}

START_TEST(failures_of_one_kind_are_counted_together)
{
    char elsewhere[] = "timeout";

    counters_failure(counters, "timeout");
    counters_failure(counters, "strange");
    counters_failure(counters, elsewhere);
    counters_failure(counters, NULL);
    ck_assert_int_eq(count_of("timeout"), 2);
    ck_assert_int_eq(count_of("strange"), 1);
    ck_assert_int_eq(count_of("other"), 1);
}
END_TEST

START_TEST(kinds_that_are_watched_for_are_there_from_the_start)
{
    ck_assert_int_eq(count_of("KRB5KRB_AP_ERR_SKEW"), 0);
    ck_assert_int_eq(count_of("other"), -1);
}
END_TEST

START_TEST(kinds_that_have_no_room_are_counted_as_more)
{
    static char labels[FAILURE_KINDS][8];
    int kept = 0;

    for (int i = 0; i < FAILURE_KINDS; i++) {
        snprintf(labels[i], sizeof labels[i], "kind%d", i);
        counters_failure(counters, labels[i]);
        kept += count_of(labels[i]) == 1;
    }
    ck_assert_int_gt(kept, 10);
    ck_assert_int_eq(count_of("more"), FAILURE_KINDS - kept);
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
    tcase_add_test(tests, kinds_that_are_watched_for_are_there_from_the_start);
    tcase_add_test(tests, kinds_that_have_no_room_are_counted_as_more);
    tcase_add_test(tests, a_rate_is_of_the_time_between_two_looks);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
