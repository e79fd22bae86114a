/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/loop.c: turns, edges, timers and the mailbox. */
#include "check_main.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/text.h"

static struct loop *loop;
static int pair[2];

static void
set_up(void)
{
    ck_assert(loop_new("test", &loop, NULL));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
}

static void
tear_down(void)
{
    loop_free(loop);
    close(pair[0]);
    close(pair[1]);
}

static void
stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void
run_for(uint64_t ms)
{
    struct timer timer;

    timer_init(&timer, loop, stop, NULL);
    timer_start(&timer, ms);
    loop_run(loop);
    timer_stop(&timer);
}

/* A watch that counts its turns and does what the test wants of each. */
struct probe {
    struct watch watch;
    int turns;
    void (*act)(struct probe *probe);
    struct probe *other;
    size_t received;
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
    run_for(20);

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
    run_for(50);

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

    run_for(20);

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

    run_for(20);

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

    run_for(100);

    for (int i = 0; i < CROWD; i++) {
        ck_assert_msg(!crowd[i].watch.queued || crowd[i].watch.loop != NULL,
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
    struct timer timer = {0};

    watch_clear(&watch);
    watch_again(&watch);
    timer_stop(&timer);
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

/* In each round one turn of a slow watch, so that the light one has as many; but
 * where that was kept from running for a while, slow ones get as much. */
enum {
    SLOW = 20,
    SLOW_TURNS = 400,
};
static struct probe *light;
static int light_turns, slow_turns, late_turns;

static void
go_on_slowly(struct probe *probe)
{
    usleep(100);
    late_turns += light->turns == light_turns;
    light_turns = light->turns;
    if (++slow_turns == SLOW_TURNS)
        loop_stop(loop);
    watch_again(&probe->watch);
}

START_TEST(slow_watches_have_one_turn_in_a_round)
{
    struct probe slow[SLOW], other;
    int fds[SLOW];

    light = &other;
    probe_init(&other, pair[1], never_end);
    for (int i = 0; i < SLOW; i++) {
        fds[i] = dup(pair[0]);
        probe_init(&slow[i], fds[i], go_on_slowly);
        slow[i].watch.slow = true;
    }

    loop_run(loop);

    /* A turn of each in a round would make it 19 of 20. */
    ck_assert_int_lt(late_turns, SLOW_TURNS * 3 / 4);
    for (int i = 0; i < SLOW; i++) {
        ck_assert_int_le(abs(slow[i].turns - slow[0].turns), 1);
        watch_clear(&slow[i].watch);
        close(fds[i]);
    }
    watch_clear(&other.watch);
}
END_TEST

static void
dawdle(struct probe *probe)
{
    usleep(5000);
    watch_again(&probe->watch);
}

/* Where the others take 5 ms, slow ones get about four, and so all their turns
 * and more. */
START_TEST(slow_watches_get_as_much_time_as_many_others)
{
    struct probe slow, other;

    probe_init(&other, pair[1], dawdle);
    probe_init(&slow, pair[0], go_on);
    slow.watch.slow = true;

    loop_run(loop);

    ck_assert_int_ge(slow.turns, 1000);
    ck_assert_int_le(other.turns, 20);
    watch_clear(&slow.watch);
    watch_clear(&other.watch);
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

START_TEST(busy_watch_starves_neither_edges_nor_timers)
{
    struct probe busy, other;
    pthread_t writer;
    probe_init(&busy, pair[0], never_end);
    probe_init(&other, pair[1], answer_then_stop);
    pthread_create(&writer, NULL, write_later, &pair[0]);

    loop_run(loop);

    ck_assert_int_gt(busy.turns, 10);
    pthread_join(writer, NULL);
    watch_clear(&busy.watch);
    watch_clear(&other.watch);
}
END_TEST

static int fired;

static void
count_fire(void *arg)
{
    (void)arg;
    fired++;
}

START_TEST(timer_fires_once_and_in_time)
{
    struct timer timer;
    timer_init(&timer, loop, stop, NULL);
    uint64_t before = loop_now_ms();

    timer_start(&timer, 30);
    loop_run(loop);

    ck_assert_uint_ge(loop_now_ms() - before, 25);
    ck_assert_uint_le(loop_now_ms() - before, 1000);
}
END_TEST

START_TEST(stopped_moved_and_endless_timers_do_not_fire)
{
    struct timer stopped, moved, endless;
    timer_init(&stopped, loop, count_fire, NULL);
    timer_init(&moved, loop, count_fire, NULL);
    timer_init(&endless, loop, count_fire, NULL);

    timer_start(&stopped, 1);
    timer_stop(&stopped);
    timer_start(&moved, 1);
    timer_start(&moved, 100000);
    timer_start(&endless, 1);
    timer_start(&endless, DURATION_OFF);
    run_for(30);

    ck_assert_int_eq(fired, 0);
    timer_stop(&moved);
}
END_TEST

struct letter {
    struct mail mail;
    int number;
};

static int delivered;
static bool in_order = true;

static void
check_order(struct mail *mail)
{
    struct letter *letter = (struct letter *)mail;

    in_order = in_order && letter->number == delivered;
    delivered++;
    free(letter);
}

static void
post_number(int number)
{
    struct letter *letter = malloc(sizeof *letter);

    letter->number = number;
    letter->mail.deliver = check_order;
    loop_post(loop, &letter->mail);
}

static void *
post_many(void *arg)
{
    for (int i = 0; i < 20000; i++)
        post_number(i);
    loop_stop(loop);
    return arg;
}

START_TEST(twenty_thousand_letters_arrive_in_order)
{
    pthread_t poster;
    pthread_create(&poster, NULL, post_many, NULL);

    loop_run(loop);

    pthread_join(poster, NULL);
    ck_assert_int_eq(delivered, 20000);
    ck_assert(in_order);
}
END_TEST

START_TEST(mail_posted_before_the_stop_is_delivered)
{
    post_number(0);
    loop_stop(loop);

    loop_run(loop);

    ck_assert_int_eq(delivered, 1);
}
END_TEST

/* Two loops hand one letter back and forth. */
struct ball {
    struct mail mail;
    struct loop *courts[2];
    int hits;
    atomic_bool over;
};

static void
hit_back(struct mail *mail)
{
    struct ball *ball = (struct ball *)mail;

    if (++ball->hits == 20000)
        atomic_store(&ball->over, true);
    else
        loop_post(ball->courts[ball->hits % 2], mail);
}

START_TEST(two_loops_hand_over_twenty_thousand_times)
{
    struct ball ball = {.mail.deliver = hit_back};
    for (int i = 0; i < 2; i++) {
        ck_assert(loop_new("court", &ball.courts[i], NULL));
        ck_assert(loop_start(ball.courts[i], NULL));
    }

    loop_post(ball.courts[0], &ball.mail);
    while (!atomic_load(&ball.over))
        usleep(1000);

    ck_assert_int_eq(ball.hits, 20000);
    loop_free(ball.courts[0]);
    loop_free(ball.courts[1]);
}
END_TEST

/* Posts itself until it has been delivered often enough, then ends the loop. */
struct boomerang {
    struct mail mail;
    int left;
};

static void
come_back(struct mail *mail)
{
    struct boomerang *boomerang = (struct boomerang *)mail;

    if (--boomerang->left == 0)
        loop_stop(loop);
    else
        loop_post(loop, mail);
}

START_TEST(mail_to_oneself_is_delivered)
{
    struct boomerang boomerang = {.mail.deliver = come_back, .left = 1000};
    loop_post(loop, &boomerang.mail);

    loop_run(loop);

    ck_assert_int_eq(boomerang.left, 0);
}
END_TEST

static void *
post_and_go(void *arg)
{
    for (int i = 0; i < 20000; i++)
        post_number(i);
    return arg;
}

static void
stop_when_all_came(struct mail *mail)
{
    if (delivered == 20000)
        loop_stop(loop);
    else
        loop_post(loop, mail);
}

START_TEST(mail_from_others_is_not_lost_behind_mail_to_oneself)
{
    struct mail mail = {.deliver = stop_when_all_came};
    pthread_t poster;
    pthread_create(&poster, NULL, post_and_go, NULL);
    loop_post(loop, &mail);

    loop_run(loop);

    pthread_join(poster, NULL);
    ck_assert_int_eq(delivered, 20000);
    ck_assert(in_order);
}
END_TEST

static sem_t answered;

static void
tell(struct mail *mail)
{
    (void)mail;
    sem_post(&answered);
}

/* Its own mail comes after what it answers. */
static void
answer_once(struct mail *mail)
{
    static struct mail own = {.deliver = tell};

    (void)mail;
    loop_post(loop, &own);
}

static bool
is_answered(void)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 20;
    return sem_timedwait(&answered, &end) == 0;
}

START_TEST(loop_that_wrote_to_itself_is_still_woken_by_others)
{
    struct mail mail[20];
    struct loop *before = loop;
    ck_assert_int_eq(sem_init(&answered, 0, 0), 0);
    ck_assert(loop_new("threaded", &loop, NULL));
    ck_assert(loop_start(loop, NULL));

    for (int i = 0; i < 20; i++) {
        mail[i].deliver = answer_once;
        loop_post(loop, &mail[i]);
        ck_assert_msg(is_answered(), "letter %d", i);
    }
    loop_free(loop);
    loop = before;
}
END_TEST

static sigset_t seen_mask;

static void
look_at_mask(struct mail *mail)
{
    (void)mail;
    pthread_sigmask(SIG_SETMASK, NULL, &seen_mask);
}

START_TEST(loop_thread_blocks_signals_and_bears_its_name)
{
    struct mail mail = {.deliver = look_at_mask};
    struct loop *threaded;
    ck_assert(loop_new("loop 1", &threaded, NULL));
    ck_assert_str_eq(loop_name(threaded), "loop 1");

    loop_post(threaded, &mail);
    ck_assert(loop_start(threaded, NULL));
    loop_free(threaded);

    ck_assert(sigismember(&seen_mask, SIGTERM) == 1);
    ck_assert(sigismember(&seen_mask, SIGPIPE) == 1);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("loop");
    TCase *watches = tcase_create("watches");
    TCase *timers = tcase_create("timers");
    TCase *mailbox = tcase_create("mailbox");

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
    tcase_add_test(watches, slow_watches_have_one_turn_in_a_round);
    tcase_add_test(watches, slow_watches_get_as_much_time_as_many_others);
    tcase_add_test(watches, watch_may_become_slow_and_quick_again);
    tcase_add_test(watches, busy_watch_starves_neither_edges_nor_timers);
    suite_add_tcase(suite, watches);

    tcase_add_checked_fixture(timers, set_up, tear_down);
    tcase_add_test(timers, timer_fires_once_and_in_time);
    tcase_add_test(timers, stopped_moved_and_endless_timers_do_not_fire);
    suite_add_tcase(suite, timers);

    tcase_add_checked_fixture(mailbox, set_up, tear_down);
    tcase_set_timeout(mailbox, 60);
    tcase_add_test(mailbox, twenty_thousand_letters_arrive_in_order);
    tcase_add_test(mailbox, mail_posted_before_the_stop_is_delivered);
    tcase_add_test(mailbox, two_loops_hand_over_twenty_thousand_times);
    tcase_add_test(mailbox, mail_to_oneself_is_delivered);
    tcase_add_test(mailbox,
                   mail_from_others_is_not_lost_behind_mail_to_oneself);
    tcase_add_test(mailbox, loop_that_wrote_to_itself_is_still_woken_by_others);
    tcase_add_test(mailbox, loop_thread_blocks_signals_and_bears_its_name);
    suite_add_tcase(suite, mailbox);
    return suite;
}

CHECK_MAIN(make_suite)
