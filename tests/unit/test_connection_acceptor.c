/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/connection.c and acceptor.c: a server's connection. */
#include "check_main.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "connection_fixture.h"
#include "gss/membership.h"

#define ALLOWED "allow = alice@TEST\n"

/* Asked in the place of src/gss. */

static atomic_bool answers; /* does the name service? */
static atomic_bool slow;    /* is it? */
static struct latch asked, proceed;

void
membership_find(const char *principal, struct membership *out)
{
    (void)principal;
    *out = (struct membership){.failed = !answers};
    snprintf(out->why.text, sizeof out->why.text, "%s",
             answers ? "" : "cannot look up");
    latch_tell(&asked);
    if (slow)
        latch_wait(&proceed, 1);
}

enum access_member
membership_of(const char *group, void *arg)
{
    const struct membership *membership = arg;

    (void)group;
    return membership->failed ? ACCESS_MEMBER_UNTOLD : ACCESS_NO_MEMBER;
}

void
membership_clear(struct membership *membership)
{
    (void)membership;
}

static void
begin(const char *keys)
{
    connection_begin(ROLE_SERVER, 1, keys);
}

/* Up to where both sides relay. */
static void
relay(const char *keys)
{
    begin(keys);
    peer_open_as_client();
    peer_say_hello();
    connection_accept_application(0);
    peer_expect(MESSAGE_READY, "");
}

static void
shut_application(void)
{
    ck_assert_int_eq(shutdown(application, SHUT_WR), 0);
}

/* The opening. */

START_TEST(bytes_go_both_ways)
{
    relay(ALLOWED);
    peer_say(MESSAGE_DATA, "question");
    sockets_expect(application, "question");
    sockets_write(application, "answer", 6);
    peer_expect(MESSAGE_DATA, "answer");
    ck_assert_uint_eq(connection_counters()->opened, 1);
}
END_TEST

START_TEST(application_is_not_dialled_before_hello)
{
    begin(ALLOWED);
    peer_open_as_client();
    loop_settle();
    ck_assert(!latch_was_told(&proved));
    ck_assert_int_eq(fcntl(listeners[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(accept(listeners[0], NULL, NULL), -1);
}
END_TEST

START_TEST(main_thread_is_told_of_proof_and_end)
{
    relay(ALLOWED);
    latch_wait(&proved, 1);
    ck_assert(!latch_was_told(&closed));
    peer_close();
    latch_wait(&closed, 1);
}
END_TEST

START_TEST(principal_without_a_rule_is_refused)
{
    begin("allow = bob@TEST\n");
    peer_open_as_client();
    peer_say_hello();
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: no rule of `allow` names this principal");
    sockets_expect_end(peer.fd);
    ck_assert_uint_eq(connection_counters()->refused, 1);
    ck_assert_int_eq(fcntl(listeners[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(accept(listeners[0], NULL, NULL), -1);
}
END_TEST

START_TEST(principal_that_is_denied_is_told_the_rule)
{
    begin("allow = *@TEST\ndeny = ALICE@TEST\n");
    peer_open_as_client();
    peer_say_hello();
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: denied by rule ALICE@TEST");
}
END_TEST

START_TEST(application_that_is_down_is_told_to_the_client)
{
    char text[128];

    connection_refuse_callers(0);
    begin(ALLOWED);
    peer_open_as_client();
    peer_say_hello();
    snprintf(text, sizeof text,
             "the application cannot be reached: cannot connect to "
             "127.0.0.1:%u: Connection refused",
             listener_ports[0]);
    peer_expect_reset(RESET_UNREACHABLE, text);
    sockets_expect_end(peer.fd);
    ck_assert_uint_eq(connection_counters()->failed, 1);
}
END_TEST

START_TEST(next_application_is_tried)
{
    connection_refuse_callers(0);
    connection_begin(ROLE_SERVER, 2, ALLOWED);
    peer_open_as_client();
    peer_say_hello();
    connection_accept_application(1);
    peer_expect(MESSAGE_READY, "");
    ck_assert_uint_eq(connection_first(), 1);
}
END_TEST

START_TEST(black_holed_application_leaves_time_for_the_next)
{
    connection_swallow_callers(0);
    connection_begin(ROLE_SERVER, 2, ALLOWED "connect_timeout = 600ms\n");
    peer_open_as_client();
    peer_say_hello();
    connection_accept_application(1);
    peer_expect(MESSAGE_READY, "");
}
END_TEST

START_TEST(error_token_reaches_the_client)
{
    struct bytes flight = {0};

    script.fails = script.error_token = true;
    begin(ALLOWED);
    peer_add_token(&flight, FAKE_AP_REQ);
    peer_send(&flight);
    peer_expect_token(FAKE_ERROR_TOKEN);
    sockets_expect_end(peer.fd);
    ck_assert_uint_eq(connection_counters()->failed, 1);
}
END_TEST

START_TEST(probe_is_no_failure)
{
    begin(ALLOWED);
    peer_close();
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->failed, 0);
    ck_assert(!latch_was_told(&proved));
}
END_TEST

START_TEST(peer_that_dawdles_is_closed)
{
    begin(ALLOWED "handshake_timeout = 50ms\n");
    sockets_expect_end(peer.fd);
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->failed, 1);
}
END_TEST

/* Ends. */

START_TEST(both_eofs_are_a_clean_end)
{
    relay(ALLOWED);
    peer_say(MESSAGE_DATA, "bye");
    peer_say(MESSAGE_EOF, "");
    sockets_expect(application, "bye");
    sockets_expect_end(application);
    sockets_write(application, "bye too", 7);
    shut_application();
    peer_expect(MESSAGE_DATA, "bye too");
    peer_expect(MESSAGE_EOF, "");
    sockets_expect_end(peer.fd);
    peer_close();
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->received, 3);
    ck_assert_uint_eq(connection_counters()->sent, 7);
}
END_TEST

START_TEST(truncated_tunnel_resets_the_application)
{
    relay(ALLOWED);
    peer_close();
    application_expect_reset();
}
END_TEST

START_TEST(reset_tunnel_resets_the_application)
{
    relay(ALLOWED);
    sockets_reset(peer.fd);
    peer.fd = -1;
    application_expect_reset();
}
END_TEST

START_TEST(reset_of_the_peer_resets_the_application)
{
    struct bytes flight = {0};

    relay(ALLOWED);
    peer_add_reset(&flight, RESET_APPLICATION, false, "gone");
    peer_send(&flight);
    application_expect_reset();
}
END_TEST

START_TEST(damaged_record_resets_the_application)
{
    struct bytes flight = {0};

    relay(ALLOWED);
    uint8_t *token = peer_add(&flight, MESSAGE_DATA, "forged");
    token[FAKE_HEADER] ^= 1;
    peer_send(&flight);
    application_expect_reset();
}
END_TEST

START_TEST(reset_of_the_application_is_told_to_the_peer)
{
    relay(ALLOWED);
    sockets_reset(application);
    application = -1;
    peer_expect_reset(
        RESET_APPLICATION,
        "the application reset the connection: Connection reset by peer");
    sockets_expect_end(peer.fd);
}
END_TEST

START_TEST(breach_resets_both_sides)
{
    relay(ALLOWED);
    peer_say(MESSAGE_READY, "");
    application_expect_reset();
    peer_expect_reset(RESET_PROTOCOL, "the peer broke the protocol: a message "
                                      "out of order (ready)");
}
END_TEST

START_TEST(shutdown_resets_both_sides)
{
    relay(ALLOWED);
    connection_end_it(RESET_SHUTDOWN, "stopping");
    application_expect_reset();
    peer_expect_reset(RESET_SHUTDOWN, "stopping");
    sockets_expect_end(peer.fd);
}
END_TEST

START_TEST(shutdown_before_proof_is_silent)
{
    begin(ALLOWED);
    connection_end_it(RESET_SHUTDOWN, "stopping");
    sockets_expect_end(peer.fd);
    latch_wait(&closed, 1);
}
END_TEST

START_TEST(second_shutdown_changes_nothing)
{
    relay(ALLOWED);
    connection_end_it(RESET_SHUTDOWN, "stopping");
    connection_end_it(RESET_INTERNAL, "again");
    peer_expect_reset(RESET_SHUTDOWN, "stopping");
    sockets_expect_end(peer.fd);
}
END_TEST

START_TEST(lifetime_ends_it)
{
    relay(ALLOWED "max_lifetime = 1s\n");
    peer_expect_reset(RESET_TIMEOUT, "max_lifetime is over");
    application_expect_reset();
}
END_TEST

START_TEST(ticket_that_ends_may_end_it)
{
    script.endtime = time(NULL) + 2;
    relay(ALLOWED "on_ticket_expiry = close\n");
    peer_expect_reset(RESET_TIMEOUT, "the Kerberos ticket has expired");
}
END_TEST

START_TEST(ticket_that_ends_is_ignored_otherwise)
{
    script.endtime = 1;
    relay(ALLOWED);
    peer_say(MESSAGE_DATA, "still up");
    sockets_expect(application, "still up");
}
END_TEST

START_TEST(ticket_without_an_end_never_ends_it)
{
    relay(ALLOWED "on_ticket_expiry = close\n");
    peer_say(MESSAGE_DATA, "still up");
    sockets_expect(application, "still up");
}
END_TEST

START_TEST(peer_that_never_closes_is_left_at_close_timeout)
{
    relay(ALLOWED "close_timeout = 50ms\n");
    connection_end_it(RESET_SHUTDOWN, "stopping");
    latch_wait(&closed, 1);
    peer_expect_reset(RESET_SHUTDOWN, "stopping");
}
END_TEST

/* New rules. */

START_TEST(new_rules_may_end_it)
{
    relay(ALLOWED);
    connection_apply("allow = bob@TEST\n");
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: no rule of `allow` names this principal");
    application_expect_reset();
}
END_TEST

START_TEST(new_rules_may_leave_it)
{
    relay(ALLOWED);
    connection_apply("allow = *@TEST\n");
    peer_say(MESSAGE_DATA, "still up");
    sockets_expect(application, "still up");
}
END_TEST

START_TEST(new_rules_wait_for_a_name)
{
    begin(ALLOWED);
    connection_apply("allow = bob@TEST\n");
    peer_open_as_client();
    peer_say_hello();
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: no rule of `allow` names this principal");
}
END_TEST

static void
open_and_be_judged_slowly(void)
{
    asked = proceed = (struct latch)LATCH_INITIALIZER;
    slow = true;
    begin("allow = group:staff\n");
    peer_open_as_client();
    peer_say_hello();
    latch_wait(&asked, 1);
}

START_TEST(new_rules_judge_who_is_being_judged)
{
    open_and_be_judged_slowly();
    connection_apply("allow = bob@TEST\n");
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: no rule of `allow` names this principal");
    ck_assert_uint_eq(connection_counters()->refused, 1);
    latch_tell(&proceed);
    slow = false;
}
END_TEST

/* The look for what the old ones ask goes on, and counts for nothing. */
START_TEST(new_rules_let_in_who_is_being_judged)
{
    open_and_be_judged_slowly();
    connection_apply(ALLOWED);
    connection_accept_application(0);
    latch_tell(&proceed);
    slow = false;
    peer_expect(MESSAGE_READY, "");
}
END_TEST

START_TEST(new_rules_wait_for_a_name_service_that_fails)
{
    asked = (struct latch)LATCH_INITIALIZER;
    answers = false;
    relay(ALLOWED);
    connection_apply("allow = group:staff\n");
    latch_wait(&asked, 1);
    peer_say(MESSAGE_DATA, "still up");
    sockets_expect(application, "still up");
    answers = true;
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: no rule of `allow` names this principal");
    application_expect_reset();
}
END_TEST

/* A connection that was not there before is not let in meanwhile. */
START_TEST(who_comes_while_the_name_service_fails_is_refused)
{
    asked = (struct latch)LATCH_INITIALIZER;
    answers = false;
    begin("allow = group:staff\n");
    peer_open_as_client();
    peer_say_hello();
    peer_expect_reset(RESET_FORBIDDEN,
                      "not allowed: no rule of `allow` names this principal; "
                      "cannot look up");
}
END_TEST

/* Loss.  Each test leads to a state; the fixture drops the connection in it. */

START_TEST(connection_is_lost_in_its_handshake)
{
    begin(ALLOWED);
    peer_open_as_client();
}
END_TEST

START_TEST(connection_is_lost_while_it_relays)
{
    relay(ALLOWED "max_lifetime = 1h\nidle_timeout = 1h\n");
    sockets_write(application, "data", 4);
    connection_lose();
    application_expect_reset();
}
END_TEST

START_TEST(connection_is_lost_while_it_parts)
{
    relay(ALLOWED);
    connection_end_it(RESET_SHUTDOWN, "stopping");
    peer_expect_reset(RESET_SHUTDOWN, "stopping");
}
END_TEST

static Suite *
connection_acceptor_suite(void)
{
    Suite *suite = suite_create("connection_acceptor");
    TCase *opening = tcase_create("opening");
    TCase *ends = tcase_create("ends");
    TCase *rules = tcase_create("rules");
    TCase *loss = tcase_create("loss");

    tcase_set_timeout(opening, 60);
    tcase_add_checked_fixture(opening, connection_set_up, connection_tear_down);
    tcase_add_test(opening, bytes_go_both_ways);
    tcase_add_test(opening, application_is_not_dialled_before_hello);
    tcase_add_test(opening, main_thread_is_told_of_proof_and_end);
    tcase_add_test(opening, principal_without_a_rule_is_refused);
    tcase_add_test(opening, principal_that_is_denied_is_told_the_rule);
    tcase_add_test(opening, application_that_is_down_is_told_to_the_client);
    tcase_add_test(opening, next_application_is_tried);
    tcase_add_test(opening, black_holed_application_leaves_time_for_the_next);
    tcase_add_test(opening, error_token_reaches_the_client);
    tcase_add_test(opening, probe_is_no_failure);
    tcase_add_test(opening, peer_that_dawdles_is_closed);
    suite_add_tcase(suite, opening);
    tcase_set_timeout(ends, 60);
    tcase_add_checked_fixture(ends, connection_set_up, connection_tear_down);
    tcase_add_test(ends, both_eofs_are_a_clean_end);
    tcase_add_test(ends, truncated_tunnel_resets_the_application);
    tcase_add_test(ends, reset_tunnel_resets_the_application);
    tcase_add_test(ends, reset_of_the_peer_resets_the_application);
    tcase_add_test(ends, damaged_record_resets_the_application);
    tcase_add_test(ends, reset_of_the_application_is_told_to_the_peer);
    tcase_add_test(ends, breach_resets_both_sides);
    tcase_add_test(ends, shutdown_resets_both_sides);
    tcase_add_test(ends, shutdown_before_proof_is_silent);
    tcase_add_test(ends, second_shutdown_changes_nothing);
    tcase_add_test(ends, lifetime_ends_it);
    tcase_add_test(ends, ticket_that_ends_may_end_it);
    tcase_add_test(ends, ticket_that_ends_is_ignored_otherwise);
    tcase_add_test(ends, ticket_without_an_end_never_ends_it);
    tcase_add_test(ends, peer_that_never_closes_is_left_at_close_timeout);
    suite_add_tcase(suite, ends);
    tcase_set_timeout(rules, 60);
    tcase_add_checked_fixture(rules, connection_set_up, connection_tear_down);
    tcase_add_test(rules, new_rules_may_end_it);
    tcase_add_test(rules, new_rules_may_leave_it);
    tcase_add_test(rules, new_rules_wait_for_a_name);
    tcase_add_test(rules, new_rules_judge_who_is_being_judged);
    tcase_add_test(rules, new_rules_let_in_who_is_being_judged);
    tcase_add_test(rules, new_rules_wait_for_a_name_service_that_fails);
    tcase_add_test(rules, who_comes_while_the_name_service_fails_is_refused);
    suite_add_tcase(suite, rules);
    tcase_set_timeout(loss, 60);
    tcase_add_checked_fixture(loss, connection_set_up, connection_tear_down);
    tcase_add_test(loss, connection_is_lost_in_its_handshake);
    tcase_add_test(loss, connection_is_lost_while_it_relays);
    tcase_add_test(loss, connection_is_lost_while_it_parts);
    suite_add_tcase(suite, loss);
    return suite;
}

CHECK_MAIN(connection_acceptor_suite)
