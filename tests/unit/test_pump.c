/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/pump.c: pipes, files and one socket for both, and their failures. */
#include "proxy/pump.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "latch.h"
#include "loop_fixture.h"
#include "sockets.h"

static int input[2], output[2]; /* pipes */
static int app;                 /* the other end of the pump's socket */
static struct pump *pump;
static struct latch told;
static struct error failure;

static void
on_failed(const struct error *err, void *arg)
{
    ck_assert_ptr_eq(arg, &told);
    failure = *err;
    latch_tell(&told);
}

static void
set_up(void)
{
    loop_set_up();
    told = (struct latch)LATCH_INITIALIZER;
    ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
}

static void
drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
tear_down(void)
{
    drop(&input[1]);
    drop(&app);
    loop_settle();
    pump_free(pump);
    /* input[0] stays: the thread that reads it is not waited for. */
    drop(&output[0]);
    drop(&output[1]);
    loop_tear_down();
}

static void
begin(int from, int to)
{
    int pair[2];
    struct error err = {.text = ""};

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
    app = pair[0];
    sockets_set_patience(app);
    const struct pump_settings settings = {
        .input = from,
        .output = to,
        .socket = pair[1],
        .loop = test_loop,
        .on_failed = on_failed,
        .arg = &told,
    };
    pump = pump_start(&settings, &err);
    ck_assert_msg(pump != NULL, "%s", err.text);
}

static void
expect_finish(bool written, const char *sentence)
{
    struct error err = {.text = ""};

    ck_assert_int_eq(pump_finish(pump, &err), written);
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(input_and_its_end_reach_the_socket)
{
    begin(input[0], output[1]);
    ck_assert_int_eq(write(input[1], "question", 8), 8);
    sockets_expect(app, "question");
    drop(&input[1]);
    sockets_expect_end(app);
    drop(&app);
    expect_finish(true, "");
    ck_assert(!latch_was_told(&told));
}
END_TEST

START_TEST(what_the_socket_brings_and_its_end_reach_output)
{
    char got[16] = "";

    begin(input[0], output[1]);
    sockets_write(app, "answer", 6);
    ck_assert_int_eq(shutdown(app, SHUT_WR), 0);
    ck_assert_int_eq(read(output[0], got, sizeof got), 6);
    ck_assert_str_eq(got, "answer");
    ck_assert_int_eq(read(output[0], got, sizeof got), 0);
    expect_finish(true, "");
}
END_TEST

START_TEST(files_are_fine)
{
    char path[] = "/tmp/kw-pump-XXXXXX", got[16] = "";
    int file = mkostemp(path, O_CLOEXEC);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, "question", 8), 8);
    ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
    begin(file, output[1]);
    sockets_expect(app, "question");
    sockets_expect_end(app);
    ck_assert_int_eq(shutdown(app, SHUT_WR), 0);
    ck_assert_int_eq(read(output[0], got, sizeof got), 0);
    expect_finish(true, "");
    unlink(path); /* its reader has ended, but nothing told us so: not closed */
}
END_TEST

START_TEST(descriptors_that_do_not_block_are_waited_for)
{
    char got[16] = "";

    ck_assert_int_eq(fcntl(input[0], F_SETFL, O_NONBLOCK), 0);
    begin(input[0], output[1]);
    latch_pause();
    ck_assert_int_eq(write(input[1], "late", 4), 4);
    sockets_expect(app, "late");
    sockets_write(app, "too", 3);
    ck_assert_int_eq(read(output[0], got, sizeof got), 3);
    drop(&app);
    expect_finish(true, "");
}
END_TEST

START_TEST(reader_that_went_away_is_told)
{
    signal(SIGPIPE, SIG_IGN);
    begin(input[0], output[1]);
    drop(&output[0]);
    sockets_write(app, "answer", 6);
    latch_wait(&told, 1);
    ck_assert_str_eq(failure.text,
                     "cannot write to standard output: Broken pipe");
    expect_finish(false, "cannot write to standard output: Broken pipe");
}
END_TEST

START_TEST(input_that_cannot_be_read_is_told)
{
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    begin(folder, output[1]);
    latch_wait(&told, 1);
    ck_assert_str_eq(failure.text,
                     "cannot read standard input: Is a directory");
    drop(&app);
    expect_finish(true, "");
    close(folder);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("pump");
    TCase *tests = tcase_create("pump");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, input_and_its_end_reach_the_socket);
    tcase_add_test(tests, what_the_socket_brings_and_its_end_reach_output);
    tcase_add_test(tests, files_are_fine);
    tcase_add_test(tests, descriptors_that_do_not_block_are_waited_for);
    tcase_add_test(tests, reader_that_went_away_is_told);
    tcase_add_test(tests, input_that_cannot_be_read_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
