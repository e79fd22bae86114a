/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/relay.c: peers that break the protocol, and tokens that were broken
 * on their way. */
#include "check_main.h"

#include <string.h>
#include <sys/socket.h>

#include "relay_fixture.h"

#define BREACH "the peer broke the protocol: "

/* Breaches: authentic, and wrong. */

static void
expect_breach(const char *text)
{
    relay_expect_end(RELAY_VIOLATION, RESET_PROTOCOL, text);
    struct bytes words = relay_words(RESET_PROTOCOL, text);
    peer_open_reset(&words, RESET_PROTOCOL, text);
    bytes_clear(&words);
}

static void
send_plain(bool encrypted, const char *plain, size_t size)
{
    struct bytes flight = {0};

    peer_seal(&flight, encrypted, plain, size);
    peer_send(&flight);
}

START_TEST(data_after_its_end_is_a_breach)
{
    relay_begin();
    peer_say(MESSAGE_EOF, "");
    sockets_expect_end(application);
    peer_say(MESSAGE_DATA, "more");
    expect_breach(BREACH "data after its end (data)");
}
END_TEST

START_TEST(data_right_behind_its_end_is_a_breach)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add(&flight, MESSAGE_EOF, "");
    peer_add(&flight, MESSAGE_DATA, "more");
    peer_send(&flight);
    expect_breach(BREACH "data after its end (data)");
}
END_TEST

START_TEST(second_end_is_a_breach)
{
    relay_begin();
    peer_say(MESSAGE_EOF, "");
    peer_say(MESSAGE_EOF, "");
    expect_breach(BREACH "a second end (eof)");
}
END_TEST

START_TEST(empty_message_is_a_breach)
{
    relay_begin();
    send_plain(true, "", 0);
    expect_breach(BREACH "an empty message");
}
END_TEST

START_TEST(unknown_type_is_a_breach)
{
    relay_begin();
    send_plain(true, "\x08", 1);
    expect_breach(BREACH "a message out of order (unknown)");
}
END_TEST

START_TEST(type_zero_is_a_breach)
{
    relay_begin();
    send_plain(true, "\0", 1);
    expect_breach(BREACH "a message out of order (unknown)");
}
END_TEST

START_TEST(hello_while_relaying_is_a_breach)
{
    relay_begin();
    send_plain(true, "\x01", 1);
    expect_breach(BREACH "a message out of order (hello)");
}
END_TEST

START_TEST(ready_while_relaying_is_a_breach)
{
    relay_begin();
    peer_say(MESSAGE_READY, "");
    expect_breach(BREACH "a message out of order (ready)");
}
END_TEST

START_TEST(second_ready_is_a_breach)
{
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    peer_say(MESSAGE_READY, "");
    peer_say(MESSAGE_READY, "");
    expect_breach(BREACH "a message out of order (ready)");
    relay_await_opened();
}
END_TEST

START_TEST(ready_from_a_client_is_a_breach)
{
    relay_of_server();
    relay_begin();
    peer_expect(MESSAGE_READY, "");
    peer_say(MESSAGE_READY, "");
    expect_breach(BREACH "a message out of order (ready)");
}
END_TEST

START_TEST(data_before_ready_is_a_breach)
{
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    peer_say(MESSAGE_DATA, "early");
    expect_breach(BREACH "a message before READY (data)");
    sockets_expect_nothing(application);
}
END_TEST

START_TEST(ping_before_ready_is_a_breach)
{
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    peer_say(MESSAGE_PING, "");
    expect_breach(BREACH "a message before READY (ping)");
}
END_TEST

static const struct {
    enum message_type type;
    const char *text;
} bare[] = {
    {MESSAGE_EOF, BREACH "a body where none belongs (eof)"},
    {MESSAGE_PING, BREACH "a body where none belongs (ping)"},
    {MESSAGE_PONG, BREACH "a body where none belongs (pong)"},
};

START_TEST(body_where_none_belongs_is_a_breach)
{
    relay_begin();
    peer_say(bare[_i].type, "body");
    expect_breach(bare[_i].text);
}
END_TEST

START_TEST(misshapen_reset_is_a_breach)
{
    struct reset reset;
    struct error why;

    ck_assert(!reset_parse((const uint8_t *)"\x05\x08", 2, &reset, &why));
    relay_begin();
    send_plain(true, "\x05\x08", 2);
    expect_breach(why.text);
}
END_TEST

/* The wrong kind of token. */

static const struct {
    const char *plain;
    const char *text;
} unencrypted[] = {
    {"\x03 data", BREACH "an unencrypted message (data)"},
    {"\x04", BREACH "an unencrypted message (eof)"},
    {"\x06", BREACH "an unencrypted message (ping)"},
    {"\x05", BREACH "an unencrypted message (reset)"},
};

START_TEST(unencrypted_message_in_a_sealed_tunnel_is_a_breach)
{
    relay_begin();
    send_plain(false, unencrypted[_i].plain, strlen(unencrypted[_i].plain));
    expect_breach(unencrypted[_i].text);
    sockets_expect_nothing(application);
}
END_TEST

START_TEST(encrypted_data_in_a_signed_tunnel_is_a_breach)
{
    relay_plan.protection = PROTECTION_SIGN;
    relay_begin();
    send_plain(true, "\x03 data", 6);
    expect_breach(BREACH "an encrypted message in a signed tunnel (data)");
    sockets_expect_nothing(application);
}
END_TEST

START_TEST(encrypted_ping_in_a_signed_tunnel_is_a_breach)
{
    relay_plan.protection = PROTECTION_SIGN;
    relay_begin();
    send_plain(true, "\x06", 1);
    expect_breach(BREACH "an encrypted message in a signed tunnel (ping)");
}
END_TEST

START_TEST(unencrypted_reset_in_a_signed_tunnel_is_a_breach)
{
    relay_plan.protection = PROTECTION_SIGN;
    relay_begin();
    send_plain(false, "\x05\x08\0\0\0", 5);
    expect_breach(BREACH "an unencrypted message (reset)");
}
END_TEST

START_TEST(reset_is_encrypted_in_a_signed_tunnel)
{
    struct bytes flight = {0};

    relay_plan.protection = PROTECTION_SIGN;
    relay_begin();
    peer_add_reset(&flight, RESET_APPLICATION, false, "gone");
    peer_send(&flight);
    relay_expect_end(RELAY_PEER_RESET, 0,
                     "the peer ended it (application): gone");
}
END_TEST

/* Damage: the peer may be honest, so that it is told nothing. */

#define DAMAGED "the tunnel is damaged: "

static void
expect_damage(const char *text)
{
    relay_expect_end(RELAY_TRUNCATED, 0, text);
    struct bytes words = relay_words(0, "");
    ck_assert_uint_eq(words.size, 0);
}

/* A flight of three, of which the second is spoilt. */
static void
send_spoilt(void (*spoil)(uint8_t *token, size_t size))
{
    struct bytes flight = {0};

    peer_add(&flight, MESSAGE_DATA, "one");
    size_t before = flight.size;
    uint8_t *token = peer_add(&flight, MESSAGE_DATA, "two");
    spoil(token, flight.size - before - FRAME_HEADER_SIZE);
    peer_add(&flight, MESSAGE_DATA, "three");
    peer_send(&flight);
}

/* "one" may have been delivered before, whole; nothing else. */
static void
expect_at_most_one(void)
{
    char bytes[16];
    ssize_t n = recv(application, bytes, sizeof bytes, MSG_DONTWAIT);

    ck_assert(n == -1 || (n == 3 && memcmp(bytes, "one", 3) == 0));
}

static void
flip_a_bit(uint8_t *token, size_t size)
{
    token[size / 2] ^= 0x10;
}

START_TEST(nothing_is_delivered_from_a_changed_record_on)
{
    relay_begin();
    send_spoilt(flip_a_bit);
    expect_damage(DAMAGED "cannot unseal a record: its checksum is wrong");
    expect_at_most_one();
}
END_TEST

static void
number_anew(uint8_t *token, size_t size)
{
    token[FAKE_SEQUENCE_AT + 3] += 1;
    fake_resign(token, size);
}

START_TEST(nothing_is_delivered_from_a_gap_on)
{
    relay_begin();
    send_spoilt(number_anew);
    expect_damage(DAMAGED "cannot unseal a record: it is out of sequence");
    expect_at_most_one();
}
END_TEST

START_TEST(repeated_record_is_damage)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add(&flight, MESSAGE_DATA, "once");
    sockets_write(peer.fd, flight.data, flight.size);
    sockets_expect(application, "once");
    peer_send(&flight);
    expect_damage(DAMAGED "cannot unseal a record: it is out of sequence");
    sockets_expect_nothing(application);
}
END_TEST

START_TEST(record_sent_back_is_damage)
{
    struct bytes flight = {0};

    relay_begin();
    sockets_write(application, "mine", 4);
    size_t size = peer_hear_token();
    ck_assert_uint_eq(size, FAKE_AROUND - FRAME_HEADER_SIZE + 5);
    ck_assert(bytes_append(&flight, "\0\0\0\x19", 4));
    ck_assert(bytes_append(&flight, peer.token, size));
    peer_send(&flight);
    expect_damage(DAMAGED "cannot unseal a record: it is one of our own");
}
END_TEST

START_TEST(empty_frame_is_damage)
{
    relay_begin();
    sockets_write(peer.fd, "\0\0\0\0", 4);
    expect_damage(DAMAGED "a frame of 0 bytes");
}
END_TEST

START_TEST(frame_over_the_limit_is_damage_before_its_token)
{
    relay_begin();
    sockets_write(peer.fd, "\0\x01\0\x41", 4);
    expect_damage(DAMAGED "a frame of 65601 bytes");
}
END_TEST

START_TEST(frame_at_the_limit_is_awaited)
{
    relay_begin();
    sockets_write(peer.fd, "\0\x01\0\x40", 4);
    sockets_await_read(peer.fd);
    loop_settle();
    ck_assert(!relay_has_ended());
}
END_TEST

START_TEST(good_frames_before_a_bad_header_may_be_lost_but_end_it)
{
    struct bytes flight = {0};

    relay_begin();
    peer_add(&flight, MESSAGE_DATA, "one");
    ck_assert(bytes_append(&flight, "\xff", 1));
    peer_send(&flight);
    ck_assert_int_eq(relay_await_end()->end, RELAY_TRUNCATED);
    expect_at_most_one();
}
END_TEST

START_TEST(engine_that_cannot_seal_ends_it_without_words)
{
    relay_begin();
    relay_limit_seals(1);
    sockets_write(application, "one", 3);
    peer_expect(MESSAGE_DATA, "one");
    sockets_write(application, "two", 3);
    relay_expect_end(RELAY_TRUNCATED, 0, "cannot seal a record: told to fail");
    struct bytes words = relay_words(RESET_INTERNAL, "not said");
    ck_assert_uint_eq(words.size, 0);
}
END_TEST

static Suite *
relay_breach_suite(void)
{
    Suite *suite = suite_create("relay_breach");
    TCase *order = tcase_create("order");
    TCase *kind = tcase_create("protection");
    TCase *damage = tcase_create("damage");

    tcase_set_timeout(order, 60);
    tcase_add_checked_fixture(order, relay_set_up, relay_tear_down);
    tcase_add_test(order, data_after_its_end_is_a_breach);
    tcase_add_test(order, data_right_behind_its_end_is_a_breach);
    tcase_add_test(order, second_end_is_a_breach);
    tcase_add_test(order, empty_message_is_a_breach);
    tcase_add_test(order, unknown_type_is_a_breach);
    tcase_add_test(order, type_zero_is_a_breach);
    tcase_add_test(order, hello_while_relaying_is_a_breach);
    tcase_add_test(order, ready_while_relaying_is_a_breach);
    tcase_add_test(order, second_ready_is_a_breach);
    tcase_add_test(order, ready_from_a_client_is_a_breach);
    tcase_add_test(order, data_before_ready_is_a_breach);
    tcase_add_test(order, ping_before_ready_is_a_breach);
    tcase_add_loop_test(order, body_where_none_belongs_is_a_breach, 0,
                        sizeof bare / sizeof bare[0]);
    tcase_add_test(order, misshapen_reset_is_a_breach);
    suite_add_tcase(suite, order);
    tcase_set_timeout(kind, 60);
    tcase_add_checked_fixture(kind, relay_set_up, relay_tear_down);
    tcase_add_loop_test(kind,
                        unencrypted_message_in_a_sealed_tunnel_is_a_breach, 0,
                        sizeof unencrypted / sizeof unencrypted[0]);
    tcase_add_test(kind, encrypted_data_in_a_signed_tunnel_is_a_breach);
    tcase_add_test(kind, encrypted_ping_in_a_signed_tunnel_is_a_breach);
    tcase_add_test(kind, unencrypted_reset_in_a_signed_tunnel_is_a_breach);
    tcase_add_test(kind, reset_is_encrypted_in_a_signed_tunnel);
    suite_add_tcase(suite, kind);
    tcase_set_timeout(damage, 60);
    tcase_add_checked_fixture(damage, relay_set_up, relay_tear_down);
    tcase_add_test(damage, nothing_is_delivered_from_a_changed_record_on);
    tcase_add_test(damage, nothing_is_delivered_from_a_gap_on);
    tcase_add_test(damage, repeated_record_is_damage);
    tcase_add_test(damage, record_sent_back_is_damage);
    tcase_add_test(damage, empty_frame_is_damage);
    tcase_add_test(damage, frame_over_the_limit_is_damage_before_its_token);
    tcase_add_test(damage, frame_at_the_limit_is_awaited);
    tcase_add_test(damage,
                   good_frames_before_a_bad_header_may_be_lost_but_end_it);
    tcase_add_test(damage, engine_that_cannot_seal_ends_it_without_words);
    suite_add_tcase(suite, damage);
    return suite;
}

CHECK_MAIN(relay_breach_suite)
