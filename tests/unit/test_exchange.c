/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/exchange.c: single frames, in pieces, over slow sockets. */
#include "check_main.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "latch.h"
#include "loop_fixture.h"
#include "proxy/exchange.h"
#include "sockets.h"

enum {
    MAX = 200000,
    /* Of the tests' own frame: "hello". */
    FRAME_SIZE = 9
};

static struct exchange exchange;
static int pair[2];
static struct latch framed, sent, ended;
static uint8_t frame[MAX];
static size_t frame_size;
static enum exchange_end end;
static struct error reason;

static void
on_frame(void *arg, uint8_t *token, size_t size)
{
    (void)arg;
    memcpy(frame, token, size);
    memset(token, 0, size);
    frame_size = size;
    latch_tell(&framed);
}

static void
on_sent(void *arg)
{
    (void)arg;
    latch_tell(&sent);
}

static void
on_ended(void *arg, enum exchange_end how, const struct error *error)
{
    (void)arg;
    ck_assert(!latch_was_told(&ended));
    end = how;
    reason = *error;
    latch_tell(&ended);
}

static void
start(void *arg)
{
    (void)arg;
    ck_assert(exchange_init(&exchange, test_loop, pair[0], on_ended, NULL));
}

static void
clear(void *arg)
{
    (void)arg;
    exchange_clear(&exchange);
}

static void
set_up(void)
{
    loop_set_up();
    framed = sent = ended = (struct latch)LATCH_INITIALIZER;
    sockets_pair(pair);
    loop_do(start, NULL);
}

static void
tear_down(void)
{
    loop_do(clear, NULL);
    close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    loop_tear_down();
}

static void
await(void *arg)
{
    exchange_await(&exchange, "the word", *(size_t *)arg, on_frame);
}

static void
await_frame(size_t max)
{
    loop_do(await, &max);
}

static void
send_bytes(void *arg)
{
    const struct bytes *bytes = arg;

    exchange.out = *bytes;
    exchange_send(&exchange, "the answer", on_sent);
}

static void
rest(void *arg)
{
    (void)arg;
    exchange_rest(&exchange, "a rest");
}

static void
expect_frame(const char *token, unsigned times)
{
    latch_wait(&framed, times);
    ck_assert_uint_eq(frame_size, strlen(token));
    ck_assert_mem_eq(frame, token, frame_size);
}

static void
expect_end(enum exchange_end how, const char *text)
{
    latch_wait(&ended, 1);
    ck_assert_str_eq(reason.text, text);
    ck_assert_int_eq((int)end, (int)how);
}

START_TEST(frame_may_be_split_at_every_byte)
{
    await_frame(100);
    sockets_write(pair[1], "\0\0\0\x05hello", (size_t)_i);
    sockets_await_read(pair[1]);
    sockets_write(pair[1], &"\0\0\0\x05hello"[_i], FRAME_SIZE - (size_t)_i);
    expect_frame("hello", 1);
}
END_TEST

START_TEST(one_frame_is_read_and_no_byte_more)
{
    await_frame(100);
    sockets_write(pair[1], "\0\0\0\x05hello\0\0\0\x05world", 18);
    expect_frame("hello", 1);
    await_frame(100);
    expect_frame("world", 2);
}
END_TEST

START_TEST(frame_that_was_there_before_is_found)
{
    sockets_write(pair[1], "\0\0\0\x05hello", 9);
    loop_settle();
    ck_assert(!latch_was_told(&framed));
    await_frame(100);
    expect_frame("hello", 1);
}
END_TEST

START_TEST(large_frame_comes_whole)
{
    static uint8_t bytes[4 + 131072] = {0, 2, 0, 0};

    for (size_t i = 4; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    await_frame(131072);
    sockets_write(pair[1], bytes, sizeof bytes);
    latch_wait(&framed, 1);
    ck_assert_uint_eq(frame_size, 131072);
    ck_assert_int_eq(memcmp(frame, bytes + 4, 131072), 0);
}
END_TEST

START_TEST(small_frame_may_follow_a_large_one)
{
    static uint8_t bytes[4 + 50000] = {0, 0, 0xc3, 0x50};

    await_frame(65536);
    sockets_write(pair[1], bytes, sizeof bytes);
    latch_wait(&framed, 1);
    await_frame(65536);
    sockets_write(pair[1], "\0\0\0\x05hello", 9);
    expect_frame("hello", 2);
}
END_TEST

START_TEST(rest_gives_memory_back_and_keeps_what_comes)
{
    await_frame(100);
    sockets_write(pair[1], "\0\0\0\x05hello", 9);
    expect_frame("hello", 1);
    loop_do(rest, NULL);
    ck_assert_ptr_null(exchange.in);
    sockets_write(pair[1], "\0\0\0\x05world", 9);
    loop_settle();
    await_frame(100);
    expect_frame("world", 2);
}
END_TEST

START_TEST(memory_grows_with_what_arrives)
{
    static uint8_t bytes[4 + 5000] = {0, 2, 0, 0};

    await_frame(131072);
    sockets_write(pair[1], bytes, sizeof bytes);
    sockets_await_read(pair[1]);
    loop_settle();
    ck_assert_uint_le(exchange.in_room, 16384);
}
END_TEST

START_TEST(peer_that_never_spoke_is_silent)
{
    await_frame(100);
    close(pair[1]);
    pair[1] = -1;
    expect_end(EXCHANGE_SILENT,
               "the peer closed the connection while the word was due");
}
END_TEST

START_TEST(peer_that_stops_inside_a_frame_is_broken)
{
    await_frame(100);
    sockets_write(pair[1], "\0\0\0\x05hell", 8);
    close(pair[1]);
    pair[1] = -1;
    expect_end(EXCHANGE_BROKEN,
               "the peer closed the connection while the word was due");
}
END_TEST

START_TEST(peer_that_stops_between_frames_is_broken)
{
    await_frame(100);
    sockets_write(pair[1], "\0\0\0\x05hello", 9);
    expect_frame("hello", 1);
    close(pair[1]);
    pair[1] = -1;
    await_frame(100);
    expect_end(EXCHANGE_BROKEN,
               "the peer closed the connection while the word was due");
}
END_TEST

START_TEST(frame_over_the_limit_ends_it)
{
    await_frame(4);
    sockets_write(pair[1], "\0\0\0\x05hello", 9);
    expect_end(EXCHANGE_BROKEN, "the peer does not speak this protocol: a "
                                "frame of 5 bytes in place of the word");
    ck_assert(!latch_was_told(&framed));
}
END_TEST

static struct bytes
make_load(size_t size)
{
    struct bytes load = {.data = malloc(size), .size = size};

    ck_assert_ptr_nonnull(load.data);
    memset(load.data, 'x', size);
    return load;
}

START_TEST(sending_waits_for_a_slow_peer)
{
    enum {
        SIZE = 1000000
    };
    struct bytes load = make_load(SIZE);

    loop_do(send_bytes, &load);
    loop_settle();
    ck_assert(!latch_was_told(&sent));
    sockets_drop(pair[1], SIZE);
    latch_wait(&sent, 1);
    ck_assert_uint_eq(exchange.out.size, 0);
}
END_TEST

START_TEST(sending_to_a_peer_that_is_gone_ends_it)
{
    struct bytes load = make_load(10);

    close(pair[1]);
    pair[1] = -1;
    loop_do(send_bytes, &load);
    expect_end(EXCHANGE_BROKEN, "cannot send to the peer: Broken pipe");
}
END_TEST

START_TEST(exchange_dies_in_the_middle_of_sending)
{
    struct bytes load = make_load(1000000);

    loop_do(send_bytes, &load);
    loop_settle();
}
END_TEST

static Suite *
exchange_suite(void)
{
    Suite *suite = suite_create("exchange");
    TCase *cases = tcase_create("exchange");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, frame_may_be_split_at_every_byte, 1, FRAME_SIZE);
    tcase_add_test(cases, one_frame_is_read_and_no_byte_more);
    tcase_add_test(cases, frame_that_was_there_before_is_found);
    tcase_add_test(cases, large_frame_comes_whole);
    tcase_add_test(cases, small_frame_may_follow_a_large_one);
    tcase_add_test(cases, rest_gives_memory_back_and_keeps_what_comes);
    tcase_add_test(cases, memory_grows_with_what_arrives);
    tcase_add_test(cases, peer_that_never_spoke_is_silent);
    tcase_add_test(cases, peer_that_stops_inside_a_frame_is_broken);
    tcase_add_test(cases, peer_that_stops_between_frames_is_broken);
    tcase_add_test(cases, frame_over_the_limit_ends_it);
    tcase_add_test(cases, sending_waits_for_a_slow_peer);
    tcase_add_test(cases, sending_to_a_peer_that_is_gone_ends_it);
    tcase_add_test(cases, exchange_dies_in_the_middle_of_sending);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(exchange_suite)
