/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/lane.c: whose turn it is, and who must wait. */
#include "check_main.h"

#include <string.h>

#include "base/lane.h"

static struct lanes lanes;
static struct job jobs[64];

static void
set_up(void)
{
    lanes_init(&lanes, 16); /* share 2, 12 waiting */
}

static void
tear_down(void)
{
    struct job *job;

    while ((job = lanes_any(&lanes)) != NULL)
        lanes_remove(&lanes, job);
    ck_assert_ptr_eq(lanes.first->next->next, NULL);
}

static void
take_and_end_all(void)
{
    struct job *job;

    while ((job = lanes_take(&lanes)) != NULL)
        lanes_ended(&lanes, job->lane);
}

START_TEST(jobs_of_a_lane_run_in_order)
{
    for (int i = 0; i < 3; i++)
        ck_assert(lanes_push(&lanes, LANE_PROMPT, &jobs[i]));

    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_eq(lanes_take(&lanes), &jobs[i]);
        lanes_ended(&lanes, jobs[i].lane);
    }
    ck_assert_ptr_null(lanes_take(&lanes));
}
END_TEST

START_TEST(lane_with_its_share_running_waits)
{
    for (int i = 0; i < 3; i++)
        ck_assert(lanes_push(&lanes, "kdc A", &jobs[i]));
    ck_assert_ptr_eq(lanes_take(&lanes), &jobs[0]);
    ck_assert_ptr_eq(lanes_take(&lanes), &jobs[1]);

    ck_assert_ptr_null(lanes_take(&lanes));
    ck_assert(!lanes_push(&lanes, "kdc A", &jobs[3]));
    lanes_ended(&lanes, jobs[0].lane);

    ck_assert_ptr_eq(lanes_take(&lanes), &jobs[2]);
    lanes_ended(&lanes, jobs[1].lane);
    lanes_ended(&lanes, jobs[2].lane);
}
END_TEST

START_TEST(waiting_lanes_leave_a_quarter_to_prompt)
{
    char name[] = "kdc A";
    for (int i = 0; i < 14; i++) {
        lanes_push(&lanes, name, &jobs[i]);
        name[4] = (char)('A' + (i + 1) / 2);
    }
    struct job *running[12];
    for (int i = 0; i < 12; i++)
        running[i] = lanes_take(&lanes);

    ck_assert_ptr_nonnull(running[11]);
    ck_assert_ptr_null(lanes_take(&lanes));
    ck_assert(!lanes_push(&lanes, "kdc Z", &jobs[20]));
    ck_assert(lanes_push(&lanes, LANE_PROMPT, &jobs[21]));
    ck_assert_ptr_eq(lanes_take(&lanes), &jobs[21]);

    lanes_ended(&lanes, jobs[21].lane);
    for (int i = 0; i < 12; i++)
        lanes_ended(&lanes, running[i]->lane);
    take_and_end_all();
}
END_TEST

START_TEST(prompt_jobs_may_take_all_threads)
{
    for (int i = 0; i < 16; i++)
        ck_assert(lanes_push(&lanes, LANE_PROMPT, &jobs[i]));

    for (int i = 0; i < 16; i++)
        ck_assert_ptr_eq(lanes_take(&lanes), &jobs[i]);
}
END_TEST

START_TEST(more_are_there_while_one_may_run)
{
    ck_assert(!lanes_have_more(&lanes));
    for (int i = 0; i < 3; i++)
        lanes_push(&lanes, "kdc A", &jobs[i]);
    for (int i = 0; i < 2; i++) {
        ck_assert(lanes_have_more(&lanes));
        ck_assert_ptr_nonnull(lanes_take(&lanes));
    }
    ck_assert(!lanes_have_more(&lanes)); /* the lane has its share running */
    lanes_ended(&lanes, jobs[0].lane);
    ck_assert(lanes_have_more(&lanes));
    lanes_ended(&lanes, jobs[1].lane);
    take_and_end_all();
}
END_TEST

START_TEST(lanes_take_turns)
{
    for (int i = 0; i < 4; i++)
        lanes_push(&lanes, "kdc A", &jobs[i]);
    lanes_push(&lanes, "kdc B", &jobs[10]);
    lanes_push(&lanes, LANE_PROMPT, &jobs[20]);

    int order[3];
    for (int i = 0; i < 3; i++) {
        struct job *job = lanes_take(&lanes);
        order[i] = (int)(job - jobs);
        lanes_ended(&lanes, job->lane);
    }

    ck_assert_int_eq(order[0], 20);
    ck_assert_int_eq(order[1], 0);
    ck_assert_int_eq(order[2], 10);
}
END_TEST

START_TEST(queued_job_is_taken_back_from_any_place)
{
    for (int i = 0; i < 3; i++)
        lanes_push(&lanes, "kdc A", &jobs[i]);

    lanes_remove(&lanes, &jobs[1]);
    lanes_remove(&lanes, &jobs[2]);
    lanes_push(&lanes, "kdc A", &jobs[3]);

    ck_assert_ptr_eq(lanes_take(&lanes), &jobs[0]);
    ck_assert_ptr_eq(lanes_take(&lanes), &jobs[3]);
    lanes_ended(&lanes, jobs[0].lane);
    lanes_ended(&lanes, jobs[3].lane);
}
END_TEST

START_TEST(long_name_finds_its_lane_again)
{
    char name[2 * LANE_NAME_SIZE];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';

    lanes_push(&lanes, name, &jobs[0]);
    lanes_push(&lanes, name, &jobs[1]);

    ck_assert_ptr_eq(jobs[0].lane, jobs[1].lane);
}
END_TEST

START_TEST(lane_called_prompt_has_no_privilege)
{
    lanes_push(&lanes, "prompt", &jobs[0]);

    ck_assert_ptr_ne(jobs[0].lane, &lanes.prompt);
}
END_TEST

START_TEST(status_tells_lanes_with_work)
{
    struct lane_status status[4];
    for (int i = 0; i < 3; i++)
        lanes_push(&lanes, "kdc A", &jobs[i]);
    lanes_take(&lanes);

    ck_assert_uint_eq(lanes_status(&lanes, status, 4), 1);
    ck_assert_str_eq(status[0].name, "kdc A");
    ck_assert_uint_eq(status[0].running, 1);
    ck_assert_uint_eq(status[0].queued, 2);
    ck_assert_uint_eq(lanes_status(&lanes, status, 0), 0);
    lanes_ended(&lanes, jobs[0].lane);
}
END_TEST

START_TEST(smallest_pool_runs_a_waiting_and_a_prompt_job)
{
    struct lanes small;
    lanes_init(&small, 2);

    lanes_push(&small, "kdc A", &jobs[0]);
    lanes_push(&small, "kdc B", &jobs[1]);
    lanes_push(&small, LANE_PROMPT, &jobs[2]);

    ck_assert_ptr_eq(lanes_take(&small), &jobs[2]);
    ck_assert_ptr_eq(lanes_take(&small), &jobs[0]);
    ck_assert_ptr_null(lanes_take(&small));
    lanes_ended(&small, jobs[0].lane);
    lanes_remove(&small, &jobs[1]);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("lane");
    TCase *tests = tcase_create("turns");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, jobs_of_a_lane_run_in_order);
    tcase_add_test(tests, lane_with_its_share_running_waits);
    tcase_add_test(tests, waiting_lanes_leave_a_quarter_to_prompt);
    tcase_add_test(tests, prompt_jobs_may_take_all_threads);
    tcase_add_test(tests, more_are_there_while_one_may_run);
    tcase_add_test(tests, lanes_take_turns);
    tcase_add_test(tests, queued_job_is_taken_back_from_any_place);
    tcase_add_test(tests, long_name_finds_its_lane_again);
    tcase_add_test(tests, lane_called_prompt_has_no_privilege);
    tcase_add_test(tests, status_tells_lanes_with_work);
    tcase_add_test(tests, smallest_pool_runs_a_waiting_and_a_prompt_job);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
