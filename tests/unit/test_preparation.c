/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/preparation.c: what is there, and what does not answer: a keytab
 * that is a FIFO, and a name service that is played here. */
#include "proxy/preparation.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"
#include "config_text.h"
#include "latch.h"
#include "loop_fixture.h"

/* So that no directory is made. */
#define NO_STATUS "[kerbwrap]\nstatus = none\n"

static char fifo[] = "/tmp/kw-preparation-XXXXXX";
static struct config_text *config;
static struct preparation *preparation;
static struct latch done, entered, proceed;
static struct error error;
static bool has_credential, given_up;

/* Asked in the library's place. */
int
getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
           struct passwd **found)
{
    (void)name;
    (void)entry;
    (void)buffer;
    (void)size;
    *found = NULL;
    latch_tell(&entered);
    latch_wait(&proceed, 1);
    return 0;
}

static void
set_up(void)
{
    loop_set_up();
    done = entered = proceed = (struct latch)LATCH_INITIALIZER;
    int fd = mkstemp(fifo);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(unlink(fifo), 0);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
}

static void
cancel(void *arg)
{
    (void)arg;
    given_up = true;
    preparation_cancel(preparation);
    preparation = NULL;
}

static void
tear_down(void)
{
    struct lane_status lane;

    loop_do(cancel, NULL);
    /* Who opens it meanwhile finds somebody at the other end, and then nobody. */
    int fd = open(fifo, O_RDWR | O_CLOEXEC);
    unlink(fifo);
    close(fd);
    latch_tell(&proceed);
    /* The exit handlers of libkrb5 are not for who is in it. */
    while (pool_lanes(test_pool, &lane, 1) > 0)
        latch_pause();
    loop_do(cancel, NULL); /* after what it posted */
    config_text_free(config);
    loop_tear_down();
}

static void
on_done(struct prepared *prepared, const struct error *err, void *arg)
{
    ck_assert_ptr_eq(arg, &done);
    ck_assert(!given_up);
    preparation = NULL;
    error.text[0] = '\0';
    if (prepared == NULL)
        error = *err;
    else
        has_credential = prepared->provisions[0].credential != NULL &&
                         prepared->config == config->config;
    latch_tell(&done);
}

static void
start(void *arg)
{
    const struct preparation_settings settings = {
        .loop = test_loop,
        .pool = test_pool,
        .config = config->config,
        .owner = OWNER_AS_IS,
        .patience_ms = *(uint64_t *)arg,
    };

    preparation = preparation_start(&settings, on_done, &done);
    ck_assert_ptr_nonnull(preparation);
}

static void
begin(const char *ini, uint64_t patience_ms)
{
    config = config_text_read(ini);
    ck_assert_msg(config->config != NULL, "%s", config->findings);
    loop_do(start, &patience_ms);
}

static void
begin_with_fifo(uint64_t patience_ms)
{
    char ini[512];

    snprintf(ini, sizeof ini,
             NO_STATUS
             "[server a]\naccept = [::]:7443\nconnect = 127.0.0.1:5432\n"
             "service_class = orders\nallow = *@R\nreplay_cache = no\n"
             "keytab = %s\n",
             fifo);
    begin(ini, patience_ms);
}

START_TEST(what_is_there_is_handed_over)
{
    begin(NO_STATUS CLIENT_LINES, 20000);
    latch_wait(&done, 1);
    ck_assert_str_eq(error.text, "");
    ck_assert(has_credential);
}
END_TEST

START_TEST(keytab_that_hangs_is_named_in_time)
{
    begin_with_fifo(200);
    latch_wait(&done, 1);
    ck_assert_str_eq(error.text, "[server a]: no answer within 0.2 s while "
                                 "reading the keytab");
}
END_TEST

START_TEST(name_service_that_hangs_is_named_in_time)
{
    begin(NO_STATUS CLIENT_LINES "accept_user = alice\n", 200);
    latch_wait(&done, 1);
    ck_assert_str_eq(error.text, "[client b]: no answer within 0.2 s while "
                                 "looking up `accept_user`");
}
END_TEST

START_TEST(name_service_that_answers_late_is_heard_in_time)
{
    begin(NO_STATUS CLIENT_LINES "accept_user = alice\n", 20000);
    latch_wait(&entered, 1);
    latch_tell(&proceed);
    latch_wait(&done, 1);
    ck_assert_str_eq(error.text, "[client b]: `accept_user`: there is no user "
                                 "\"alice\"");
}
END_TEST

/* The fixture gives it up. */
START_TEST(who_gives_up_hears_nothing)
{
    begin(NO_STATUS CLIENT_LINES "accept_user = alice\n", 20000);
    latch_wait(&entered, 1);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("preparation");
    TCase *tests = tcase_create("preparation");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_there_is_handed_over);
    tcase_add_test(tests, keytab_that_hangs_is_named_in_time);
    tcase_add_test(tests, name_service_that_hangs_is_named_in_time);
    tcase_add_test(tests, name_service_that_answers_late_is_heard_in_time);
    tcase_add_test(tests, who_gives_up_hears_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
