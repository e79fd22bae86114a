/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/process.c: programs of the shell, their ends and what they inherit. */
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"
#include "check_main.h"

static int ours = -1;
static struct process process = {.fd = -1};

static bool
start(const char *program, const char *script, struct error *err)
{
    char *const arguments[] = {(char *)program, (char *)"-c", (char *)script,
                               NULL};
    char *const environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
    const struct process_settings settings = {arguments, environment, pair[1]};
    bool started = process_start(&settings, &process, err);
    close(pair[1]);
    ours = pair[0];
    return started;
}

static void
begin(const char *script)
{
    struct error err = {.text = ""};

    ck_assert_msg(start("/bin/sh", script, &err), "%s", err.text);
}

static void
await_end(void)
{
    struct pollfd look = {.fd = process.fd, .events = POLLIN};

    ck_assert_int_eq(poll(&look, 1, 20000), 1);
}

static void
expect_end(const char *failure)
{
    struct error got = {.text = "untouched"};

    await_end();
    ck_assert(process_ended(&process, &got));
    ck_assert_str_eq(got.text, failure);
    ck_assert(process_ended(&process, &got)); /* it is still there */
}

static void
expect_output(const char *expected)
{
    char got[4096];
    size_t used = 0;
    ssize_t n;

    while ((n = recv(ours, got + used, sizeof got - 1 - used, 0)) > 0)
        used += (size_t)n;
    got[used] = '\0';
    ck_assert_str_eq(got, expected);
}

static void
tear_down(void)
{
    if (ours >= 0)
        close(ours);
    if (process.fd >= 0) {
        process_signal(&process, SIGKILL);
        await_end();
        process_bury(&process);
        /* Nobody is left behind. */
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    }
}

START_TEST(exit_status_is_told)
{
    begin("exit 0");
    expect_end("");
    process_bury(&process);
    begin("exit 3");
    expect_end("exit status 3");
}
END_TEST

START_TEST(signal_that_killed_is_told)
{
    begin("kill -KILL $$");
    expect_end("killed by signal 9 (Killed)");
}
END_TEST

START_TEST(what_runs_has_not_ended)
{
    struct error err;

    begin("read line");
    ck_assert(!process_ended(&process, &err));
}
END_TEST

START_TEST(program_that_is_not_there_is_told)
{
    struct error err;

    ck_assert(!start("/nonexistent/program", "", &err));
    ck_assert_str_eq(err.text, "cannot start /nonexistent/program: No such "
                               "file or directory");
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(program_inherits_nothing)
{
    int leak = dup(0); /* without close-on-exec */
    char script[256];

    signal(SIGPIPE, SIG_IGN);
    snprintf(script, sizeof script,
             "env; pwd; [ -e /proc/$$/fd/%d ] || echo closed; kill -PIPE $$",
             leak);
    begin(script);
    expect_output("PATH=/usr/bin:/bin\nPWD=/\n/\nclosed\n");
    expect_end("killed by signal 13 (Broken pipe)");
    close(leak);
}
END_TEST

/* Field 41 of its line, proc(5), is the policy. */
static void *
begin_taking_time(void *arg)
{
    const struct sched_param none = {.sched_priority = 0};

    thread_take_time();
    *(bool *)arg = sched_getscheduler(0) == SCHED_BATCH ||
                   sched_getscheduler(getpid()) != SCHED_OTHER ||
                   sched_setscheduler(0, SCHED_BATCH, &none) != 0;
    begin("cut -d ' ' -f 41 /proc/$$/stat");
    return NULL;
}

START_TEST(program_of_a_thread_that_takes_its_time_does_not)
{
    pthread_t thread;
    bool took_time = false;
    char policy[16];

    snprintf(policy, sizeof policy, "%d\n", sched_getscheduler(0));
    ck_assert(
        thread_start("slow", begin_taking_time, &took_time, &thread, NULL));
    pthread_join(thread, NULL);
    ck_assert(took_time); /* or it may not */
    expect_output(policy);
    expect_end("");
}
END_TEST

START_TEST(signal_reaches_the_whole_group)
{
    char byte;

    begin("sleep 600 & echo x; sleep 600");
    ck_assert_int_eq(recv(ours, &byte, 1, 0), 1);
    process_signal(&process, SIGTERM);
    expect_end("killed by signal 15 (Terminated)");
    expect_output("\n"); /* its child is gone: the end comes */
}
END_TEST

/* Traces pid until its input ends: the dead whom a stranger traces are not their
 * parent's to bury before he lets go. */
static pid_t
trace(pid_t pid, int *input_out)
{
    int in[2], out[2];
    char byte;

    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        close(in[1]);
        bool traces = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
        (void)!write(out[1], traces ? "y" : "n", 1);
        (void)!read(in[0], &byte, 1);
        _exit(0);
    }
    ck_assert_int_eq(read(out[0], &byte, 1), 1);
    close(in[0]);
    close(out[0]);
    close(out[1]);
    *input_out = in[1];
    return byte == 'y' ? tracer : -1;
}

START_TEST(who_is_slow_to_die_is_not_waited_for)
{
    int input;

    begin("read line");
    pid_t pid = process.pid;
    pid_t tracer = trace(pid, &input);
    if (tracer < 0) {
        printf("skipped: this machine lets no process trace another\n");
        return;
    }
    process_forsake(&process);
    ck_assert_int_eq(kill(pid, 0), 0); /* not buried, and here we are */
    close(input);
    ck_assert_int_eq(waitpid(tracer, NULL, 0), tracer);
    while (kill(pid, 0) == 0)
        usleep(1000);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("process");
    TCase *tests = tcase_create("process");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, exit_status_is_told);
    tcase_add_test(tests, signal_that_killed_is_told);
    tcase_add_test(tests, what_runs_has_not_ended);
    tcase_add_test(tests, program_that_is_not_there_is_told);
    tcase_add_test(tests, program_inherits_nothing);
    tcase_add_test(tests, program_of_a_thread_that_takes_its_time_does_not);
    tcase_add_test(tests, signal_reaches_the_whole_group);
    tcase_add_test(tests, who_is_slow_to_die_is_not_waited_for);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
