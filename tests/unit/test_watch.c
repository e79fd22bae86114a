/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/watch.c: edges, and turns that are queued and cleared. */
#include "check_main.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/watch.h"
#include "own_loop.h"

static int pair[2];

static void
set_up(void)
{
    own_loop_set_up();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
}

static void
tear_down(void)
{
    own_loop_tear_down();
    close(pair[0]);
    close(pair[1]);
}

/* A watch that counts its turns and does what the test wants of each. */
struct probe {
    struct watch watch;
    int turns;
    void (*act)(struct probe *probe);
    struct probe *other;
};

static void
take_turn(void *arg)
{
    struct probe *probe = arg;

    probe->turns++;
    if (probe->act != NULL)
        probe->act(probe);
}

static void
probe_init(struct probe *probe, int fd, void (*act)(struct probe *probe))
{
    *probe = (struct probe){.act = act};
    ck_assert(watch_init(&probe->watch, loop, fd, take_turn, probe));
}

START_TEST(ready_descriptor_needs_no_new_edge)
{
    struct probe probe;
    ck_assert_int_eq(write(pair[1], "x", 1), 1);

    probe_init(&probe, pair[0], NULL);
    ck_assert(!probe.watch.readable && !probe.watch.writable);
    own_loop_run_for(20);

    ck_assert(probe.watch.readable && probe.watch.writable);
    ck_assert_int_eq(probe.turns, 1);
    watch_clear(&probe.watch);
}
END_TEST

START_TEST(reset_peer_with_unread_data_does_not_spin)
{
    struct probe probe;
    ck_assert_int_eq(write(pair[0], "unread", 6), 6);
    probe_init(&probe, pair[0], NULL);

    close(pair[1]);
    pair[1] = dup(pair[0]);
    own_loop_run_for(50);

    ck_assert(probe.watch.readable);
    ck_assert_int_le(probe.turns, 3);
    watch_clear(&probe.watch);
}
END_TEST

static void
answer_then_stop(struct probe *probe)
{
    char byte;

    if (read(probe->watch.fd, &byte, 1) == 1)
        loop_stop(loop);
    probe->watch.readable = false;
}

static void *
write_later(void *arg)
{
    usleep(20000);
    ck_assert_int_eq(write(*(int *)arg, "x", 1), 1);
    return NULL;
}

START_TEST(edge_wakes_a_sleeping_loop)
{
    struct probe probe;
    pthread_t writer;
    probe_init(&probe, pair[0], answer_then_stop);
    pthread_create(&writer, NULL, write_later, &pair[1]);

    loop_run(loop);

    ck_assert_int_eq(probe.turns, 2);
    pthread_join(writer, NULL);
    watch_clear(&probe.watch);
}
END_TEST

static void
clear_itself(struct probe *probe)
{
    watch_clear(&probe->watch);
    watch_clear(&probe->watch);
    memset(&probe->watch, 0x5a, sizeof probe->watch);
}

START_TEST(watch_may_clear_itself_in_its_turn)
{
    struct probe probe;
    probe_init(&probe, pair[0], clear_itself);
    watch_again(&probe.watch);

    own_loop_run_for(20);

    ck_assert_int_eq(probe.turns, 1);
}
END_TEST

static void
clear_other(struct probe *probe)
{
    watch_clear(&probe->other->watch);
}

START_TEST(cleared_watch_loses_its_queued_turn)
{
    struct probe first, second;
    probe_init(&first, pair[0], clear_other);
    probe_init(&second, pair[1], clear_other);
    first.other = &second;
    second.other = &first;

    own_loop_run_for(20);

    ck_assert_int_eq(first.turns + second.turns, 1);
    watch_clear(&first.watch);
    watch_clear(&second.watch);
}
END_TEST

/* Each third turn clears one watch of many, whichever list it is on. */
enum {
    CROWD = 20
};
static struct probe crowd[CROWD];
static int crowd_fds[CROWD];
static int crowd_turns;

static void
clear_one_of_crowd(struct probe *probe)
{
    static unsigned state = 1;

    crowd_turns++;
    watch_again(&probe->watch);
    state = state * 1103515245 + 12345;
    probe->watch.slow = (state >> 28 & 1) != 0;
    if (state >> 16 & 1)
        watch_again(&crowd[state >> 20 & 15].watch);
    if (crowd_turns % 3 == 0)
        watch_clear(&crowd[(state >> 24) % CROWD].watch);
}

START_TEST(any_order_of_queueing_and_clearing_ends)
{
    for (int i = 0; i < CROWD; i++) {
        crowd_fds[i] = dup(pair[0]);
        probe_init(&crowd[i], crowd_fds[i], clear_one_of_crowd);
    }

    own_loop_run_for(100);

    for (int i = 0; i < CROWD; i++) {
        ck_assert_msg(!crowd[i].watch.turn.coming ||
                          crowd[i].watch.loop != NULL,
                      "cleared watch %d is still queued", i);
        watch_clear(&crowd[i].watch);
        close(crowd_fds[i]);
    }
    ck_assert_int_gt(crowd_turns, CROWD);
}
END_TEST

START_TEST(clearing_what_was_never_watched_is_fine)
{
    struct watch watch = {0};

    watch_clear(&watch);
    watch_again(&watch);
}
END_TEST

START_TEST(descriptor_that_cannot_be_watched_is_refused)
{
    struct watch watch;
    FILE *file = tmpfile();

    ck_assert(!watch_init(&watch, loop, fileno(file), take_turn, NULL));

    watch_clear(&watch);
    fclose(file);
}
END_TEST

static void
go_on(struct probe *probe)
{
    watch_again(&probe->watch);
    if (probe->turns == 1000)
        loop_stop(loop);
}

START_TEST(busy_watches_take_turns)
{
    struct probe first, second;
    probe_init(&first, pair[0], go_on);
    probe_init(&second, pair[1], go_on);

    loop_run(loop);

    ck_assert_int_le(abs(first.turns - second.turns), 1);
    watch_clear(&first.watch);
    watch_clear(&second.watch);
}
END_TEST

static void
never_end(struct probe *probe)
{
    watch_again(&probe->watch);
}

START_TEST(slow_watch_has_long_turns)
{
    struct probe slow, quick;
    const struct turns *turns = loop_turns(loop);
    probe_init(&slow, pair[0], NULL);
    probe_init(&quick, pair[1], NULL);

    slow.watch.slow = true;
    watch_again(&slow.watch);
    watch_again(&quick.watch);

    ck_assert_ptr_eq(turns->queues[TURN_LONG].first, &slow.watch.turn);
    ck_assert_ptr_eq(turns->queues[TURN_SHORT].first, &quick.watch.turn);
    watch_clear(&slow.watch);
    watch_clear(&quick.watch);
}
END_TEST

static void
become_slow(struct probe *probe)
{
    probe->watch.slow = !probe->watch.slow;
    go_on(probe);
}

START_TEST(watch_may_become_slow_and_quick_again)
{
    struct probe probe;
    probe_init(&probe, pair[0], become_slow);

    loop_run(loop);

    ck_assert_int_eq(probe.turns, 1000);
    watch_clear(&probe.watch);
}
END_TEST

/* Whether it is slow or not. */
START_TEST(busy_watch_starves_neither_edges_nor_timers)
{
    struct probe busy, other;
    pthread_t writer;
    probe_init(&busy, pair[0], never_end);
    busy.watch.slow = _i == 1;
    probe_init(&other, pair[1], answer_then_stop);
    pthread_create(&writer, NULL, write_later, &pair[0]);

    loop_run(loop);

    ck_assert_int_gt(busy.turns, 10);
    pthread_join(writer, NULL);
    watch_clear(&busy.watch);
    watch_clear(&other.watch);
}
END_TEST

static Suite *
watch_suite(void)
{
    Suite *suite = suite_create("watch");
    TCase *watches = tcase_create("watches");

    tcase_add_checked_fixture(watches, set_up, tear_down);
    tcase_add_test(watches, ready_descriptor_needs_no_new_edge);
    tcase_add_test(watches, reset_peer_with_unread_data_does_not_spin);
    tcase_add_test(watches, edge_wakes_a_sleeping_loop);
    tcase_add_test(watches, watch_may_clear_itself_in_its_turn);
    tcase_add_test(watches, cleared_watch_loses_its_queued_turn);
    tcase_add_test(watches, any_order_of_queueing_and_clearing_ends);
    tcase_add_test(watches, clearing_what_was_never_watched_is_fine);
    tcase_add_test(watches, descriptor_that_cannot_be_watched_is_refused);
    tcase_add_test(watches, busy_watches_take_turns);
    tcase_add_test(watches, slow_watch_has_long_turns);
    tcase_add_test(watches, watch_may_become_slow_and_quick_again);
    tcase_add_loop_test(watches, busy_watch_starves_neither_edges_nor_timers, 0,
                        2);
    suite_add_tcase(suite, watches);
    return suite;
}

CHECK_MAIN(watch_suite)
