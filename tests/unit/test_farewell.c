/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/farewell.c: the last bytes arrive, whatever the peer still says. */
#include "check_main.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "latch.h"
#include "loop_fixture.h"
#include "proxy/farewell.h"
#include "sockets.h"

static int pair[2];
static struct farewell *farewell;
static struct bytes words;
static struct latch done;

static void
set_up(void)
{
    loop_set_up();
    done = (struct latch)LATCH_INITIALIZER;
    sockets_tcp_pair(pair);
}

static void
cancel(void *arg)
{
    (void)arg;
    farewell_cancel(farewell);
    farewell = NULL;
}

static void
tear_down(void)
{
    loop_do(cancel, NULL);
    close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    loop_tear_down();
}

static void
on_done(void *arg)
{
    ck_assert_ptr_eq(arg, pair);
    ck_assert(!latch_was_told(&done));
    farewell = NULL;
    latch_tell(&done);
}

static void
start(void *arg)
{
    farewell = farewell_start(test_loop, pair[0], &words, *(uint64_t *)arg,
                              on_done, pair);
    ck_assert_ptr_nonnull(farewell);
    ck_assert(!latch_was_told(&done));
    ck_assert_uint_eq(words.size, 0);
}

static void
begin(const char *text, uint64_t timeout_ms)
{
    ck_assert(bytes_append(&words, text, strlen(text)));
    loop_do(start, &timeout_ms);
}

static void
over_unix_sockets(void)
{
    close(pair[0]);
    close(pair[1]);
    sockets_pair(pair);
}

START_TEST(last_words_arrive_before_the_end)
{
    begin("goodbye", 60000);
    sockets_expect(pair[1], "goodbye");
    sockets_expect_end(pair[1]);
    ck_assert(!latch_was_told(&done));
}
END_TEST

START_TEST(it_is_over_when_the_peer_has_closed_too)
{
    begin("goodbye", 60000);
    sockets_expect(pair[1], "goodbye");
    close(pair[1]);
    pair[1] = -1;
    latch_wait(&done, 1);
}
END_TEST

START_TEST(end_may_come_without_a_word)
{
    begin("", 60000);
    sockets_expect_end(pair[1]);
}
END_TEST

START_TEST(late_words_of_the_peer_do_not_destroy_ours)
{
    static const char late[100000];

    begin("goodbye", 60000);
    sockets_write(pair[1], late, sizeof late);
    loop_settle();
    sockets_write(pair[1], late, sizeof late);
    sockets_expect(pair[1], "goodbye");
    sockets_expect_end(pair[1]);
}
END_TEST

START_TEST(peer_that_closed_first_is_told_all_the_same)
{
    ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0);
    begin("goodbye", 60000);
    sockets_expect(pair[1], "goodbye");
    sockets_expect_end(pair[1]);
    latch_wait(&done, 1);
}
END_TEST

START_TEST(slow_peer_gets_everything)
{
    over_unix_sockets();
    size_t clog = sockets_fill(pair[0]);
    begin("goodbye", 60000);
    loop_settle();
    sockets_drop(pair[1], clog);
    sockets_expect(pair[1], "goodbye");
    sockets_expect_end(pair[1]);
}
END_TEST

START_TEST(slow_peer_that_closed_its_side_gets_everything)
{
    over_unix_sockets();
    size_t clog = sockets_fill(pair[0]);
    ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0);
    begin("goodbye", 60000);
    loop_settle();
    ck_assert(!latch_was_told(&done));
    sockets_drop(pair[1], clog);
    sockets_expect(pair[1], "goodbye");
    latch_wait(&done, 1);
}
END_TEST

START_TEST(peer_that_never_closes_is_left)
{
    begin("goodbye", 20);
    latch_wait(&done, 1);
    sockets_expect(pair[1], "goodbye");
}
END_TEST

START_TEST(peer_that_never_reads_is_left)
{
    over_unix_sockets();
    sockets_fill(pair[0]);
    begin("goodbye", 20);
    latch_wait(&done, 1);
}
END_TEST

START_TEST(peer_that_talks_without_end_is_left)
{
    static const char chatter[65536];

    begin("goodbye", DURATION_OFF);
    while (!latch_was_told(&done))
        (void)send(pair[1], chatter, sizeof chatter, MSG_NOSIGNAL);
}
END_TEST

START_TEST(peer_that_is_gone_ends_it)
{
    sockets_reset(pair[1]);
    pair[1] = -1;
    begin("goodbye", 60000);
    latch_wait(&done, 1);
}
END_TEST

START_TEST(farewell_may_be_cancelled_at_once)
{
    begin("goodbye", 60000);
    loop_do(cancel, NULL);
}
END_TEST

START_TEST(farewell_may_be_cancelled_with_words_unsent)
{
    over_unix_sockets();
    sockets_fill(pair[0]);
    begin("goodbye", 60000);
    loop_settle();
    loop_do(cancel, NULL);
    ck_assert(!latch_was_told(&done));
}
END_TEST

static Suite *
farewell_suite(void)
{
    Suite *suite = suite_create("farewell");
    TCase *cases = tcase_create("farewell");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, last_words_arrive_before_the_end);
    tcase_add_test(cases, it_is_over_when_the_peer_has_closed_too);
    tcase_add_test(cases, end_may_come_without_a_word);
    tcase_add_test(cases, late_words_of_the_peer_do_not_destroy_ours);
    tcase_add_test(cases, peer_that_closed_first_is_told_all_the_same);
    tcase_add_test(cases, slow_peer_gets_everything);
    tcase_add_test(cases, slow_peer_that_closed_its_side_gets_everything);
    tcase_add_test(cases, peer_that_never_closes_is_left);
    tcase_add_test(cases, peer_that_never_reads_is_left);
    tcase_add_test(cases, peer_that_talks_without_end_is_left);
    tcase_add_test(cases, peer_that_is_gone_ends_it);
    tcase_add_test(cases, farewell_may_be_cancelled_at_once);
    tcase_add_test(cases, farewell_may_be_cancelled_with_words_unsent);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(farewell_suite)
