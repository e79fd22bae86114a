/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/handshake.c: clients whose HELLO does not agree, or is none. */
#include "check_main.h"

#include <string.h>

#include "handshake_fixture.h"

#define BREACH "the peer broke the protocol: "

/* HELLOs that do not agree. */

START_TEST(foreign_version_is_refused)
{
    client_reach_hello();
    peer_hello.version_low = peer_hello.version_high = 2;
    client_say_hello();
    handshake_expect_refusal(RESET_VERSION,
                             "no common protocol version: the peer speaks 2 "
                             "to 2, this side 1");
}
END_TEST

START_TEST(other_protection_is_refused)
{
    client_reach_hello();
    peer_hello.protection = PROTECTION_SIGN;
    client_say_hello();
    handshake_expect_refusal(
        RESET_PROTECTION,
        "protection differs: the peer is set to sign, this side to seal; set "
        "`protection` alike at both ends");
}
END_TEST

START_TEST(other_label_is_refused)
{
    client_reach_hello();
    strcpy(peer_hello.label, "blue");
    client_say_hello();
    handshake_expect_refusal(
        RESET_LABEL, "tunnel labels differ: the peer has 'blue', this side "
                     "''; set `tunnel` alike at both ends");
}
END_TEST

START_TEST(foreign_target_is_refused)
{
    client_reach_hello();
    strcpy(peer_hello.target, "cifs/db1.example.test");
    client_say_hello();
    handshake_expect_refusal(
        RESET_TARGET, "the client asked for 'cifs/db1.example.test', which is "
                      "not a name of this service; see `service_class` and "
                      "`spn`");
}
END_TEST

/* Breaches. */

static void
send_plain(bool encrypted, const char *plain, size_t size)
{
    struct bytes flight = {0};

    peer_seal(&flight, encrypted, plain, size);
    peer_send(&flight);
}

START_TEST(data_in_place_of_hello_is_a_breach)
{
    client_reach_hello();
    send_plain(true, "\x03 early", 7);
    handshake_expect_refusal(RESET_PROTOCOL, BREACH "data in place of HELLO");
}
END_TEST

START_TEST(unencrypted_hello_is_a_breach)
{
    uint8_t plain[HELLO_SIZE_MAX];

    client_reach_hello();
    size_t size = hello_encode(&peer_hello, plain);
    send_plain(false, (char *)plain, size);
    handshake_expect_refusal(RESET_PROTOCOL,
                             BREACH "unencrypted hello in place of HELLO");
}
END_TEST

START_TEST(unencrypted_reset_is_a_breach)
{
    client_reach_hello();
    send_plain(false, "\x05\x01\0\0\0", 5);
    handshake_expect_refusal(RESET_PROTOCOL,
                             BREACH "unencrypted reset in place of HELLO");
}
END_TEST

START_TEST(empty_message_is_a_breach)
{
    client_reach_hello();
    send_plain(true, "", 0);
    handshake_expect_refusal(RESET_PROTOCOL, BREACH "an empty message");
}
END_TEST

START_TEST(misshapen_hello_is_a_breach)
{
    struct hello hello;
    struct error why;

    ck_assert(!hello_parse((const uint8_t *)"\x01XXXX", 5, &hello, &why));
    client_reach_hello();
    send_plain(true, "\x01XXXX", 5);
    handshake_expect_refusal(RESET_PROTOCOL, why.text);
}
END_TEST

START_TEST(misshapen_reset_is_a_breach)
{
    struct reset reset;
    struct error why;

    ck_assert(!reset_parse((const uint8_t *)"\x05", 1, &reset, &why));
    client_reach_hello();
    send_plain(true, "\x05", 1);
    handshake_expect_refusal(RESET_PROTOCOL, why.text);
}
END_TEST

START_TEST(reset_of_the_client_is_heard_and_not_answered)
{
    struct bytes flight = {0};

    client_reach_hello();
    peer_add_reset(&flight, RESET_LABEL, false, "labels\ndiffer");
    peer_send(&flight);
    handshake_expect(HANDSHAKE_REFUSED,
                     "the client refused (label): labels\\x0adiffer");
    ck_assert_uint_eq(handshake_await()->farewell.size, 0);
}
END_TEST

/* As the doctor does: it is no failure of ours. */
START_TEST(client_that_leaves_in_place_of_its_hello_is_a_probe)
{
    struct bytes flight = {0};

    client_reach_hello();
    peer_add_reset(&flight, RESET_SHUTDOWN, true, "only\ttried");
    peer_send(&flight);
    handshake_expect(HANDSHAKE_PROBE,
                     "the client left before its HELLO: only\\x09tried");
    ck_assert_uint_eq(handshake_await()->farewell.size, 0);
}
END_TEST

static Suite *
handshake_refusal_suite(void)
{
    Suite *suite = suite_create("handshake_refusal");
    TCase *refusals = tcase_create("refusals");

    tcase_set_timeout(refusals, 60);
    tcase_add_checked_fixture(refusals, server_set_up, handshake_tear_down);
    tcase_add_test(refusals, foreign_version_is_refused);
    tcase_add_test(refusals, other_protection_is_refused);
    tcase_add_test(refusals, other_label_is_refused);
    tcase_add_test(refusals, foreign_target_is_refused);
    tcase_add_test(refusals, data_in_place_of_hello_is_a_breach);
    tcase_add_test(refusals, unencrypted_hello_is_a_breach);
    tcase_add_test(refusals, unencrypted_reset_is_a_breach);
    tcase_add_test(refusals, empty_message_is_a_breach);
    tcase_add_test(refusals, misshapen_hello_is_a_breach);
    tcase_add_test(refusals, misshapen_reset_is_a_breach);
    tcase_add_test(refusals, reset_of_the_client_is_heard_and_not_answered);
    tcase_add_test(refusals,
                   client_that_leaves_in_place_of_its_hello_is_a_probe);
    suite_add_tcase(suite, refusals);
    return suite;
}

CHECK_MAIN(handshake_refusal_suite)
