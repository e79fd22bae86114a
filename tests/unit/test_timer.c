/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/timer.c */
#include "check_main.h"

#include "base/text.h"
#include "base/timer.h"
#include "own_loop.h"

static int fired;
static uint64_t fired_ms;

static void
count_fire(void *arg)
{
    (void)arg;
    fired++;
    fired_ms = loop_now_ms();
}

START_TEST(timer_fires_once_and_in_time)
{
    struct timer timer;
    timer_init(&timer, loop, count_fire, NULL);
    uint64_t before = loop_now_ms();

    timer_start(&timer, 30);
    own_loop_run_for(100);

    ck_assert_int_eq(fired, 1);
    ck_assert_uint_ge(fired_ms - before, 25);
}
END_TEST

START_TEST(stopped_moved_and_endless_timers_do_not_fire)
{
    struct timer stopped, moved, endless;
    timer_init(&stopped, loop, count_fire, NULL);
    timer_init(&moved, loop, count_fire, NULL);
    timer_init(&endless, loop, count_fire, NULL);

    timer_start(&stopped, 1);
    timer_stop(&stopped);
    timer_start(&moved, 1);
    timer_start(&moved, 100000);
    timer_start(&endless, 1);
    timer_start(&endless, DURATION_OFF);
    own_loop_run_for(30);

    ck_assert_int_eq(fired, 0);
    timer_stop(&moved);
}
END_TEST

START_TEST(stopping_what_was_never_started_is_fine)
{
    struct timer timer = {0};

    timer_stop(&timer);
}
END_TEST

static Suite *
timer_suite(void)
{
    Suite *suite = suite_create("timer");
    TCase *timers = tcase_create("timers");

    tcase_add_checked_fixture(timers, own_loop_set_up, own_loop_tear_down);
    tcase_add_test(timers, timer_fires_once_and_in_time);
    tcase_add_test(timers, stopped_moved_and_endless_timers_do_not_fire);
    tcase_add_test(timers, stopping_what_was_never_started_is_fine);
    suite_add_tcase(suite, timers);
    return suite;
}

CHECK_MAIN(timer_suite)
