/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/connection.c and initiator.c: a client's connection. */
#include "check_main.h"

#include <poll.h>
#include <sys/socket.h>

#include "connection_fixture.h"

static void
begin(unsigned servers, const char *keys)
{
    connection_begin(ROLE_CLIENT, servers, keys);
}

/* Up to where both sides relay. */
static void
relay(const char *keys)
{
    begin(1, keys);
    connection_accept_peer(0);
    peer_open_as_server();
    peer_say(MESSAGE_READY, "");
}

static void
say_reset(enum reset_code code, bool retryable)
{
    struct bytes flight = {0};

    peer_add_reset(&flight, code, retryable, "sorry");
    peer_send(&flight);
}

/* One server. */

START_TEST(bytes_go_both_ways)
{
    relay("");
    sockets_write(application, "question", 8);
    peer_expect(MESSAGE_DATA, "question");
    peer_say(MESSAGE_DATA, "answer");
    sockets_expect(application, "answer");
    ck_assert_uint_eq(connection_counters()->opened, 1);
}
END_TEST

START_TEST(only_server_gets_data_before_its_ready)
{
    begin(1, "");
    sockets_write(application, "early", 5);
    connection_accept_peer(0);
    peer_open_as_server();
    peer_expect(MESSAGE_DATA, "early");
    ck_assert_uint_eq(connection_counters()->opened, 0);
    peer_say(MESSAGE_READY, "");
    peer_say(MESSAGE_DATA, "late");
    sockets_expect(application, "late");
    ck_assert_uint_eq(connection_counters()->opened, 1);
}
END_TEST

START_TEST(server_that_is_down_resets_the_application)
{
    connection_refuse_callers(0);
    begin(1, "");
    application_expect_reset();
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->failed, 1);
}
END_TEST

START_TEST(server_that_says_no_resets_the_application)
{
    begin(1, "");
    connection_accept_peer(0);
    peer_open_as_server();
    say_reset(RESET_FORBIDDEN, false);
    application_expect_reset();
    sockets_expect_end(peer.fd);
}
END_TEST

START_TEST(server_that_never_speaks_resets_the_application)
{
    begin(1, "handshake_timeout = 50ms\n");
    connection_accept_peer(0);
    peer_expect_token(FAKE_AP_REQ);
    application_expect_reset();
    sockets_expect_end(peer.fd);
    ck_assert_uint_eq(connection_counters()->failed, 1);
}
END_TEST

START_TEST(server_that_never_gets_ready_is_told_so)
{
    begin(1, "handshake_timeout = 1s\nconnect_timeout = 10ms\n");
    connection_accept_peer(0);
    peer_open_as_server();
    peer_expect_reset(RESET_TIMEOUT,
                      "the server proved itself, but sent no READY in time");
    application_expect_reset();
}
END_TEST

START_TEST(truncated_tunnel_resets_the_application)
{
    relay("");
    peer_say(MESSAGE_DATA, "half");
    sockets_expect(application, "half");
    peer_close();
    application_expect_reset();
}
END_TEST

START_TEST(both_eofs_are_a_clean_end)
{
    relay("");
    ck_assert_int_eq(shutdown(application, SHUT_WR), 0);
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_DATA, "answer");
    peer_say(MESSAGE_EOF, "");
    sockets_expect(application, "answer");
    sockets_expect_end(application);
    sockets_expect_end(peer.fd);
    peer_close();
    latch_wait(&closed, 1);
}
END_TEST

START_TEST(reset_of_the_application_is_told_to_the_peer)
{
    relay("");
    sockets_reset(application);
    application = -1;
    peer_expect_reset(
        RESET_APPLICATION,
        "the application reset the connection: Connection reset by peer");
    sockets_expect_end(peer.fd);
}
END_TEST

static void
refuse_ticket(void)
{
    struct bytes flight = {0};

    peer_expect_token(FAKE_AP_REQ);
    peer_add_token(&flight, FAKE_ERROR_TOKEN);
    peer_send(&flight);
}

START_TEST(server_that_refuses_the_ticket_is_asked_once_more_with_another)
{
    script.stale = script.fails = true;
    begin(1, "");
    connection_accept_peer(0);
    refuse_ticket();
    connection_accept_peer(0);
    refuse_ticket();
    application_expect_reset();
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->failed, 1);
    struct pollfd caller = {.fd = listeners[0], .events = POLLIN};
    ck_assert_int_eq(poll(&caller, 1, 0), 0);
}
END_TEST

/* Several servers. */

START_TEST(next_server_is_tried_when_one_is_down)
{
    connection_refuse_callers(0);
    begin(2, "");
    sockets_write(application, "question", 8);
    connection_accept_peer(1);
    peer_open_as_server();
    peer_say(MESSAGE_READY, "");
    peer_expect(MESSAGE_DATA, "question");
    ck_assert_uint_eq(connection_first(), 1);
}
END_TEST

START_TEST(next_server_is_tried_when_one_is_silent)
{
    begin(2, "handshake_timeout = 2s\n");
    connection_accept_peer(0);
    peer_expect_token(FAKE_AP_REQ);
    connection_accept_peer(1);
    peer_open_as_server();
    peer_say(MESSAGE_READY, "");
    peer_say(MESSAGE_DATA, "hello");
    sockets_expect(application, "hello");
}
END_TEST

START_TEST(black_holed_server_leaves_time_for_the_next)
{
    connection_swallow_callers(0);
    begin(2, "connect_timeout = 600ms\n");
    connection_accept_peer(1);
    peer_open_as_server();
    peer_say(MESSAGE_READY, "");
    peer_say(MESSAGE_DATA, "hello");
    sockets_expect(application, "hello");
}
END_TEST

START_TEST(next_server_gets_everything_when_one_is_not_ready)
{
    begin(2, "");
    sockets_write(application, "question", 8);
    connection_accept_peer(0);
    peer_open_as_server();
    say_reset(RESET_UNREACHABLE, true);
    connection_accept_peer(1);
    peer_open_as_server();
    peer_say(MESSAGE_READY, "");
    peer_expect(MESSAGE_DATA, "question");
}
END_TEST

START_TEST(server_whose_word_is_final_is_the_last)
{
    begin(2, "");
    connection_accept_peer(0);
    peer_open_as_server();
    say_reset(RESET_FORBIDDEN, false);
    application_expect_reset();
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->refused, 1);
    ck_assert_uint_eq(connection_first(), 0);
}
END_TEST

START_TEST(all_servers_down_reset_the_application)
{
    connection_refuse_callers(0);
    connection_refuse_callers(1);
    begin(2, "");
    application_expect_reset();
    latch_wait(&closed, 1);
    ck_assert_uint_eq(connection_counters()->failed, 1);
}
END_TEST

START_TEST(proven_server_that_is_too_slow_is_told_so)
{
    begin(2, "handshake_timeout = 2s\n");
    connection_accept_peer(0);
    peer_open_as_server();
    peer_expect_reset(RESET_TIMEOUT,
                      "no time left while waiting for the server's READY");
}
END_TEST

/* Loss.  Each test leads to a state; the fixture drops the connection in it. */

START_TEST(connection_is_lost_in_its_handshake)
{
    begin(1, "");
    connection_accept_peer(0);
    peer_expect_token(FAKE_AP_REQ);
    connection_lose();
    application_expect_reset();
}
END_TEST

START_TEST(connection_is_lost_awaiting_ready)
{
    begin(1, "");
    connection_accept_peer(0);
    peer_open_as_server();
    connection_lose();
    application_expect_reset();
}
END_TEST

START_TEST(connection_is_lost_while_it_dials)
{
    begin(1, "");
    connection_lose();
    application_expect_reset();
}
END_TEST

static Suite *
connection_initiator_suite(void)
{
    Suite *suite = suite_create("connection_initiator");
    TCase *one = tcase_create("one server");
    TCase *several = tcase_create("several servers");
    TCase *loss = tcase_create("loss");

    tcase_set_timeout(one, 60);
    tcase_add_checked_fixture(one, connection_set_up, connection_tear_down);
    tcase_add_test(one, bytes_go_both_ways);
    tcase_add_test(one, only_server_gets_data_before_its_ready);
    tcase_add_test(one, server_that_is_down_resets_the_application);
    tcase_add_test(one, server_that_says_no_resets_the_application);
    tcase_add_test(one, server_that_never_speaks_resets_the_application);
    tcase_add_test(one, server_that_never_gets_ready_is_told_so);
    tcase_add_test(one, truncated_tunnel_resets_the_application);
    tcase_add_test(one, both_eofs_are_a_clean_end);
    tcase_add_test(one, reset_of_the_application_is_told_to_the_peer);
    tcase_add_test(
        one, server_that_refuses_the_ticket_is_asked_once_more_with_another);
    suite_add_tcase(suite, one);
    tcase_set_timeout(several, 60);
    tcase_add_checked_fixture(several, connection_set_up, connection_tear_down);
    tcase_add_test(several, next_server_is_tried_when_one_is_down);
    tcase_add_test(several, next_server_is_tried_when_one_is_silent);
    tcase_add_test(several, black_holed_server_leaves_time_for_the_next);
    tcase_add_test(several, next_server_gets_everything_when_one_is_not_ready);
    tcase_add_test(several, server_whose_word_is_final_is_the_last);
    tcase_add_test(several, all_servers_down_reset_the_application);
    tcase_add_test(several, proven_server_that_is_too_slow_is_told_so);
    suite_add_tcase(suite, several);
    tcase_set_timeout(loss, 60);
    tcase_add_checked_fixture(loss, connection_set_up, connection_tear_down);
    tcase_add_test(loss, connection_is_lost_in_its_handshake);
    tcase_add_test(loss, connection_is_lost_awaiting_ready);
    tcase_add_test(loss, connection_is_lost_while_it_dials);
    suite_add_tcase(suite, loss);
    return suite;
}

CHECK_MAIN(connection_initiator_suite)
