/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/relay.c: death in every state, and life with little memory.  What
 * leaks is seen by the fixture's end and by the sanitizer. */
#include "check_main.h"

#include <string.h>
#include <sys/socket.h>

#include "relay_fixture.h"

enum {
    LOAD_SIZE = 300000
};

static uint8_t load[LOAD_SIZE], back[LOAD_SIZE];

static void
set_up(void)
{
    for (size_t i = 0; i < sizeof load; i++)
        load[i] = (uint8_t)(i * 7 + i / 251);
    relay_set_up();
}

/* Death.  Each test leads to a state; the fixture frees the relay in it. */

START_TEST(relay_dies_before_its_first_turn)
{
    relay_begin();
    relay_quit();
    sockets_expect_nothing(application);
}
END_TEST

START_TEST(relay_dies_awaiting_ready)
{
    relay_plan.opening = RELAY_AWAITS_READY;
    relay_plan.heartbeat = relay_plan.idle_timeout = 60000;
    relay_begin();
    loop_settle();
}
END_TEST

START_TEST(relay_dies_with_a_frame_half_read)
{
    relay_begin();
    sockets_write(peer.fd, "\0\0\0\x40 half", 9);
    sockets_await_read(peer.fd);
    ck_assert_uint_gt(batch_budget_used(test_budget), 0);
}
END_TEST

START_TEST(relay_dies_with_plaintext_for_a_slow_application)
{
    sockets_fill(relay_plan.app_fd);
    relay_begin();
    peer_say(MESSAGE_DATA, "undelivered");
    sockets_await_read(peer.fd);
    ck_assert_uint_gt(batch_budget_used(test_budget), 0);
}
END_TEST

START_TEST(relay_dies_with_records_for_a_slow_peer)
{
    relay_clog_tunnel();
    relay_begin();
    sockets_write(application, "unsent", 6);
    sockets_await_read(application);
    ck_assert_uint_gt(batch_budget_used(test_budget), 0);
}
END_TEST

START_TEST(relay_dies_with_its_eof_unsent)
{
    relay_clog_tunnel();
    relay_begin();
    ck_assert_int_eq(shutdown(application, SHUT_WR), 0);
    loop_settle();
}
END_TEST

START_TEST(relay_dies_with_a_frame_beyond_the_limit)
{
    loop_limit_memory(0);
    relay_begin();
    sockets_write(peer.fd, "\0\0\xff\xff", 4);
    sockets_write(peer.fd, load, 8192);
    loop_settle();
}
END_TEST

START_TEST(relay_dies_after_its_end)
{
    relay_begin();
    peer_shut();
    relay_await_end();
    relay_quit();
}
END_TEST

START_TEST(relay_says_nothing_more_after_its_end)
{
    relay_plan.heartbeat = relay_plan.idle_timeout = 20;
    relay_begin();
    relay_await_end();
    sockets_write(application, "unheard", 7);
    peer_say(MESSAGE_DATA, "unheard");
    loop_settle();
    sockets_expect_nothing(application);
}
END_TEST

static void
end_by_fin(void)
{
    peer_shut();
}

static void
end_by_breach(void)
{
    peer_say(MESSAGE_HELLO, "");
}

static void
end_by_both_eofs(void)
{
    peer_say(MESSAGE_EOF, "");
    ck_assert_int_eq(shutdown(application, SHUT_WR), 0);
}

static void
end_by_silence(void)
{
}

static void
end_by_a_dead_engine(void)
{
    relay_limit_seals(0);
    sockets_write(application, "x", 1);
}

static void (*const ends[])(void) = {
    end_by_fin,     end_by_breach,        end_by_both_eofs,
    end_by_silence, end_by_a_dead_engine,
};

START_TEST(relay_may_be_freed_inside_its_own_end)
{
    if (ends[_i] == end_by_silence)
        relay_plan.heartbeat = 20;
    relay_free_at_end();
    relay_begin();
    ends[_i]();
    relay_await_end();
}
END_TEST

/* Memory. */

START_TEST(guaranteed_memory_is_enough_to_go_on)
{
    loop_limit_memory(0);
    relay_plan.peer_max_plaintext = 4096;
    relay_begin();
    for (size_t at = 0; at < sizeof load; at += 3000) {
        peer_say_data(load + at, 3000);
        sockets_read(application, back, 3000);
        ck_assert_mem_eq(back, load + at, 3000);
        sockets_write(application, load + at, 3000);
        peer_expect_data(load + at, 3000);
    }
    ck_assert_uint_eq(batch_budget_used(test_budget), 0);
}
END_TEST

START_TEST(small_frames_are_carried_with_guaranteed_memory)
{
    struct bytes flight = {0};

    loop_limit_memory(0);
    relay_begin();
    for (size_t i = 0; i < 1000; i++) {
        uint8_t plain[100] = {MESSAGE_DATA};
        memcpy(plain + 1, load + 99 * i, 99);
        peer_seal(&flight, true, plain, sizeof plain);
    }
    peer_send(&flight);
    sockets_read(application, back, 99000);
    ck_assert_mem_eq(back, load, 99000);
}
END_TEST

static struct batch held;

static void
hold_memory(void *arg)
{
    (void)arg;
    ck_assert(batch_grow(test_store, &held, 32 * 1024));
}

static void
give_memory_back(void *arg)
{
    (void)arg;
    batch_release(test_store, &held);
}

/* The others' batches, and the relay's, which is in the middle of a frame. */
START_TEST(frame_that_has_begun_finds_its_room_beyond_the_limit)
{
    loop_limit_memory(32 * 1024);
    loop_do(hold_memory, NULL);
    relay_begin();
    peer_say_data(load, PLAINTEXT_MAX - 1);
    sockets_read(application, back, PLAINTEXT_MAX - 1);
    ck_assert_mem_eq(back, load, PLAINTEXT_MAX - 1);
    loop_settle();
    ck_assert_uint_eq(batch_budget_used(test_budget), 32 * 1024);
    loop_do(give_memory_back, NULL);
}
END_TEST

START_TEST(frame_beyond_the_limit_takes_no_more_than_twice_what_came)
{
    static const uint8_t large_frame[6000] = {0, 0, 0xff, 0xff, 5, 4};

    loop_limit_memory(0);
    relay_begin();
    sockets_write(peer.fd, large_frame, sizeof large_frame);
    loop_settle();
    ck_assert_uint_eq(batch_budget_used(test_budget), 16 * 1024);
}
END_TEST

START_TEST(frame_of_the_largest_size_finds_its_room)
{
    loop_limit_memory(160 * 1024);
    relay_begin();
    for (int i = 0; i < 3; i++) {
        peer_say_data(load, PLAINTEXT_MAX - 1);
        sockets_read(application, back, PLAINTEXT_MAX - 1);
        ck_assert_mem_eq(back, load, PLAINTEXT_MAX - 1);
    }
}
END_TEST

static Suite *
relay_life_suite(void)
{
    Suite *suite = suite_create("relay_life");
    TCase *death = tcase_create("death");
    TCase *memory = tcase_create("memory");

    tcase_set_timeout(death, 60);
    tcase_add_checked_fixture(death, set_up, relay_tear_down);
    tcase_add_test(death, relay_dies_before_its_first_turn);
    tcase_add_test(death, relay_dies_awaiting_ready);
    tcase_add_test(death, relay_dies_with_a_frame_half_read);
    tcase_add_test(death, relay_dies_with_plaintext_for_a_slow_application);
    tcase_add_test(death, relay_dies_with_records_for_a_slow_peer);
    tcase_add_test(death, relay_dies_with_its_eof_unsent);
    tcase_add_test(death, relay_dies_with_a_frame_beyond_the_limit);
    tcase_add_test(death, relay_dies_after_its_end);
    tcase_add_test(death, relay_says_nothing_more_after_its_end);
    tcase_add_loop_test(death, relay_may_be_freed_inside_its_own_end, 0,
                        sizeof ends / sizeof ends[0]);
    suite_add_tcase(suite, death);
    tcase_set_timeout(memory, 60);
    tcase_add_checked_fixture(memory, set_up, relay_tear_down);
    tcase_add_test(memory, guaranteed_memory_is_enough_to_go_on);
    tcase_add_test(memory, small_frames_are_carried_with_guaranteed_memory);
    tcase_add_test(memory,
                   frame_that_has_begun_finds_its_room_beyond_the_limit);
    tcase_add_test(memory,
                   frame_beyond_the_limit_takes_no_more_than_twice_what_came);
    tcase_add_test(memory, frame_of_the_largest_size_finds_its_room);
    suite_add_tcase(suite, memory);
    return suite;
}

CHECK_MAIN(relay_life_suite)
