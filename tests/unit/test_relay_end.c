/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/relay.c: the ends of directions and of tunnels, and READY. */
#include "check_main.h"

#include <sys/socket.h>
#include <unistd.h>

#include "relay_fixture.h"

static void
shut_application(void)
{
    ck_assert_int_eq(shutdown(application, SHUT_WR), 0);
}

static void
close_application(void)
{
    close(application);
    application = -1;
}

/* Ends of one direction. */

START_TEST(application_may_end_first)
{
    relay_begin();
    shut_application();
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_DATA, "answer");
    sockets_expect(application, "answer");
    peer_say(MESSAGE_EOF, "");
    sockets_expect_end(application);
    relay_expect_end(RELAY_FINISHED, 0, "finished");
}
END_TEST

START_TEST(peer_may_end_first)
{
    relay_begin();
    peer_say(MESSAGE_EOF, "");
    sockets_expect_end(application);
    sockets_write(application, "answer", 6);
    peer_expect(MESSAGE_DATA, "answer");
    shut_application();
    peer_expect(MESSAGE_EOF, "");
    relay_expect_end(RELAY_FINISHED, 0, "finished");
}
END_TEST

START_TEST(all_data_comes_before_its_end)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add(&flight, MESSAGE_DATA, "last ");
    peer_add(&flight, MESSAGE_DATA, "words");
    peer_add(&flight, MESSAGE_EOF, "");
    peer_send(&flight);
    sockets_expect(application, "last words");
    sockets_expect_end(application);
}
END_TEST

START_TEST(last_words_of_the_application_come_before_its_end)
{
    relay_begin();
    sockets_write(application, "bye", 3);
    close_application();
    peer_expect(MESSAGE_DATA, "bye");
    peer_expect(MESSAGE_EOF, "");
}
END_TEST

START_TEST(ping_is_answered_after_the_peers_end)
{
    relay_begin();
    peer_say(MESSAGE_EOF, "");
    peer_say(MESSAGE_PING, "");
    peer_expect(MESSAGE_PONG, "");
    ck_assert(!relay_has_ended());
}
END_TEST

START_TEST(ping_is_answered_after_our_end)
{
    relay_begin();
    shut_application();
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_PING, "");
    peer_expect(MESSAGE_PONG, "");
}
END_TEST

START_TEST(end_that_cannot_be_told_yet_is_told_later)
{
    relay_of_tcp_application();
    size_t clog = relay_clog_tunnel();
    relay_begin();
    shut_application();
    peer_say(MESSAGE_EOF, "");
    sockets_expect_end(application);
    loop_settle();
    ck_assert(!relay_has_ended());
    sockets_drop(peer.fd, clog);
    peer_expect(MESSAGE_EOF, "");
    relay_expect_end(RELAY_FINISHED, 0, "finished");
}
END_TEST

START_TEST(fin_right_behind_the_last_eof_is_no_truncation)
{
    relay_begin();
    shut_application();
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_EOF, "");
    peer_close();
    relay_expect_end(RELAY_FINISHED, 0, "finished");
}
END_TEST

/* Truncation. */

#define TRUNCATED_BY_FIN                                                       \
    "truncated: the peer closed the tunnel before its end was announced"

START_TEST(fin_before_eof_is_truncation)
{
    relay_begin();
    peer_say(MESSAGE_DATA, "half a");
    peer_shut();
    sockets_expect(application, "half a");
    relay_expect_end(RELAY_TRUNCATED, 0, TRUNCATED_BY_FIN);
    sockets_expect_nothing(application);
}
END_TEST

START_TEST(fin_in_the_middle_of_a_frame_is_truncation)
{
    relay_begin();
    sockets_write(peer.fd,
                  "\0\0\0\x20"
                  "FK",
                  6);
    peer_shut();
    relay_expect_end(RELAY_TRUNCATED, 0, TRUNCATED_BY_FIN);
}
END_TEST

START_TEST(fin_before_our_own_eof_is_truncation)
{
    relay_begin();
    peer_say(MESSAGE_EOF, "");
    peer_shut();
    relay_expect_end(RELAY_TRUNCATED, 0, TRUNCATED_BY_FIN);
}
END_TEST

START_TEST(reset_of_the_tunnel_is_truncation)
{
    relay_over_tcp();
    relay_begin();
    sockets_reset(peer.fd);
    peer.fd = -1;
    relay_expect_end(
        RELAY_TRUNCATED, 0,
        "truncated: cannot read the tunnel: Connection reset by peer");
}
END_TEST

START_TEST(tunnel_that_takes_no_more_is_truncation)
{
    relay_begin();
    peer_close();
    ck_assert_int_eq(relay_await_end()->end, RELAY_TRUNCATED);
    ck_assert_int_eq(relay_await_end()->reset, 0);
}
END_TEST

/* The sudden end. */

START_TEST(reset_of_the_application_is_told_to_the_peer)
{
    relay_of_tcp_application();
    relay_begin();
    sockets_reset(application);
    application = -1;
    relay_expect_end(
        RELAY_APP_RESET, RESET_APPLICATION,
        "the application reset the connection: Connection reset by peer");
    struct bytes words = relay_words(RESET_APPLICATION, "it is gone");
    peer_open_reset(&words, RESET_APPLICATION, "it is gone");
    bytes_clear(&words);
}
END_TEST

START_TEST(reset_of_an_application_that_had_ended_is_noticed)
{
    relay_of_tcp_application();
    relay_begin();
    shut_application();
    peer_expect(MESSAGE_EOF, "");
    sockets_reset(application);
    application = -1;
    relay_expect_end(RELAY_APP_RESET, RESET_APPLICATION,
                     "the application reset the connection: Broken pipe");
}
END_TEST

START_TEST(application_that_closed_cannot_be_answered)
{
    relay_begin();
    close_application();
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_DATA, "too late");
    relay_expect_end(RELAY_APP_RESET, RESET_APPLICATION,
                     "the application closed its connection: Broken pipe");
}
END_TEST

START_TEST(reset_of_the_peer_ends_both_directions)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add_reset(&flight, RESET_APPLICATION, false, "it \x1b[2J died");
    peer_send(&flight);
    relay_expect_end(RELAY_PEER_RESET, 0,
                     "the peer ended it (application): it \\x1b[2J died");
}
END_TEST

START_TEST(reset_after_the_peers_eof_counts)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add(&flight, MESSAGE_EOF, "");
    peer_add_reset(&flight, RESET_SHUTDOWN, true, "stopping");
    peer_send(&flight);
    relay_expect_end(RELAY_PEER_RESET, 0,
                     "the peer ended it (shutdown): stopping");
}
END_TEST

START_TEST(unknown_reset_code_is_a_reset_all_the_same)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add_reset(&flight, (enum reset_code)200, false, "later");
    peer_send(&flight);
    relay_expect_end(RELAY_PEER_RESET, 0, "the peer ended it (unknown): later");
}
END_TEST

START_TEST(last_words_follow_what_is_still_unsent)
{
    size_t clog = relay_clog_tunnel();
    relay_begin();
    sockets_write(application, "unsent", 6);
    sockets_await_read(application);
    struct bytes words = relay_words(RESET_SHUTDOWN, "stopping");
    relay_quit();
    sockets_drop(peer.fd, clog);
    sockets_write(relay_plan.tunnel_fd, words.data, words.size);
    peer_expect(MESSAGE_DATA, "unsent");
    peer_expect_reset(RESET_SHUTDOWN, "stopping");
    bytes_clear(&words);
}
END_TEST

START_TEST(last_words_of_a_quiet_relay_are_the_reset_alone)
{
    relay_begin();
    struct bytes words = relay_words(RESET_TIMEOUT, "max_lifetime is over");
    peer_open_reset(&words, RESET_TIMEOUT, "max_lifetime is over");
    bytes_clear(&words);
    words = relay_words(0, "");
    ck_assert_uint_eq(words.size, 0);
}
END_TEST

/* READY. */

START_TEST(ready_is_the_first_word_of_a_server)
{
    relay_of_server();
    sockets_write(application, "server first", 12);
    relay_begin();
    peer_expect(MESSAGE_READY, "");
    peer_expect(MESSAGE_DATA, "server first");
}
END_TEST

START_TEST(what_the_client_said_before_ready_is_delivered)
{
    relay_of_server();
    peer_say(MESSAGE_DATA, "early");
    relay_begin();
    sockets_expect(application, "early");
    peer_expect(MESSAGE_READY, "");
}
END_TEST

START_TEST(ready_opens_a_client_that_awaits_it)
{
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    peer_say(MESSAGE_READY, "");
    relay_await_opened();
    peer_say(MESSAGE_DATA, "hello");
    sockets_expect(application, "hello");
}
END_TEST

START_TEST(client_may_send_before_ready)
{
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    sockets_write(application, "early", 5);
    peer_expect(MESSAGE_DATA, "early");
    shut_application();
    peer_expect(MESSAGE_EOF, "");
}
END_TEST

START_TEST(reset_in_place_of_ready_is_heard)
{
    struct bytes flight = {0};

    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    peer_add_reset(&flight, RESET_FORBIDDEN, false, "not allowed");
    peer_send(&flight);
    relay_expect_end(RELAY_PEER_RESET, 0,
                     "the peer ended it (forbidden): not allowed");
}
END_TEST

/* Ends that mean something else. */

START_TEST(end_in_doubt_is_told_once_it_is_certain)
{
    relay_judge_app_end(RELAY_APP_UNSURE);
    relay_begin();
    sockets_write(application, "answer", 6);
    close_application();
    peer_expect(MESSAGE_DATA, "answer");
    loop_settle();
    peer_say(MESSAGE_PING, "");
    peer_expect(MESSAGE_PONG, ""); /* and no EOF before it */
    relay_judge_app_end(RELAY_APP_ENDED);
    relay_look();
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_EOF, "");
    relay_expect_end(RELAY_FINISHED, 0, "finished");
}
END_TEST

START_TEST(end_that_is_a_failure_is_one_after_all_data)
{
    relay_judge_app_end(RELAY_APP_FAILED);
    relay_begin();
    sockets_write(application, "answer", 6);
    close_application();
    peer_expect(MESSAGE_DATA, "answer");
    relay_expect_end(RELAY_APP_RESET, RESET_APPLICATION, "it failed");
}
END_TEST

START_TEST(reset_of_who_left_words_unread_may_be_an_end)
{
    relay_judge_app_end(RELAY_APP_ENDED);
    relay_begin();
    peer_say(MESSAGE_DATA, "question");
    loop_settle();
    close_application(); /* a Unix socket's: unread words make it a reset */
    peer_expect(MESSAGE_EOF, "");
    peer_say(MESSAGE_EOF, "");
    relay_expect_end(RELAY_FINISHED, 0, "finished");
}
END_TEST

static Suite *
relay_end_suite(void)
{
    Suite *suite = suite_create("relay_end");
    TCase *ends = tcase_create("ends");
    TCase *sudden = tcase_create("sudden ends");
    TCase *ready = tcase_create("READY");

    tcase_set_timeout(ends, 60);
    tcase_add_checked_fixture(ends, relay_set_up, relay_tear_down);
    tcase_add_test(ends, application_may_end_first);
    tcase_add_test(ends, peer_may_end_first);
    tcase_add_test(ends, all_data_comes_before_its_end);
    tcase_add_test(ends, last_words_of_the_application_come_before_its_end);
    tcase_add_test(ends, ping_is_answered_after_the_peers_end);
    tcase_add_test(ends, ping_is_answered_after_our_end);
    tcase_add_test(ends, end_that_cannot_be_told_yet_is_told_later);
    tcase_add_test(ends, fin_right_behind_the_last_eof_is_no_truncation);
    tcase_add_test(ends, fin_before_eof_is_truncation);
    tcase_add_test(ends, fin_in_the_middle_of_a_frame_is_truncation);
    tcase_add_test(ends, fin_before_our_own_eof_is_truncation);
    tcase_add_test(ends, reset_of_the_tunnel_is_truncation);
    tcase_add_test(ends, tunnel_that_takes_no_more_is_truncation);
    tcase_add_test(ends, end_in_doubt_is_told_once_it_is_certain);
    tcase_add_test(ends, end_that_is_a_failure_is_one_after_all_data);
    tcase_add_test(ends, reset_of_who_left_words_unread_may_be_an_end);
    suite_add_tcase(suite, ends);
    tcase_set_timeout(sudden, 60);
    tcase_add_checked_fixture(sudden, relay_set_up, relay_tear_down);
    tcase_add_test(sudden, reset_of_the_application_is_told_to_the_peer);
    tcase_add_test(sudden, reset_of_an_application_that_had_ended_is_noticed);
    tcase_add_test(sudden, application_that_closed_cannot_be_answered);
    tcase_add_test(sudden, reset_of_the_peer_ends_both_directions);
    tcase_add_test(sudden, reset_after_the_peers_eof_counts);
    tcase_add_test(sudden, unknown_reset_code_is_a_reset_all_the_same);
    tcase_add_test(sudden, last_words_follow_what_is_still_unsent);
    tcase_add_test(sudden, last_words_of_a_quiet_relay_are_the_reset_alone);
    suite_add_tcase(suite, sudden);
    tcase_set_timeout(ready, 60);
    tcase_add_checked_fixture(ready, relay_set_up, relay_tear_down);
    tcase_add_test(ready, ready_is_the_first_word_of_a_server);
    tcase_add_test(ready, what_the_client_said_before_ready_is_delivered);
    tcase_add_test(ready, ready_opens_a_client_that_awaits_it);
    tcase_add_test(ready, client_may_send_before_ready);
    tcase_add_test(ready, reset_in_place_of_ready_is_heard);
    suite_add_tcase(suite, ready);
    return suite;
}

CHECK_MAIN(relay_end_suite)
