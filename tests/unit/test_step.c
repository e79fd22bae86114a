/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/step.c: steps in the pool, tickets apart from them, and death. */
#include "check_main.h"

#include <string.h>

#include "fake_gss.h"
#include "latch.h"
#include "loop_fixture.h"
#include "proxy/step.h"

static struct step *step;
static struct latch done;
static enum context_status status;
static struct error reason;
static char token[64];
static struct context *given_back;

static void
set_up(void)
{
    loop_set_up();
    done = (struct latch)LATCH_INITIALIZER;
}

static void
cancel(void *arg)
{
    (void)arg;
    step_cancel(step);
    step = NULL;
}

static void
tear_down(void)
{
    loop_do(cancel, NULL);
    context_free(given_back);
    loop_tear_down();
}

static void
on_done(struct step_result *result, void *arg)
{
    ck_assert_ptr_eq(arg, &done);
    ck_assert(!latch_was_told(&done));
    step = NULL;
    status = result->status;
    reason = result->output->error;
    ck_assert_uint_lt(result->output->token_size, sizeof token);
    if (result->output->token_size > 0)
        memcpy(token, result->output->token, result->output->token_size);
    given_back = result->context;
    latch_tell(&done);
}

struct order {
    struct context *context;
    const char *token;
};

static void
start(void *arg)
{
    const struct order *order = arg;
    struct bytes bytes = {0};

    if (order->token != NULL)
        ck_assert(bytes_append(&bytes, order->token, strlen(order->token)));
    step = step_start(test_loop, test_pool, order->context, &bytes, on_done,
                      &done);
    ck_assert_ptr_nonnull(step);
    ck_assert(!latch_was_told(&done));
    bytes_clear(&bytes);
}

static void
begin(enum role role, const struct fake_script *script, const char *in)
{
    struct order order = {fake_context_new(role, script), in};

    loop_do(start, &order);
}

static void
expect(enum context_status expected, const char *out, const char *text)
{
    latch_wait(&done, 1);
    ck_assert_int_eq((int)status, (int)expected);
    ck_assert_str_eq(token, out);
    ck_assert_str_eq(reason.text, text);
    ck_assert_ptr_nonnull(given_back);
}

START_TEST(first_step_of_an_initiator_makes_a_token)
{
    const struct fake_script script = {0};

    begin(ROLE_CLIENT, &script, NULL);
    expect(CONTEXT_CONTINUE, FAKE_AP_REQ, "");
}
END_TEST

START_TEST(token_is_copied_for_the_step)
{
    const struct fake_script script = {0};

    begin(ROLE_SERVER, &script, FAKE_AP_REQ);
    expect(CONTEXT_DONE, FAKE_AP_REP, "");
}
END_TEST

START_TEST(failure_brings_its_reason_and_its_token)
{
    const struct fake_script script = {.fails = true, .error_token = true};

    begin(ROLE_SERVER, &script, FAKE_AP_REQ);
    expect(CONTEXT_FAILED, FAKE_ERROR_TOKEN, "cannot establish: told to fail");
}
END_TEST

START_TEST(missing_ticket_is_fetched_and_the_step_taken_again)
{
    const struct fake_script script = {.need_ticket = 1};

    begin(ROLE_CLIENT, &script, NULL);
    expect(CONTEXT_CONTINUE, FAKE_AP_REQ, "");
}
END_TEST

START_TEST(fetch_that_fails_is_the_end)
{
    const struct fake_script script = {.need_ticket = 1, .fetch_fails = true};

    begin(ROLE_CLIENT, &script, NULL);
    expect(CONTEXT_FAILED, "", "cannot get a ticket: told to fail");
}
END_TEST

START_TEST(ticket_that_does_not_help_is_the_end)
{
    const struct fake_script script = {.need_ticket = 2};

    begin(ROLE_CLIENT, &script, NULL);
    expect(CONTEXT_FAILED, "",
           "cannot use the service ticket: the KDC issued one that has "
           "expired already; compare the clocks");
}
END_TEST

static void
ask_fetching(void *arg)
{
    *(bool *)arg = step_is_fetching(step);
}

START_TEST(fetch_runs_in_the_lane_of_its_kdc)
{
    const struct fake_script script = {.need_ticket = 1, .slow_fetch = true};
    struct lane_status lane;
    bool fetching;

    begin(ROLE_CLIENT, &script, NULL);
    fake_await_slow();
    loop_do(ask_fetching, &fetching);
    ck_assert(fetching);
    ck_assert_uint_eq(pool_lanes(test_pool, &lane, 1), 1);
    ck_assert_str_eq(lane.name, "kdc TEST");
    fake_proceed();
    expect(CONTEXT_CONTINUE, FAKE_AP_REQ, "");
}
END_TEST

START_TEST(step_is_not_fetching)
{
    const struct fake_script script = {.slow_step = true};
    bool fetching;

    begin(ROLE_CLIENT, &script, NULL);
    fake_await_slow();
    loop_do(ask_fetching, &fetching);
    ck_assert(!fetching);
    fake_proceed();
    latch_wait(&done, 1);
}
END_TEST

/* Cancelling: done never fires, and the fixture sees that nothing is left. */

START_TEST(step_may_be_cancelled_at_once)
{
    const struct fake_script script = {0};

    begin(ROLE_CLIENT, &script, NULL);
    loop_do(cancel, NULL);
}
END_TEST

START_TEST(step_may_be_cancelled_while_it_runs)
{
    const struct fake_script script = {.slow_step = true};

    begin(ROLE_SERVER, &script, FAKE_AP_REQ);
    fake_await_slow();
    loop_do(cancel, NULL);
    fake_proceed();
    fake_await_gone();
    ck_assert(!latch_was_told(&done));
}
END_TEST

START_TEST(step_may_be_cancelled_while_it_fetches)
{
    const struct fake_script script = {.need_ticket = 1, .slow_fetch = true};

    begin(ROLE_CLIENT, &script, NULL);
    fake_await_slow();
    loop_do(cancel, NULL);
    fake_proceed();
    fake_await_gone();
    ck_assert(!latch_was_told(&done));
}
END_TEST

static Suite *
step_suite(void)
{
    Suite *suite = suite_create("step");
    TCase *cases = tcase_create("step");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, first_step_of_an_initiator_makes_a_token);
    tcase_add_test(cases, token_is_copied_for_the_step);
    tcase_add_test(cases, failure_brings_its_reason_and_its_token);
    tcase_add_test(cases, missing_ticket_is_fetched_and_the_step_taken_again);
    tcase_add_test(cases, fetch_that_fails_is_the_end);
    tcase_add_test(cases, ticket_that_does_not_help_is_the_end);
    tcase_add_test(cases, fetch_runs_in_the_lane_of_its_kdc);
    tcase_add_test(cases, step_is_not_fetching);
    tcase_add_test(cases, step_may_be_cancelled_at_once);
    tcase_add_test(cases, step_may_be_cancelled_while_it_runs);
    tcase_add_test(cases, step_may_be_cancelled_while_it_fetches);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(step_suite)
