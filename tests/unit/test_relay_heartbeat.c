/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/relay.c: PING and PONG, silence and idleness. */
#include "check_main.h"

#include "latch.h"
#include "relay_fixture.h"

enum {
    BEAT_MS = 30,
    /* Where the test must answer in time, on a busy machine too. */
    SLOW_BEAT_MS = 400,
    /* Never, within a test. */
    LONG_MS = 600000,
};

/* Long enough for a heart that should stand still to have stopped. */
static void
let_beats_pass(void)
{
    uint64_t end = loop_now_ms() + 5 * BEAT_MS;

    while (loop_now_ms() < end)
        latch_pause();
}

START_TEST(quiet_peer_is_pinged)
{
    relay_plan.heartbeat = BEAT_MS;
    relay_begin();
    peer_expect(MESSAGE_PING, "");
}
END_TEST

START_TEST(signed_ping_is_readable)
{
    relay_plan.heartbeat = BEAT_MS;
    relay_plan.protection = PROTECTION_SIGN;
    relay_begin();
    peer_expect(MESSAGE_PING, "");
}
END_TEST

START_TEST(heart_beats_as_long_as_it_is_answered)
{
    relay_plan.heartbeat = SLOW_BEAT_MS;
    relay_begin();
    for (int i = 0; i < 3; i++) {
        peer_expect(MESSAGE_PING, "");
        peer_say(MESSAGE_PONG, "");
    }
}
END_TEST

START_TEST(any_byte_is_life)
{
    struct bytes flight = {0};

    relay_plan.heartbeat = SLOW_BEAT_MS;
    relay_begin();
    peer_add(&flight, MESSAGE_DATA, "a frame in pieces");
    for (size_t i = 0; i < 3; i++) {
        peer_expect(MESSAGE_PING, "");
        sockets_write(peer.fd, flight.data + i, 1);
    }
    bytes_clear(&flight);
}
END_TEST

START_TEST(peer_that_answers_no_ping_is_dead)
{
    relay_plan.heartbeat = BEAT_MS;
    relay_begin();
    relay_expect_end(RELAY_SILENT, 0,
                     "truncated: the peer is silent and answers no PING");
    peer_expect(MESSAGE_PING, "");
    sockets_expect_nothing(peer.fd);
}
END_TEST

START_TEST(heartbeat_can_be_off)
{
    relay_begin();
    let_beats_pass();
    sockets_expect_nothing(peer.fd);
}
END_TEST

START_TEST(heart_beats_on_when_one_direction_has_ended)
{
    relay_plan.heartbeat = SLOW_BEAT_MS;
    relay_begin();
    peer_say(MESSAGE_EOF, "");
    peer_expect(MESSAGE_PING, "");
    peer_say(MESSAGE_PONG, "");
    peer_expect(MESSAGE_PING, "");
}
END_TEST

/* No heartbeat while blocked. */

START_TEST(heart_stands_still_while_the_application_does_not_read)
{
    size_t clog = sockets_fill(relay_plan.app_fd);

    relay_plan.heartbeat = BEAT_MS;
    peer_say(MESSAGE_DATA, "stuck");
    relay_begin();
    let_beats_pass();
    ck_assert(!relay_has_ended());
    sockets_expect_nothing(peer.fd);
    sockets_drop(application, clog);
    sockets_expect(application, "stuck");
    peer_expect(MESSAGE_PING, "");
}
END_TEST

START_TEST(heart_stands_still_while_the_tunnel_takes_nothing)
{
    size_t clog = relay_clog_tunnel();

    relay_plan.heartbeat = BEAT_MS;
    sockets_write(application, "stuck", 5);
    relay_begin();
    let_beats_pass();
    ck_assert(!relay_has_ended());
    sockets_drop(peer.fd, clog);
    peer_expect(MESSAGE_DATA, "stuck");
    peer_expect(MESSAGE_PING, "");
}
END_TEST

START_TEST(heart_stands_still_until_ready)
{
    relay_plan.heartbeat = BEAT_MS;
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_begin();
    let_beats_pass();
    ck_assert(!relay_has_ended());
    sockets_expect_nothing(peer.fd);
    peer_say(MESSAGE_READY, "");
    peer_expect(MESSAGE_PING, "");
}
END_TEST

/* PONG. */

START_TEST(ping_is_answered)
{
    relay_begin();
    peer_say(MESSAGE_PING, "");
    peer_expect(MESSAGE_PONG, "");
}
END_TEST

START_TEST(pong_without_ping_is_taken)
{
    relay_begin();
    peer_say(MESSAGE_PONG, "");
    peer_say(MESSAGE_DATA, "fine");
    sockets_expect(application, "fine");
}
END_TEST

START_TEST(flood_of_pings_is_answered_by_few_pongs)
{
    struct bytes flight = {0};
    size_t clog = relay_clog_tunnel();

    for (int i = 0; i < 2000; i++)
        peer_add(&flight, MESSAGE_PING, "");
    peer_add(&flight, MESSAGE_DATA, "over");
    relay_begin();
    peer_send(&flight);
    sockets_expect(application, "over");
    sockets_drop(peer.fd, clog);
    /* One was sealed before it turned out that the tunnel is full, one is
     * owed. */
    peer_expect(MESSAGE_PONG, "");
    peer_expect(MESSAGE_PONG, "");
    loop_settle();
    sockets_expect_nothing(peer.fd);
}
END_TEST

/* Idleness. */

START_TEST(tunnel_without_data_ends_at_idle_timeout)
{
    relay_plan.idle_timeout = BEAT_MS;
    relay_begin();
    relay_expect_end(RELAY_IDLE, RESET_TIMEOUT, "idle for idle_timeout");
    struct bytes words = relay_words(RESET_TIMEOUT, "idle");
    peer_open_reset(&words, RESET_TIMEOUT, "idle");
    bytes_clear(&words);
}
END_TEST

START_TEST(pings_do_not_keep_an_idle_tunnel)
{
    relay_plan.idle_timeout = 4 * BEAT_MS;
    relay_begin();
    while (!relay_has_ended()) {
        peer_say(MESSAGE_PING, "");
        latch_pause();
    }
    ck_assert_int_eq(relay_await_end()->end, RELAY_IDLE);
}
END_TEST

START_TEST(heartbeat_does_not_keep_an_idle_tunnel)
{
    relay_plan.heartbeat = LONG_MS;
    relay_plan.idle_timeout = 2 * BEAT_MS;
    relay_begin();
    relay_expect_end(RELAY_IDLE, RESET_TIMEOUT, "idle for idle_timeout");
}
END_TEST

/* Of a test that falls behind the clock nothing can be seen. */
static void
expect_kept_by(void (*act)(void))
{
    relay_plan.idle_timeout = 20 * BEAT_MS;
    relay_begin();
    let_beats_pass();
    uint64_t acted = loop_now_ms();
    act();
    bool late = relay_has_ended();
    relay_await_end();
    if (!late)
        ck_assert_uint_ge(loop_now_ms(), acted + relay_plan.idle_timeout);
}

static void
write_a_byte(void)
{
    sockets_write(application, "x", 1);
}

static void
say_a_byte(void)
{
    peer_say(MESSAGE_DATA, "x");
}

static void
say_eof(void)
{
    peer_say(MESSAGE_EOF, "");
}

START_TEST(bytes_of_the_application_are_activity)
{
    expect_kept_by(write_a_byte);
}
END_TEST

START_TEST(bytes_of_the_peer_are_activity)
{
    expect_kept_by(say_a_byte);
}
END_TEST

START_TEST(end_of_a_direction_is_activity)
{
    expect_kept_by(say_eof);
}
END_TEST

static Suite *
relay_heartbeat_suite(void)
{
    Suite *suite = suite_create("relay_heartbeat");
    TCase *beat = tcase_create("heartbeat");
    TCase *blocked = tcase_create("blocked");
    TCase *pong = tcase_create("PONG");
    TCase *idle = tcase_create("idle");

    tcase_set_timeout(beat, 60);
    tcase_add_checked_fixture(beat, relay_set_up, relay_tear_down);
    tcase_add_test(beat, quiet_peer_is_pinged);
    tcase_add_test(beat, signed_ping_is_readable);
    tcase_add_test(beat, heart_beats_as_long_as_it_is_answered);
    tcase_add_test(beat, any_byte_is_life);
    tcase_add_test(beat, peer_that_answers_no_ping_is_dead);
    tcase_add_test(beat, heartbeat_can_be_off);
    tcase_add_test(beat, heart_beats_on_when_one_direction_has_ended);
    suite_add_tcase(suite, beat);
    tcase_set_timeout(blocked, 60);
    tcase_add_checked_fixture(blocked, relay_set_up, relay_tear_down);
    tcase_add_test(blocked,
                   heart_stands_still_while_the_application_does_not_read);
    tcase_add_test(blocked, heart_stands_still_while_the_tunnel_takes_nothing);
    tcase_add_test(blocked, heart_stands_still_until_ready);
    suite_add_tcase(suite, blocked);
    tcase_set_timeout(pong, 60);
    tcase_add_checked_fixture(pong, relay_set_up, relay_tear_down);
    tcase_add_test(pong, ping_is_answered);
    tcase_add_test(pong, pong_without_ping_is_taken);
    tcase_add_test(pong, flood_of_pings_is_answered_by_few_pongs);
    suite_add_tcase(suite, pong);
    tcase_set_timeout(idle, 60);
    tcase_add_checked_fixture(idle, relay_set_up, relay_tear_down);
    tcase_add_test(idle, tunnel_without_data_ends_at_idle_timeout);
    tcase_add_test(idle, pings_do_not_keep_an_idle_tunnel);
    tcase_add_test(idle, heartbeat_does_not_keep_an_idle_tunnel);
    tcase_add_test(idle, bytes_of_the_application_are_activity);
    tcase_add_test(idle, bytes_of_the_peer_are_activity);
    tcase_add_test(idle, end_of_a_direction_is_activity);
    suite_add_tcase(suite, idle);
    return suite;
}

CHECK_MAIN(relay_heartbeat_suite)
