/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/loop.c: the mailbox, and the loop's thread. */
#include "check_main.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "own_loop.h"

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
loop_suite(void)
{
    Suite *suite = suite_create("loop");
    TCase *mailbox = tcase_create("mailbox");

    tcase_add_checked_fixture(mailbox, own_loop_set_up, own_loop_tear_down);
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

CHECK_MAIN(loop_suite)
