/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/handshake.c as a client: I1 to I5 of docs/protocol.md. */
#include "check_main.h"

#include <fcntl.h>
#include <string.h>

#include "handshake_fixture.h"

#define BREACH "the peer broke the protocol: "

static void
answer(void)
{
    struct bytes flight = {0};

    peer_expect_token(FAKE_AP_REQ);
    peer_add_token(&flight, FAKE_AP_REP);
    peer_add_hello(&flight, &peer_hello);
    peer_send(&flight);
}

/* Up to where the client has said HELLO and awaits READY. */
static void
reach_ready(void)
{
    struct hello hello;

    handshake_plan.wait_ready = true;
    handshake_begin();
    answer();
    peer_expect_hello(&hello);
    handshake_await_stage("the server's READY");
}

/* What should be. */

START_TEST(server_proves_itself_by_its_hello)
{
    struct hello hello;

    handshake_begin();
    answer();
    peer_expect_hello(&hello);
    ck_assert_str_eq(hello.target, OUR_TARGET);
    ck_assert_uint_eq(hello.connection_id, 17);
    struct handshake_result *result = handshake_await();
    ck_assert_int_eq(result->outcome, HANDSHAKE_DONE);
    ck_assert_uint_eq(result->hello.connection_id, 42);
    ck_assert_ptr_nonnull(result->channel);
    ck_assert_ptr_nonnull(result->context);
}
END_TEST

START_TEST(ap_rep_and_hello_may_come_apart)
{
    struct bytes flight = {0};
    struct hello hello;

    handshake_begin();
    peer_expect_token(FAKE_AP_REQ);
    peer_add_token(&flight, FAKE_AP_REP);
    peer_send(&flight);
    handshake_await_stage("the server's HELLO");
    peer_add_hello(&flight, &peer_hello);
    peer_send(&flight);
    peer_expect_hello(&hello);
}
END_TEST

START_TEST(client_may_wait_for_ready)
{
    reach_ready();
    ck_assert(!handshake_is_done());
    peer_say(MESSAGE_READY, "");
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
}
END_TEST

START_TEST(ready_of_a_signed_tunnel_is_readable)
{
    service.protection = peer_hello.protection = PROTECTION_SIGN;
    peer.seals = false;
    reach_ready();
    peer_say(MESSAGE_READY, "");
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
}
END_TEST

START_TEST(what_follows_ready_stays_in_the_socket)
{
    struct bytes flight = {0};

    reach_ready();
    peer_add(&flight, MESSAGE_READY, "");
    ck_assert(bytes_append(&flight, "rest", 4));
    peer_send(&flight);
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
    sockets_expect(tunnel_fd, "rest");
}
END_TEST

/* Ends where a server would dial its application. */
START_TEST(trial_ends_with_the_server_s_hello)
{
    handshake_plan.trial = true;
    handshake_begin();
    answer();
    struct handshake_result *result = handshake_await();
    ck_assert_int_eq(result->outcome, HANDSHAKE_DONE);
    ck_assert_uint_eq(result->hello.connection_id, 42);
    peer_open_reset(&result->farewell, RESET_SHUTDOWN,
                    "only tried whether it would work");
}
END_TEST

/* Tickets. */

START_TEST(missing_ticket_is_fetched)
{
    script.need_ticket = 1;
    handshake_begin();
    peer_expect_token(FAKE_AP_REQ);
}
END_TEST

START_TEST(stage_tells_that_a_kdc_is_awaited)
{
    script.need_ticket = 1;
    script.slow_fetch = true;
    handshake_begin();
    fake_await_slow();
    ck_assert_str_eq(handshake_asked_stage(),
                     "the Kerberos service ticket from the KDC");
    fake_proceed();
    peer_expect_token(FAKE_AP_REQ);
}
END_TEST

START_TEST(ticket_that_cannot_be_had_is_a_failure)
{
    script.need_ticket = 1;
    script.fetch_fails = true;
    handshake_begin();
    handshake_expect(HANDSHAKE_FAILED, "cannot get a ticket: told to fail");
}
END_TEST

START_TEST(ticket_is_fetched_once_only)
{
    script.need_ticket = 2;
    handshake_begin();
    handshake_expect(HANDSHAKE_FAILED,
                     "cannot use the service ticket: the KDC issued one that "
                     "has expired already; compare the clocks");
}
END_TEST

/* Servers that fail. */

START_TEST(server_that_closes_is_no_probe)
{
    handshake_begin();
    peer_expect_token(FAKE_AP_REQ);
    peer_shut();
    handshake_expect(HANDSHAKE_FAILED, "the peer closed the connection while "
                                       "the server's AP-REP was due");
}
END_TEST

START_TEST(server_that_closes_after_its_hello_is_noticed)
{
    reach_ready();
    peer_shut();
    handshake_expect(HANDSHAKE_FAILED, "the peer closed the connection while "
                                       "the server's READY was due");
}
END_TEST

START_TEST(answer_that_is_no_ap_rep_is_a_failure)
{
    struct bytes flight = {0};

    handshake_begin();
    peer_expect_token(FAKE_AP_REQ);
    peer_add_token(&flight, FAKE_ERROR_TOKEN);
    peer_send(&flight);
    handshake_expect(HANDSHAKE_FAILED,
                     "cannot establish: not the token expected");
    ck_assert_uint_eq(handshake_await()->farewell.size, 0);
}
END_TEST

START_TEST(hello_that_does_not_agree_is_refused_before_ours)
{
    peer_hello.protection = PROTECTION_SIGN;
    handshake_begin();
    answer();
    handshake_expect_refusal(
        RESET_PROTECTION,
        "protection differs: the peer is set to sign, this side to seal; set "
        "`protection` alike at both ends");
    sockets_expect_nothing(peer.fd);
}
END_TEST

START_TEST(target_of_the_servers_hello_is_ignored)
{
    strcpy(peer_hello.target, "cifs/elsewhere");
    handshake_begin();
    answer();
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
}
END_TEST

/* In place of READY. */

static void
say_reset(enum reset_code code, bool retryable)
{
    struct bytes flight = {0};

    reach_ready();
    peer_add_reset(&flight, code, retryable, "sorry");
    peer_send(&flight);
}

START_TEST(refusal_that_others_would_repeat_is_final)
{
    say_reset(RESET_FORBIDDEN, false);
    handshake_expect(HANDSHAKE_REFUSED,
                     "the server refused (forbidden): sorry");
    ck_assert_ptr_nonnull(handshake_await()->context);
}
END_TEST

START_TEST(refusal_that_is_retryable_is_a_failure_of_this_server)
{
    say_reset(RESET_UNREACHABLE, true);
    handshake_expect(HANDSHAKE_FAILED,
                     "the server refused (unreachable): sorry");
}
END_TEST

START_TEST(flag_counts_and_not_the_code)
{
    say_reset(RESET_FORBIDDEN, true);
    handshake_expect(HANDSHAKE_FAILED, "the server refused (forbidden): sorry");
}
END_TEST

START_TEST(data_in_place_of_ready_is_a_breach)
{
    reach_ready();
    peer_say(MESSAGE_DATA, "early");
    handshake_expect_refusal(RESET_PROTOCOL, BREACH "data in place of READY");
}
END_TEST

START_TEST(ready_with_a_body_is_a_breach)
{
    reach_ready();
    peer_say(MESSAGE_READY, "body");
    handshake_expect_refusal(RESET_PROTOCOL, BREACH "ready in place of READY");
}
END_TEST

START_TEST(ready_of_the_wrong_kind_is_a_breach)
{
    reach_ready();
    peer.seals = false;
    peer_say(MESSAGE_READY, "");
    handshake_expect_refusal(RESET_PROTOCOL, BREACH "ready in place of READY");
}
END_TEST

/* Cancelling.  Each test leads to a state; the fixture cancels in it. */

START_TEST(handshake_dies_before_its_first_step)
{
    handshake_begin();
    handshake_quit();
}
END_TEST

START_TEST(handshake_dies_during_its_first_step)
{
    script.slow_step = true;
    handshake_begin();
    fake_await_slow();
    ck_assert_str_eq(handshake_asked_stage(), "the making of the AP-REQ");
    handshake_quit();
    fake_proceed();
}
END_TEST

START_TEST(handshake_dies_waiting_for_a_kdc)
{
    script.need_ticket = 1;
    script.slow_fetch = true;
    handshake_begin();
    fake_await_slow();
    handshake_quit();
    fake_proceed();
}
END_TEST

START_TEST(handshake_dies_sending_its_ap_req)
{
    sockets_fill(tunnel_fd);
    handshake_begin();
    handshake_await_stage("the sending of the AP-REQ");
}
END_TEST

START_TEST(handshake_dies_awaiting_ap_rep)
{
    handshake_begin();
    peer_expect_token(FAKE_AP_REQ);
    handshake_await_stage("the server's AP-REP");
}
END_TEST

START_TEST(handshake_dies_awaiting_ready)
{
    reach_ready();
}
END_TEST

/* Both ends are real. */

static struct handshake_settings other_plan;
static struct service_settings other_service;

static void
on_other_done(struct handshake_result *result, void *arg)
{
    (void)arg;
    ck_assert_int_eq(result->outcome, HANDSHAKE_DONE);
    ck_assert_str_eq(result->hello.target, OUR_TARGET);
}

static void
start_other(void *arg)
{
    ck_assert_ptr_nonnull(
        handshake_start(&other_plan, arg, on_other_done, NULL));
}

START_TEST(both_sides_come_to_an_agreement)
{
    const struct fake_script plain = {0};

    other_service = service;
    other_service.role = ROLE_SERVER;
    other_plan = handshake_plan;
    other_plan.service = &other_service;
    other_plan.fd = peer.fd;
    ck_assert_int_eq(fcntl(peer.fd, F_SETFL, O_NONBLOCK), 0);
    loop_do(start_other, fake_context_new(ROLE_SERVER, &plain));
    handshake_begin();
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
}
END_TEST

static Suite *
handshake_initiator_suite(void)
{
    Suite *suite = suite_create("handshake_initiator");
    TCase *good = tcase_create("agreement");
    TCase *bad = tcase_create("failures");
    TCase *death = tcase_create("death");

    tcase_set_timeout(good, 60);
    tcase_add_checked_fixture(good, client_set_up, handshake_tear_down);
    tcase_add_test(good, server_proves_itself_by_its_hello);
    tcase_add_test(good, ap_rep_and_hello_may_come_apart);
    tcase_add_test(good, client_may_wait_for_ready);
    tcase_add_test(good, ready_of_a_signed_tunnel_is_readable);
    tcase_add_test(good, what_follows_ready_stays_in_the_socket);
    tcase_add_test(good, trial_ends_with_the_server_s_hello);
    tcase_add_test(good, missing_ticket_is_fetched);
    tcase_add_test(good, stage_tells_that_a_kdc_is_awaited);
    tcase_add_test(good, target_of_the_servers_hello_is_ignored);
    tcase_add_test(good, both_sides_come_to_an_agreement);
    suite_add_tcase(suite, good);
    tcase_set_timeout(bad, 60);
    tcase_add_checked_fixture(bad, client_set_up, handshake_tear_down);
    tcase_add_test(bad, ticket_that_cannot_be_had_is_a_failure);
    tcase_add_test(bad, ticket_is_fetched_once_only);
    tcase_add_test(bad, server_that_closes_is_no_probe);
    tcase_add_test(bad, server_that_closes_after_its_hello_is_noticed);
    tcase_add_test(bad, answer_that_is_no_ap_rep_is_a_failure);
    tcase_add_test(bad, hello_that_does_not_agree_is_refused_before_ours);
    tcase_add_test(bad, refusal_that_others_would_repeat_is_final);
    tcase_add_test(bad, refusal_that_is_retryable_is_a_failure_of_this_server);
    tcase_add_test(bad, flag_counts_and_not_the_code);
    tcase_add_test(bad, data_in_place_of_ready_is_a_breach);
    tcase_add_test(bad, ready_with_a_body_is_a_breach);
    tcase_add_test(bad, ready_of_the_wrong_kind_is_a_breach);
    suite_add_tcase(suite, bad);
    tcase_set_timeout(death, 60);
    tcase_add_checked_fixture(death, client_set_up, handshake_tear_down);
    tcase_add_test(death, handshake_dies_before_its_first_step);
    tcase_add_test(death, handshake_dies_during_its_first_step);
    tcase_add_test(death, handshake_dies_waiting_for_a_kdc);
    tcase_add_test(death, handshake_dies_sending_its_ap_req);
    tcase_add_test(death, handshake_dies_awaiting_ap_rep);
    tcase_add_test(death, handshake_dies_awaiting_ready);
    suite_add_tcase(suite, death);
    return suite;
}

CHECK_MAIN(handshake_initiator_suite)
