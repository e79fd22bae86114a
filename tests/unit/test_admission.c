/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/admission.c: limits, turns of sources, and counting.  The workers'
 * loops never run: that an arrival was handed over is seen from its worker. */
#include "check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "base/loop.h"
#include "proxy/admission.h"

enum {
    WORKERS = 2,
    ARRIVALS = 32
};

static struct loop *main_loop;
static struct worker workers[WORKERS];
static struct worker *const worker_list[WORKERS] = {&workers[0], &workers[1]};
static struct admission *admission;
static struct service_settings service;
static struct counters *counters;
static struct snapshot *snapshot;
static struct arrival *arrivals[ARRIVALS];
static unsigned arrived, closed;

static void
on_closed(void *arg)
{
    ck_assert_ptr_eq(arg, &closed);
    closed++;
}

static void
limit(unsigned connections, unsigned handshakes, unsigned per_source)
{
    const struct admission_limits limits = {
        .connections = connections,
        .handshakes = handshakes,
        .handshakes_per_source = per_source,
    };

    admission_limit(admission, &limits);
}

static void
set_up(void)
{
    ck_assert(loop_new("main", &main_loop, NULL));
    for (int i = 0; i < WORKERS; i++)
        ck_assert(loop_new("worker", &workers[i].loop, NULL));
    service.role = ROLE_SERVER;
    counters = counters_new();
    snapshot = calloc(1, sizeof *snapshot);
    ck_assert_ptr_nonnull(snapshot);
    /* The test's own reference is never released: it frees by itself. */
    atomic_init(&snapshot->references, 1);
    snapshot->service = &service;
    snapshot->counters = counters;
    admission = admission_new(main_loop, worker_list, WORKERS, on_closed,
                              &closed, NULL);
    ck_assert_ptr_nonnull(admission);
    limit(100, 100, 100);
}

static void
tear_down(void)
{
    for (int i = 0; i < WORKERS; i++)
        loop_free(workers[i].loop);
    admission_free(admission);
    loop_free(main_loop);
    ck_assert_uint_eq(atomic_load(&snapshot->references), 1);
    free(snapshot);
    counters_release(counters);
}

static struct arrival *
arrive(struct address peer)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);

    ck_assert_ptr_nonnull(arrival);
    arrival->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    arrival->snapshot = snapshot_hold(snapshot);
    arrival->peer = peer;
    arrivals[arrived++] = arrival;
    admission_take(admission, arrival);
    return arrival;
}

/* From 192.0.2.HOST, any port. */
static struct arrival *
arrive_from(unsigned host)
{
    struct address peer = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&peer.storage;

    ipv4->sin_family = AF_INET;
    ipv4->sin_port = (in_port_t)(1000 + arrived);
    ipv4->sin_addr.s_addr = htonl(0xc0000200 + host);
    return arrive(peer);
}

/* The worker's mails, delivered at once. */
static void
prove(struct arrival *arrival)
{
    arrival->proved.deliver(&arrival->proved);
}

static void
depart(struct arrival *arrival)
{
    ck_assert_ptr_nonnull(arrival->worker);
    close(arrival->fd);
    arrival->closed.deliver(&arrival->closed);
}

static bool
was_admitted(const struct arrival *arrival)
{
    return arrival->worker != NULL;
}

static void
expect(unsigned connections, unsigned handshakes, unsigned held)
{
    struct admission_status status = admission_status(admission);

    ck_assert_uint_eq(status.connections, connections);
    ck_assert_uint_eq(status.handshakes, handshakes);
    ck_assert_uint_eq(status.held, held);
}

static void
close_admitted(void)
{
    for (unsigned i = 0; i < arrived; i++)
        if (was_admitted(arrivals[i]))
            close(arrivals[i]->fd);
}

START_TEST(workers_take_turns)
{
    struct arrival *first = arrive_from(1), *second = arrive_from(2),
                   *third = arrive_from(3);

    ck_assert_ptr_eq(first->worker, &workers[0]);
    ck_assert_ptr_eq(second->worker, &workers[1]);
    ck_assert_ptr_eq(third->worker, &workers[0]);
    close_admitted();
}
END_TEST

START_TEST(arrival_counts_as_handshake_until_it_is_proved)
{
    struct arrival *arrival = arrive_from(1);

    expect(1, 1, 0);
    prove(arrival);
    expect(1, 0, 0);
    depart(arrival);
    expect(0, 0, 0);
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(arrival_that_never_proved_itself_frees_its_place)
{
    depart(arrive_from(1));
    expect(0, 0, 0);
}
END_TEST

START_TEST(arrivals_over_the_limit_are_held)
{
    limit(100, 2, 100);
    struct arrival *first = arrive_from(1);
    arrive_from(2);
    struct arrival *third = arrive_from(3);
    expect(3, 2, 1);
    ck_assert(!was_admitted(third));
    prove(first);
    ck_assert(was_admitted(third));
    expect(3, 2, 0);
    close_admitted();
}
END_TEST

START_TEST(one_source_has_its_own_limit)
{
    limit(100, 100, 2);
    struct arrival *first = arrive_from(1);
    arrive_from(1);
    struct arrival *third = arrive_from(1), *other = arrive_from(2);
    ck_assert(!was_admitted(third));
    ck_assert(was_admitted(other));
    depart(first);
    ck_assert(was_admitted(third));
    for (unsigned i = 1; i < arrived; i++)
        close(arrivals[i]->fd);
}
END_TEST

START_TEST(sources_take_turns)
{
    limit(100, 1, 100);
    struct arrival *first = arrive_from(1);
    struct arrival *flood[] = {arrive_from(1), arrive_from(1), arrive_from(1)};
    struct arrival *quiet = arrive_from(2);
    prove(first);
    ck_assert(was_admitted(flood[0]));
    prove(flood[0]);
    ck_assert(was_admitted(quiet));
    prove(quiet);
    ck_assert(was_admitted(flood[1]));
    close_admitted();
}
END_TEST

START_TEST(arrivals_of_one_source_keep_their_order)
{
    limit(100, 1, 100);
    struct arrival *first = arrive_from(1), *second = arrive_from(1),
                   *third = arrive_from(1);
    prove(first);
    ck_assert(was_admitted(second) && !was_admitted(third));
    prove(second);
    ck_assert(was_admitted(third));
    close_admitted();
}
END_TEST

START_TEST(newcomer_stands_in_line_behind_its_source)
{
    limit(100, 100, 1);
    arrive_from(1);
    struct arrival *held = arrive_from(1);
    struct arrival *newcomer = arrive_from(1);
    ck_assert(!was_admitted(held) && !was_admitted(newcomer));
    expect(3, 1, 2);
    close_admitted();
}
END_TEST

START_TEST(source_at_its_limit_does_not_stop_others)
{
    limit(100, 3, 1);
    arrive_from(1);
    arrive_from(1);
    arrive_from(1);
    struct arrival *second = arrive_from(2);
    struct arrival *held = arrive_from(2), *third = arrive_from(3);
    ck_assert(was_admitted(second) && was_admitted(third));
    ck_assert(!was_admitted(held));
    prove(second);
    ck_assert(was_admitted(held));
    expect(6, 3, 2);
    close_admitted();
}
END_TEST

START_TEST(raised_limit_admits_at_once)
{
    limit(100, 1, 1);
    for (unsigned i = 0; i < 8; i++)
        arrive_from(i % 4);
    expect(8, 1, 7);
    limit(100, 100, 100);
    expect(8, 8, 0);
    close_admitted();
}
END_TEST

START_TEST(lowered_limit_ends_nobody)
{
    for (unsigned i = 0; i < 4; i++)
        arrive_from(i);
    limit(100, 1, 1);
    expect(4, 4, 0);
    prove(arrivals[0]);
    struct arrival *late = arrive_from(9);
    ck_assert(!was_admitted(late));
    close_admitted();
}
END_TEST

START_TEST(clients_are_no_handshakes)
{
    service.role = ROLE_CLIENT;
    limit(100, 1, 1);
    for (unsigned i = 0; i < 4; i++)
        arrive_from(1);
    expect(4, 0, 0);
    prove(arrivals[0]);
    expect(4, 0, 0);
    close_admitted();
}
END_TEST

START_TEST(unix_peers_are_one_source)
{
    struct address peer = {.length = sizeof(sa_family_t)};

    peer.storage.ss_family = AF_UNIX;
    limit(100, 100, 1);
    arrive(peer);
    ck_assert(!was_admitted(arrive(peer)));
    close_admitted();
}
END_TEST

START_TEST(ipv6_sources_are_told_apart)
{
    struct address peer = {.length = sizeof(struct sockaddr_in6)};
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&peer.storage;

    ipv6->sin6_family = AF_INET6;
    limit(100, 100, 1);
    ipv6->sin6_addr.s6_addr[15] = 1;
    arrive(peer);
    ck_assert(!was_admitted(arrive(peer)));
    ipv6->sin6_addr.s6_addr[15] = 2;
    ck_assert(was_admitted(arrive(peer)));
    close_admitted();
}
END_TEST

START_TEST(room_counts_held_arrivals_too)
{
    limit(2, 1, 1);
    ck_assert(admission_has_room(admission));
    arrive_from(1);
    arrive_from(1);
    ck_assert(!admission_has_room(admission));
    limit(3, 1, 1);
    ck_assert(admission_has_room(admission));
    close_admitted();
}
END_TEST

START_TEST(service_counts_its_connections)
{
    struct arrival *arrival = arrive_from(1);

    arrive_from(2);
    ck_assert_uint_eq(atomic_load(&counters->accepted), 2);
    ck_assert_uint_eq(atomic_load(&counters->connections), 2);
    depart(arrival);
    ck_assert_uint_eq(atomic_load(&counters->accepted), 2);
    ck_assert_uint_eq(atomic_load(&counters->connections), 1);
    close(arrivals[1]->fd);
}
END_TEST

START_TEST(held_arrivals_are_closed_at_the_end)
{
    int pair[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    limit(100, 1, 1);
    arrive_from(1);
    struct arrival *held = arrive_from(1);
    close(held->fd);
    held->fd = pair[0];
    close_admitted();
    admission_free(admission);
    admission = NULL;
    ck_assert_int_eq(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
    close(pair[1]);
}
END_TEST

/* By the workers that end, and by those that are told of it. */
START_TEST(nobody_is_handed_over_after_the_stop)
{
    limit(100, 1, 1);
    struct arrival *first = arrive_from(1);
    arrive_from(2);
    arrive_from(3);

    admission_stop(admission, "the end");
    ck_assert_uint_eq(admission_status(admission).held, 0);
    loop_deliver(main_loop);
    ck_assert_uint_eq(closed, 2);
    ck_assert_uint_eq(admission_status(admission).connections, 1);
    struct arrival *late = arrive_from(1);
    depart(first);
    ck_assert_ptr_null(late->worker);
    ck_assert_uint_eq(admission_status(admission).held, 1);
}
END_TEST

START_TEST(it_is_crowded_while_somebody_is_held)
{
    limit(100, 1, 1);
    struct arrival *first = arrive_from(1);

    ck_assert(!admission_is_crowded(first));
    struct arrival *held = arrive_from(2);
    ck_assert(admission_is_crowded(first));
    depart(first);
    ck_assert(!admission_is_crowded(held));
    close(held->fd);
}
END_TEST

/* Who floods loses its own; who came once keeps its place in the line. */
START_TEST(held_arrivals_never_fill_the_limit)
{
    limit(10, 1, 1);
    arrive_from(1);
    struct arrival *real = arrive_from(2);
    for (int i = 0; i < 30; i++)
        arrive_from(1);

    loop_deliver(main_loop);
    expect(6, 1, 5);
    ck_assert(admission_has_room(admission));
    ck_assert_uint_eq(atomic_load(&counters->failed), 26);
    arrivals[0]->closed.deliver(&arrivals[0]->closed);
    ck_assert(was_admitted(real));
}
END_TEST

START_TEST(nobody_is_held_for_longer_than_a_handshake_may_take)
{
    limit(100, 1, 1);
    service.handshake_timeout = 20;
    struct arrival *silent = arrive_from(1);
    struct arrival *held = arrive_from(1);

    ck_assert(!was_admitted(held));
    while (closed == 0)
        event_base_loop(loop_base(main_loop), EVLOOP_ONCE);
    expect(1, 1, 0);
    ck_assert_uint_eq(atomic_load(&counters->failed), 1);
    depart(silent);
    expect(0, 0, 0);
}
END_TEST

static Suite *
admission_suite(void)
{
    Suite *suite = suite_create("admission");
    TCase *cases = tcase_create("admission");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, workers_take_turns);
    tcase_add_test(cases, arrival_counts_as_handshake_until_it_is_proved);
    tcase_add_test(cases, arrival_that_never_proved_itself_frees_its_place);
    tcase_add_test(cases, arrivals_over_the_limit_are_held);
    tcase_add_test(cases, one_source_has_its_own_limit);
    tcase_add_test(cases, sources_take_turns);
    tcase_add_test(cases, arrivals_of_one_source_keep_their_order);
    tcase_add_test(cases, newcomer_stands_in_line_behind_its_source);
    tcase_add_test(cases, source_at_its_limit_does_not_stop_others);
    tcase_add_test(cases, raised_limit_admits_at_once);
    tcase_add_test(cases, lowered_limit_ends_nobody);
    tcase_add_test(cases, clients_are_no_handshakes);
    tcase_add_test(cases, unix_peers_are_one_source);
    tcase_add_test(cases, ipv6_sources_are_told_apart);
    tcase_add_test(cases, room_counts_held_arrivals_too);
    tcase_add_test(cases, service_counts_its_connections);
    tcase_add_test(cases, held_arrivals_are_closed_at_the_end);
    tcase_add_test(cases, nobody_is_handed_over_after_the_stop);
    tcase_add_test(cases, it_is_crowded_while_somebody_is_held);
    tcase_add_test(cases, held_arrivals_never_fill_the_limit);
    tcase_add_test(cases, nobody_is_held_for_longer_than_a_handshake_may_take);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(admission_suite)
