/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/relay.c: bytes, both ways: whole, in pieces, many, and slowly. */
#include "check_main.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/container.h"
#include "base/turns.h"
#include "latch.h"
#include "relay_fixture.h"

enum {
    /* DATA "hello", PING, DATA "world" as frames of fake tokens. */
    FLIGHT_SIZE = 3 * (FAKE_AROUND + 1) + 10,
    LOAD_SIZE = 3 * 1024 * 1024 + 17,
};

static uint8_t load[LOAD_SIZE], back[LOAD_SIZE];

static void
set_up(void)
{
    uint32_t random = 1;

    for (size_t i = 0; i < sizeof load; i++) {
        random = random * 1664525 + 1013904223;
        load[i] = (uint8_t)(random >> 24);
    }
    relay_set_up();
}

START_TEST(what_the_application_writes_arrives_as_data)
{
    relay_begin();
    sockets_write(application, "hello", 5);
    peer_expect(MESSAGE_DATA, "hello");
}
END_TEST

START_TEST(data_is_delivered_to_the_application)
{
    relay_begin();
    peer_say(MESSAGE_DATA, "hello");
    sockets_expect(application, "hello");
}
END_TEST

START_TEST(signed_data_is_readable_and_delivered)
{
    relay_plan.protection = PROTECTION_SIGN;
    relay_begin();
    sockets_write(application, "hello", 5);
    peer_expect(MESSAGE_DATA, "hello");
    peer_say(MESSAGE_DATA, "world");
    sockets_expect(application, "world");
}
END_TEST

START_TEST(empty_data_is_taken_as_nothing)
{
    relay_begin();
    peer_say(MESSAGE_DATA, "");
    peer_say(MESSAGE_DATA, "after");
    sockets_expect(application, "after");
    ck_assert_uint_eq(relay_counts().to_app, 5);
}
END_TEST

static struct bytes
make_flight(void)
{
    struct bytes flight = {0};

    peer_add(&flight, MESSAGE_DATA, "hello");
    peer_add(&flight, MESSAGE_PING, "");
    peer_add(&flight, MESSAGE_DATA, "world");
    ck_assert_uint_eq(flight.size, FLIGHT_SIZE);
    return flight;
}

START_TEST(frames_may_be_split_at_every_byte)
{
    relay_begin();
    struct bytes flight = make_flight();
    size_t split = (size_t)_i;
    sockets_write(peer.fd, flight.data, split);
    sockets_await_read(peer.fd);
    sockets_write(peer.fd, flight.data + split, flight.size - split);
    sockets_expect(application, "helloworld");
    peer_expect(MESSAGE_PONG, "");
    bytes_clear(&flight);
}
END_TEST

START_TEST(frames_may_come_byte_by_byte)
{
    relay_begin();
    struct bytes flight = make_flight();
    for (size_t i = 0; i < flight.size; i++) {
        sockets_write(peer.fd, flight.data + i, 1);
        sockets_await_read(peer.fd);
    }
    sockets_expect(application, "helloworld");
    peer_expect(MESSAGE_PONG, "");
    bytes_clear(&flight);
}
END_TEST

/* The largest message is 65,472 bytes, its type included. */
static const size_t sizes[] = {1,     2,     4095,  4096,  16383, 16384,
                               16385, 65470, 65471, 65472, 65473};
enum {
    SIZES = sizeof sizes / sizeof sizes[0]
};

START_TEST(writes_of_every_size_arrive)
{
    size_t size = sizes[_i];

    relay_begin();
    sockets_write(application, load, size);
    peer_expect_data(load, size);
    peer_say_data(load, size);
    sockets_read(application, back, size);
    ck_assert_mem_eq(back, load, size);
}
END_TEST

START_TEST(no_plaintext_is_larger_than_the_peer_takes)
{
    size_t largest = 0;

    relay_plan.peer_max_plaintext = 4096;
    relay_begin();
    sockets_write(application, load, 40000);
    for (size_t got = 0; got < 40000; got += peer.heard.plain_size - 1) {
        ck_assert_int_eq(peer_hear(), MESSAGE_DATA);
        if (peer.heard.plain_size > largest)
            largest = peer.heard.plain_size;
    }
    ck_assert_uint_eq(largest, 4096);
}
END_TEST

START_TEST(many_small_frames_are_delivered_in_order)
{
    struct bytes flight = {0};

    relay_begin();
    for (size_t i = 0; i < 1000; i++) {
        uint8_t plain[] = {MESSAGE_DATA, load[2 * i], load[2 * i + 1]};
        peer_seal(&flight, true, plain, sizeof plain);
    }
    peer_send(&flight);
    sockets_read(application, back, 2000);
    ck_assert_mem_eq(back, load, 2000);
}
END_TEST

/* Loads in threads of their own, so that both ways are busy at once. */

static void *
write_application(void *arg)
{
    (void)arg;
    sockets_write(application, load, sizeof load);
    return NULL;
}

static void *
say_load(void *arg)
{
    (void)arg;
    peer_say_data(load, sizeof load);
    return NULL;
}

static void *
read_application(void *arg)
{
    (void)arg;
    sockets_read(application, back, sizeof back);
    return NULL;
}

static pthread_t
begin(void *(*function)(void *arg))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, function, NULL), 0);
    return thread;
}

static void
carry_both_ways(void)
{
    pthread_t threads[] = {
        begin(write_application),
        begin(say_load),
        begin(read_application),
    };

    peer_expect_data(load, sizeof load);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(memcmp(back, load, sizeof load), 0);
    ck_assert_uint_eq(relay_counts().from_app, sizeof load);
    ck_assert_uint_eq(relay_counts().to_app, sizeof load);
}

START_TEST(both_directions_carry_at_once)
{
    relay_begin();
    carry_both_ways();
}
END_TEST

START_TEST(both_directions_carry_at_once_over_tcp)
{
    relay_over_tcp();
    relay_begin();
    carry_both_ways();
}
END_TEST

START_TEST(batches_grow_until_the_engine_has_enough)
{
    relay_begin();
    pthread_t writer = begin(write_application);
    peer_expect_data(load, sizeof load);
    pthread_join(writer, NULL);
    /* 64 KiB in slots of 16. */
    ck_assert_uint_eq(relay_most_sealed(), 4);
}
END_TEST

START_TEST(batch_makes_as_many_records_as_the_engine_has_lanes)
{
    relay_of_lanes(16);
    relay_begin();
    sockets_write(application, load, 12 * 1024);
    peer_expect_data(load, 12 * 1024);
    /* Slots of 1 KiB in a batch of 16. */
    ck_assert_uint_ge(relay_most_sealed(), 12);
    ck_assert_uint_le(relay_most_sealed(), 14);
}
END_TEST

START_TEST(large_batches_fill_all_lanes)
{
    relay_of_lanes(16);
    relay_begin();
    pthread_t writer = begin(write_application);
    peer_expect_data(load, sizeof load);
    pthread_join(writer, NULL);
    ck_assert_uint_eq(relay_most_sealed(), 16);
}
END_TEST

/* The largest frame of the load. */
static size_t
largest_frame(void)
{
    size_t largest = 0;

    relay_begin();
    pthread_t writer = begin(write_application);
    for (size_t got = 0; got < sizeof load; got += peer.heard.plain_size - 1) {
        ck_assert_int_eq(peer_hear(), MESSAGE_DATA);
        if (peer.heard.plain_size > largest)
            largest = peer.heard.plain_size;
    }
    pthread_join(writer, NULL);
    return largest + FAKE_AROUND;
}

START_TEST(records_side_by_side_are_an_odd_number_of_cache_lines_apart)
{
    relay_of_lanes(16);
    /* A sixteenth of 64 KiB, less a line. */
    ck_assert_uint_eq(largest_frame(), 4096 - 64);
}
END_TEST

START_TEST(so_are_those_of_the_largest_size_the_peer_takes)
{
    relay_of_lanes(16);
    relay_plan.peer_max_plaintext = 2048 - FAKE_AROUND;
    ck_assert_uint_eq(largest_frame(), 2048 - 64);
}
END_TEST

/* Frames that nearly fill the first batch, so that the next one has always
 * begun, and many small ones. */
enum {
    FRAMES = 64,
    FRAME = 16 * 1024 - 64,
    BODY = FRAME - FAKE_AROUND - 1,
    SMALL_FRAMES = 10,
    SMALL_BODY = 200,
    SMALL_FRAME = SMALL_BODY + FAKE_AROUND + 1,
    BEGUN = 37, /* bytes of the first small one that come with the large ones */
};

static struct bytes
frames_large_and_small(void)
{
    static uint8_t plain[1 + BODY] = {MESSAGE_DATA};
    struct bytes flight = {0};

    for (size_t i = 0; i < FRAMES; i++)
        peer_seal(&flight, true, plain, sizeof plain);
    for (size_t i = 0; i < SMALL_FRAMES; i++)
        peer_seal(&flight, true, plain, 1 + SMALL_BODY);
    ck_assert_uint_eq(flight.size, FRAMES * FRAME + SMALL_FRAMES * SMALL_FRAME);
    return flight;
}

static void *
send_large(void *arg)
{
    struct bytes *flight = arg;

    sockets_write(peer.fd, flight->data, FRAMES * FRAME + BEGUN);
    return NULL;
}

/* Much is waiting when the application begins to read. */
static void
carry_large(struct bytes *flight)
{
    pthread_t sender;

    ck_assert_int_eq(pthread_create(&sender, NULL, send_large, flight), 0);
    loop_settle();
    for (size_t i = 0; i < FRAMES; i++)
        sockets_read(application, back, BODY);
    pthread_join(sender, NULL);
    loop_settle();
}

START_TEST(batch_to_receive_into_grows_while_a_frame_has_begun)
{
    struct bytes flight = frames_large_and_small();

    relay_begin();
    carry_large(&flight);
    ck_assert_uint_ge(relay_most_unsealed(), 3);
    ck_assert_uint_eq(batch_budget_used(test_budget), 64 * 1024);
    bytes_clear(&flight);
}
END_TEST

START_TEST(batch_to_receive_into_shrinks_while_a_frame_has_begun)
{
    struct bytes flight = frames_large_and_small();
    const uint8_t *next = flight.data + FRAMES * FRAME + BEGUN;

    relay_begin();
    carry_large(&flight);
    for (size_t i = 1; i < SMALL_FRAMES; i++, next += SMALL_FRAME) {
        sockets_write(peer.fd, next, SMALL_FRAME);
        sockets_read(application, back, SMALL_BODY);
    }
    loop_settle();
    ck_assert_uint_eq(batch_budget_used(test_budget), 16 * 1024);
    bytes_clear(&flight);
}
END_TEST

/* Slow readers.  A direction holds one batch, of 64 KiB with this engine. */

enum {
    ONE_BATCH = 64 * 1024
};

/* Writes without waiting until the relay takes no more. */
static size_t
press(int fd, const uint8_t *bytes, size_t size)
{
    size_t sent = 0;
    ssize_t n;

    for (int calm = 0; calm < 3; calm++) {
        while (sent < size && (n = send(fd, bytes + sent, size - sent,
                                        MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
            sent += (size_t)n;
            calm = 0;
        }
        loop_settle();
    }
    return sent;
}

START_TEST(slow_application_stops_the_peer_within_one_batch)
{
    struct bytes flight = {0};
    uint8_t plain[PLAINTEXT_MAX] = {MESSAGE_DATA};

    relay_begin();
    for (size_t i = 0; i < 64; i++)
        peer_seal(&flight, true, plain, sizeof plain);
    size_t sent = press(peer.fd, flight.data, flight.size);
    ck_assert_uint_lt(sent, flight.size);
    ck_assert_uint_le(batch_budget_used(test_budget), 2 * ONE_BATCH);
    bytes_clear(&flight);
}
END_TEST

START_TEST(slow_peer_stops_the_application_within_one_batch)
{
    relay_begin();
    size_t sent = press(application, load, sizeof load);
    ck_assert_uint_lt(sent, sizeof load);
    ck_assert_uint_le(batch_budget_used(test_budget), ONE_BATCH);
    peer_expect_data(load, sent);
}
END_TEST

START_TEST(slow_application_gets_everything_in_the_end)
{
    relay_begin();
    pthread_t writer = begin(say_load);
    loop_settle();
    sockets_read(application, back, sizeof back);
    pthread_join(writer, NULL);
    ck_assert_int_eq(memcmp(back, load, sizeof load), 0);
}
END_TEST

START_TEST(blocked_direction_leaves_the_other_alone)
{
    relay_begin();
    press(application, load, sizeof load);
    peer_say(MESSAGE_DATA, "still here");
    sockets_expect(application, "still here");
}
END_TEST

/*
 * Looks at the relay after a turn of it.  It posts itself, and so comes once in
 * each round, before the turns; only the first time may be twice in one, because
 * that mail comes from another thread.
 */
struct visitor {
    struct mail mail;
    size_t says; /* bytes, as the application */
    unsigned rounds;
    bool is_busy;
    size_t held;
    struct latch done;
};

enum {
    ROUND_OF_WRITING = 3,
    ROUND_OF_LOOKING = ROUND_OF_WRITING + 2,
};

static void
come_round(struct mail *mail)
{
    struct visitor *visitor = container_of(mail, struct visitor, mail);

    if (visitor->rounds == ROUND_OF_WRITING)
        sockets_write(application, load, visitor->says);
    if (visitor->rounds++ < ROUND_OF_LOOKING) {
        loop_post(test_loop, mail);
        return;
    }
    visitor->is_busy = turns_are_coming(loop_turns(test_loop));
    visitor->held = batch_budget_used(test_budget);
    latch_tell(&visitor->done);
}

static struct visitor
visit(size_t says)
{
    struct visitor visitor = {
        .mail.deliver = come_round,
        .says = says,
        .done = LATCH_INITIALIZER,
    };

    relay_begin();
    loop_settle();
    loop_post(test_loop, &visitor.mail);
    latch_wait(&visitor.done, 1);
    return visitor;
}

START_TEST(short_message_takes_one_turn)
{
    struct visitor visitor = visit(5);

    ck_assert(!visitor.is_busy);
    ck_assert_uint_eq(visitor.held, 0);
    ck_assert_uint_eq(relay_counts().from_app, 5);
}
END_TEST

START_TEST(busy_relay_sends_what_it_read_and_holds_no_batch_between_turns)
{
    struct visitor visitor = visit(100000);

    ck_assert(visitor.is_busy);
    ck_assert_uint_eq(visitor.held, 0);
    peer_expect_data(load, 100000);
}
END_TEST

START_TEST(idle_directions_hold_no_memory)
{
    relay_begin();
    sockets_write(application, load, 100000);
    peer_expect_data(load, 100000);
    peer_say_data(load, 100000);
    sockets_read(application, back, 100000);
    loop_settle();
    ck_assert_uint_eq(batch_budget_used(test_budget), 0);
}
END_TEST

static Suite *
relay_data_suite(void)
{
    Suite *suite = suite_create("relay_data");
    TCase *cases = tcase_create("data");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, relay_tear_down);
    tcase_add_test(cases, what_the_application_writes_arrives_as_data);
    tcase_add_test(cases, data_is_delivered_to_the_application);
    tcase_add_test(cases, signed_data_is_readable_and_delivered);
    tcase_add_test(cases, empty_data_is_taken_as_nothing);
    tcase_add_loop_test(cases, frames_may_be_split_at_every_byte, 1,
                        FLIGHT_SIZE);
    tcase_add_test(cases, frames_may_come_byte_by_byte);
    tcase_add_loop_test(cases, writes_of_every_size_arrive, 0, SIZES);
    tcase_add_test(cases, no_plaintext_is_larger_than_the_peer_takes);
    tcase_add_test(cases, many_small_frames_are_delivered_in_order);
    tcase_add_test(cases, both_directions_carry_at_once);
    tcase_add_test(cases, both_directions_carry_at_once_over_tcp);
    tcase_add_test(cases, batches_grow_until_the_engine_has_enough);
    tcase_add_test(cases, batch_makes_as_many_records_as_the_engine_has_lanes);
    tcase_add_test(cases, large_batches_fill_all_lanes);
    tcase_add_test(cases,
                   records_side_by_side_are_an_odd_number_of_cache_lines_apart);
    tcase_add_test(cases, so_are_those_of_the_largest_size_the_peer_takes);
    tcase_add_test(cases, batch_to_receive_into_grows_while_a_frame_has_begun);
    tcase_add_test(cases,
                   batch_to_receive_into_shrinks_while_a_frame_has_begun);
    tcase_add_test(cases, slow_application_stops_the_peer_within_one_batch);
    tcase_add_test(cases, slow_peer_stops_the_application_within_one_batch);
    tcase_add_test(cases, slow_application_gets_everything_in_the_end);
    tcase_add_test(cases, blocked_direction_leaves_the_other_alone);
    tcase_add_test(cases, short_message_takes_one_turn);
    tcase_add_test(
        cases, busy_relay_sends_what_it_read_and_holds_no_batch_between_turns);
    tcase_add_test(cases, idle_directions_hold_no_memory);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(relay_data_suite)
