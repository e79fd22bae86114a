/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/handshake.c as a server: A1 to A3 of docs/protocol.md. */
#include "check_main.h"

#include <string.h>

#include "handshake_fixture.h"

enum {
    AP_REQ_FRAME_SIZE = FRAME_HEADER_SIZE + sizeof FAKE_AP_REQ - 1
};

static void
say_ap_req(void)
{
    struct bytes flight = {0};

    peer_add_token(&flight, FAKE_AP_REQ);
    peer_send(&flight);
}

/* What should be. */

START_TEST(client_proves_itself_by_its_hello)
{
    client_reach_hello();
    ck_assert(!handshake_is_done());
    client_say_hello();
    struct handshake_result *result = handshake_await();
    ck_assert_int_eq(result->outcome, HANDSHAKE_DONE);
    ck_assert_str_eq(result->hello.target, OUR_TARGET);
    ck_assert_uint_eq(result->hello.connection_id, 42);
    ck_assert_ptr_nonnull(result->channel);
    ck_assert_str_eq(result->context->ops->peer(result->context)->display,
                     FAKE_PEER);
    ck_assert_uint_eq(result->farewell.size, 0);
}
END_TEST

START_TEST(hello_of_the_server_says_what_it_is_set_to)
{
    struct hello hello;

    handshake_begin();
    say_ap_req();
    peer_expect_token(FAKE_AP_REP);
    peer_expect_hello(&hello);
    ck_assert_uint_eq(hello.version_low, 1);
    ck_assert_uint_eq(hello.version_high, 1);
    ck_assert_int_eq(hello.protection, PROTECTION_SEAL);
    ck_assert_uint_eq(hello.max_plaintext, 65472);
    ck_assert_uint_eq(hello.connection_id, 17);
    ck_assert_str_eq(hello.target, "");
}
END_TEST

START_TEST(what_follows_the_hello_stays_in_the_socket)
{
    struct bytes flight = {0};

    client_reach_hello();
    peer_add_hello(&flight, &peer_hello);
    ck_assert(bytes_append(&flight, "rest", 4));
    peer_send(&flight);
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
    sockets_expect(tunnel_fd, "rest");
}
END_TEST

START_TEST(ap_req_may_be_split_at_every_byte)
{
    struct bytes flight = {0};

    handshake_begin();
    peer_add_token(&flight, FAKE_AP_REQ);
    sockets_write(peer.fd, flight.data, (size_t)_i);
    sockets_await_read(peer.fd);
    sockets_write(peer.fd, flight.data + _i, flight.size - (size_t)_i);
    peer_expect_token(FAKE_AP_REP);
    bytes_clear(&flight);
}
END_TEST

START_TEST(hello_may_come_byte_by_byte)
{
    struct bytes flight = {0};

    client_reach_hello();
    peer_add_hello(&flight, &peer_hello);
    for (size_t i = 0; i < flight.size; i++) {
        sockets_write(peer.fd, flight.data + i, 1);
        sockets_await_read(peer.fd);
    }
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
    bytes_clear(&flight);
}
END_TEST

START_TEST(result_that_nobody_takes_is_freed)
{
    handshake_take_nothing();
    client_reach_hello();
    client_say_hello();
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_DONE);
}
END_TEST

/* Strangers. */

START_TEST(peer_that_leaves_without_a_byte_is_a_probe)
{
    handshake_begin();
    peer_shut();
    handshake_expect(HANDSHAKE_PROBE, "the peer closed the connection while "
                                      "the client's AP-REQ was due");
}
END_TEST

START_TEST(peer_that_leaves_after_a_byte_is_a_failure)
{
    handshake_begin();
    sockets_write(peer.fd, "", 1);
    peer_shut();
    handshake_expect(HANDSHAKE_FAILED, "the peer closed the connection while "
                                       "the client's AP-REQ was due");
}
END_TEST

START_TEST(peer_that_leaves_before_its_hello_is_a_failure)
{
    client_reach_hello();
    peer_shut();
    handshake_expect(HANDSHAKE_FAILED, "the peer closed the connection while "
                                       "the client's HELLO was due");
}
END_TEST

START_TEST(other_protocol_is_refused_at_its_first_byte)
{
    handshake_begin();
    sockets_write(peer.fd, "G", 1);
    ck_assert_int_eq(handshake_await()->outcome, HANDSHAKE_FAILED);
    ck_assert_ptr_nonnull(
        strstr(handshake_await()->error.text, "does not speak this protocol"));
    ck_assert_uint_eq(handshake_await()->farewell.size, 0);
}
END_TEST

START_TEST(empty_frame_is_refused)
{
    handshake_begin();
    sockets_write(peer.fd, "\0\0\0\0", 4);
    handshake_expect(HANDSHAKE_FAILED,
                     "the peer does not speak this protocol: a frame of 0 "
                     "bytes in place of the client's AP-REQ");
}
END_TEST

START_TEST(first_token_over_the_limit_is_refused_by_its_header)
{
    handshake_begin();
    sockets_write(peer.fd, "\0\x02\0\x01", 4);
    handshake_expect(HANDSHAKE_FAILED,
                     "the peer does not speak this protocol: a frame of "
                     "131073 bytes in place of the client's AP-REQ");
}
END_TEST

START_TEST(first_token_at_the_limit_is_read_whole)
{
    static char token[FRAME_HANDSHAKE_MAX + 1];
    struct bytes flight = {0};

    handshake_begin();
    memset(token, 'x', FRAME_HANDSHAKE_MAX);
    peer_add_token(&flight, token);
    peer_send(&flight);
    handshake_expect(HANDSHAKE_FAILED,
                     "cannot establish: not the token expected");
}
END_TEST

START_TEST(later_token_over_its_limit_is_refused)
{
    client_reach_hello();
    sockets_write(peer.fd, "\0\x01\0\x41", 4);
    handshake_expect(HANDSHAKE_FAILED,
                     "the peer does not speak this protocol: a frame of 65601 "
                     "bytes in place of the client's HELLO");
}
END_TEST

/* Failures to establish. */

START_TEST(error_token_is_the_farewell)
{
    struct bytes expected = {0};

    script.fails = script.error_token = true;
    handshake_begin();
    say_ap_req();
    handshake_expect(HANDSHAKE_FAILED, "cannot establish: told to fail");
    peer_add_token(&expected, FAKE_ERROR_TOKEN);
    ck_assert_uint_eq(handshake_await()->farewell.size, expected.size);
    ck_assert_mem_eq(handshake_await()->farewell.data, expected.data,
                     expected.size);
    bytes_clear(&expected);
}
END_TEST

START_TEST(failure_without_a_token_has_no_farewell)
{
    script.fails = true;
    handshake_begin();
    say_ap_req();
    handshake_expect(HANDSHAKE_FAILED, "cannot establish: told to fail");
    ck_assert_uint_eq(handshake_await()->farewell.size, 0);
    ck_assert_ptr_null(handshake_await()->context);
}
END_TEST

START_TEST(replayed_ap_req_gets_no_further_than_hello)
{
    struct bytes flight = {0};

    client_reach_hello();
    uint8_t *token = peer_seal(&flight, true, "\x01", 1);
    token[FAKE_HEADER] ^= 1;
    peer_send(&flight);
    handshake_expect(HANDSHAKE_FAILED,
                     "cannot unseal a record: its checksum is wrong");
    ck_assert_uint_eq(handshake_await()->farewell.size, 0);
}
END_TEST

/* Cancelling.  Each test leads to a state; the fixture cancels in it. */

START_TEST(handshake_dies_before_its_first_turn)
{
    handshake_begin();
    handshake_quit();
}
END_TEST

START_TEST(handshake_dies_with_half_a_token)
{
    handshake_begin();
    sockets_write(peer.fd, "\0\0\x40\0 half", 9);
    sockets_await_read(peer.fd);
    ck_assert_str_eq(handshake_asked_stage(), "the client's AP-REQ");
}
END_TEST

START_TEST(handshake_dies_during_a_step)
{
    script.slow_step = true;
    handshake_begin();
    say_ap_req();
    fake_await_slow();
    ck_assert_str_eq(handshake_asked_stage(),
                     "the check of the client's AP-REQ");
    handshake_quit();
    fake_proceed();
}
END_TEST

START_TEST(handshake_dies_sending_to_a_slow_peer)
{
    sockets_fill(tunnel_fd);
    handshake_begin();
    say_ap_req();
    handshake_await_stage("the sending of the AP-REP");
}
END_TEST

START_TEST(handshake_dies_awaiting_hello)
{
    client_reach_hello();
    handshake_await_stage("the client's HELLO");
}
END_TEST

START_TEST(proven_peer_is_told_that_time_is_up)
{
    client_reach_hello();
    handshake_await_stage("the client's HELLO");
    struct bytes words = handshake_words("too late");
    peer_open_reset(&words, RESET_TIMEOUT, "too late");
    bytes_clear(&words);
}
END_TEST

START_TEST(stranger_is_told_nothing_when_time_is_up)
{
    handshake_begin();
    struct bytes words = handshake_words("too late");
    ck_assert_uint_eq(words.size, 0);
}
END_TEST

static Suite *
handshake_acceptor_suite(void)
{
    Suite *suite = suite_create("handshake_acceptor");
    TCase *good = tcase_create("agreement");
    TCase *strangers = tcase_create("strangers");
    TCase *death = tcase_create("death");

    tcase_set_timeout(good, 60);
    tcase_add_checked_fixture(good, server_set_up, handshake_tear_down);
    tcase_add_test(good, client_proves_itself_by_its_hello);
    tcase_add_test(good, hello_of_the_server_says_what_it_is_set_to);
    tcase_add_test(good, what_follows_the_hello_stays_in_the_socket);
    tcase_add_loop_test(good, ap_req_may_be_split_at_every_byte, 1,
                        AP_REQ_FRAME_SIZE);
    tcase_add_test(good, hello_may_come_byte_by_byte);
    tcase_add_test(good, result_that_nobody_takes_is_freed);
    suite_add_tcase(suite, good);
    tcase_set_timeout(strangers, 60);
    tcase_add_checked_fixture(strangers, server_set_up, handshake_tear_down);
    tcase_add_test(strangers, peer_that_leaves_without_a_byte_is_a_probe);
    tcase_add_test(strangers, peer_that_leaves_after_a_byte_is_a_failure);
    tcase_add_test(strangers, peer_that_leaves_before_its_hello_is_a_failure);
    tcase_add_test(strangers, other_protocol_is_refused_at_its_first_byte);
    tcase_add_test(strangers, empty_frame_is_refused);
    tcase_add_test(strangers,
                   first_token_over_the_limit_is_refused_by_its_header);
    tcase_add_test(strangers, first_token_at_the_limit_is_read_whole);
    tcase_add_test(strangers, later_token_over_its_limit_is_refused);
    tcase_add_test(strangers, error_token_is_the_farewell);
    tcase_add_test(strangers, failure_without_a_token_has_no_farewell);
    tcase_add_test(strangers, replayed_ap_req_gets_no_further_than_hello);
    suite_add_tcase(suite, strangers);
    tcase_set_timeout(death, 60);
    tcase_add_checked_fixture(death, server_set_up, handshake_tear_down);
    tcase_add_test(death, handshake_dies_before_its_first_turn);
    tcase_add_test(death, handshake_dies_with_half_a_token);
    tcase_add_test(death, handshake_dies_during_a_step);
    tcase_add_test(death, handshake_dies_sending_to_a_slow_peer);
    tcase_add_test(death, handshake_dies_awaiting_hello);
    tcase_add_test(death, proven_peer_is_told_that_time_is_up);
    tcase_add_test(death, stranger_is_told_nothing_when_time_is_up);
    suite_add_tcase(suite, death);
    return suite;
}

CHECK_MAIN(handshake_acceptor_suite)
