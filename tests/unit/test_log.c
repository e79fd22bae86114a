/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/log.c with its writer: files, pipes that block, floods. */
#include "check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"

static char directory[] = "/tmp/test_log.XXXXXX";
static char path[64], old_path[64], target[80];
static char contents[4 * 1024 * 1024];

static void
set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/log", directory);
    snprintf(old_path, sizeof old_path, "%s/log.1", directory);
    snprintf(target, sizeof target, "file:%s", path);
}

static void
tear_down(void)
{
    unlink(path);
    unlink(old_path);
    rmdir(directory);
}

static void
open_log(const char *name, enum log_level level)
{
    const struct log_settings settings = {level, LOG_FORMAT_TEXT, name};

    ck_assert(log_open(&settings, NULL));
}

static const char *
read_file(const char *name)
{
    FILE *file = fopen(name, "r");

    ck_assert_ptr_nonnull(file);
    size_t length = fread(contents, 1, sizeof contents - 1, file);
    contents[length] = '\0';
    fclose(file);
    return contents;
}

static size_t
count(const char *text, const char *what)
{
    size_t found = 0;

    while ((text = strstr(text, what)) != NULL) {
        found++;
        text++;
    }
    return found;
}

/* The number behind what, in the first line that has it. */
static unsigned long
number_after(const char *text, const char *what)
{
    const char *place = strstr(text, what);

    ck_assert_ptr_nonnull(place);
    return strtoul(place + strlen(what), NULL, 10);
}

START_TEST(lines_reach_the_file_in_order)
{
    open_log(target, LOG_LEVEL_INFO);
    for (int i = 0; i < 3; i++)
        log_event(EVENT_NOTICE, LOG_NUMBER("id", i));
    log_close(5000);

    const char *first = strstr(read_file(path), " info notice id=0\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first, "id=1\n"));
    ck_assert_ptr_nonnull(strstr(strstr(first, "id=1\n"), "id=2\n"));
    ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(level_is_kept_and_can_be_adjusted)
{
    open_log(target, LOG_LEVEL_WARNING);
    ck_assert(!log_enabled(EVENT_NOTICE));
    log_event(EVENT_NOTICE, LOG_TEXT("reason", "before"));
    log_adjust(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
    ck_assert(log_enabled(EVENT_DETAIL));
    log_event(EVENT_DETAIL, LOG_TEXT("reason", "after"));
    log_close(5000);

    ck_assert_ptr_null(strstr(read_file(path), "before"));
    ck_assert_ptr_nonnull(strstr(contents, "\"reason\":\"after\"}\n"));
}
END_TEST

/* The descriptors of files that this process has below directory. */
static unsigned
count_open(void)
{
    char link[32], found[64];
    unsigned open = 0;

    for (int fd = 0; fd < 64; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, found, sizeof found - 1);
        if (length > 0) {
            found[length] = '\0';
            open += strncmp(found, directory, strlen(directory)) == 0;
        }
    }
    return open;
}

START_TEST(another_target_takes_over)
{
    char other[80];
    struct log_target *prepared;
    struct error err;

    snprintf(other, sizeof other, "file:%s", old_path);
    open_log(target, LOG_LEVEL_INFO);
    log_event(EVENT_NOTICE, LOG_NUMBER("id", 1));
    while (strstr(read_file(path), "id=1\n") == NULL)
        usleep(1000);
    ck_assert_ptr_null(log_prepare("file:/nowhere/log", &err));
    ck_assert_str_eq(err.text, "cannot open the log /nowhere/log: No such "
                               "file or directory");
    log_discard(log_prepare(other, &err));
    /* Whichever of the two the writer came to see. */
    for (int i = 0; i < 2; i++) {
        prepared = log_prepare(other, &err);
        ck_assert_ptr_nonnull(prepared);
        log_take(prepared);
    }
    log_event(EVENT_NOTICE, LOG_NUMBER("id", 2));
    while (strstr(read_file(old_path), "id=2\n") == NULL)
        usleep(1000);
    ck_assert_uint_eq(count_open(), 1);
    log_close(5000);

    ck_assert_uint_eq(count_open(), 0);
    ck_assert_ptr_null(strstr(read_file(path), "id=2\n"));
    ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(errno_survives_logging)
{
    open_log(target, LOG_LEVEL_INFO);

    errno = ENOTTY;
    log_event(EVENT_NOTICE, LOG_TEXT("reason", "x"));

    ck_assert_int_eq(errno, ENOTTY);
    log_close(5000);
}
END_TEST

static void
await_in_file(const char *what)
{
    for (int i = 0; i < 2000; i++) {
        if (access(path, F_OK) == 0 && strstr(read_file(path), what) != NULL)
            return;
        usleep(1000);
    }
    ck_abort_msg("%s did not come", what);
}

START_TEST(rotated_file_is_opened_anew)
{
    open_log(target, LOG_LEVEL_INFO);
    log_event(EVENT_NOTICE, LOG_TEXT("reason", "first"));
    await_in_file("first");

    ck_assert_int_eq(rename(path, old_path), 0);
    log_reopen();
    log_event(EVENT_NOTICE, LOG_TEXT("reason", "second"));
    log_close(5000);

    ck_assert_ptr_nonnull(strstr(read_file(path), "second"));
    ck_assert_ptr_null(strstr(contents, "first"));
    ck_assert_ptr_null(strstr(read_file(old_path), "second"));
}
END_TEST

START_TEST(failed_reopening_is_told_in_the_old_file)
{
    open_log(target, LOG_LEVEL_INFO);
    ck_assert_int_eq(rename(path, old_path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);

    log_reopen();
    log_close(5000);

    char expected[160];
    snprintf(expected, sizeof expected,
             "reason=\"cannot open the log %s: Is a directory\"\n", path);
    ck_assert_ptr_nonnull(strstr(read_file(old_path), expected));
    rmdir(path);
}
END_TEST

static const struct {
    const char *target;
    const char *error;
} bad_targets[] = {
    {"file:/nonexistent/log",
     "cannot open the log /nonexistent/log: No such file or directory"},
    {"file:", "cannot log to \"file:\": write stderr, syslog or file:PATH"},
    {"stdout", "cannot log to \"stdout\": write stderr, syslog or file:PATH"},
};

START_TEST(target_that_cannot_be_opened_is_refused)
{
    const struct log_settings settings = {LOG_LEVEL_INFO, LOG_FORMAT_TEXT,
                                          bad_targets[_i].target};
    struct error err;

    ck_assert(!log_open(&settings, &err));

    ck_assert_str_eq(err.text, bad_targets[_i].error);
}
END_TEST

/* Standard error becomes a pipe; its other end is returned. */
static int
catch_stderr(void)
{
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    close(fds[1]);
    return fds[0];
}

static const char *
read_pipe(int fd)
{
    ssize_t length = read(fd, contents, sizeof contents - 1);

    ck_assert_int_ge(length, 0);
    contents[length] = '\0';
    return contents;
}

START_TEST(before_it_is_open_lines_go_to_standard_error)
{
    int fd = catch_stderr();

    log_event(EVENT_NOTICE, LOG_TEXT("reason", "early"));

    ck_assert_ptr_nonnull(strstr(read_pipe(fd), " info notice reason=early\n"));
}
END_TEST

START_TEST(blocked_target_stops_neither_callers_nor_the_end)
{
    int fd = catch_stderr();
    open_log("stderr", LOG_LEVEL_INFO);
    uint64_t before = loop_now_ms();

    for (int i = 0; i < 50000; i++)
        log_event(EVENT_NOTICE, LOG_TEXT("reason", "nobody reads this line"));
    log_close(50);

    ck_assert_uint_lt(loop_now_ms() - before, 10000);
    ck_assert_uint_gt(log_dropped(), 10000);
    close(fd);
}
END_TEST

START_TEST(dropped_lines_are_reported_when_there_is_room)
{
    int fd = catch_stderr();
    FILE *reader = fdopen(fd, "r");
    static char text[16384];
    unsigned long lines = 0;
    open_log("stderr", LOG_LEVEL_INFO);
    for (int i = 0; i < 20000; i++)
        log_event(EVENT_NOTICE, LOG_TEXT("reason", "nobody reads this yet"));

    while (fgets(text, sizeof text, reader) != NULL &&
           strstr(text, " warning dropped lines=") == NULL)
        lines++;

    ck_assert_uint_eq(number_after(text, "lines="), log_dropped());
    ck_assert_uint_eq(lines + log_dropped(), 20000);
    log_close(5000);
    fclose(reader);
}
END_TEST

/* From here on a file can have that many bytes, as on a disk that is full. */
static void
limit_files(rlim_t size)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
}

/* Also of the reports that were lost themselves. */
START_TEST(full_disk_is_told_in_whole_lines_once_there_is_room)
{
    open_log(target, LOG_LEVEL_INFO);
    limit_files(1000);
    for (int i = 0; i < 100; i++)
        log_event(EVENT_NOTICE, LOG_TEXT("reason", "is there room?"));
    while (log_dropped() == 0)
        usleep(1000);
    usleep(1200 * 1000); /* one report is lost */
    uint64_t before = log_dropped();
    log_event(EVENT_NOTICE, LOG_TEXT("reason", "still none"));
    while (log_dropped() == before)
        usleep(1000);
    limit_files(RLIM_INFINITY);
    await_in_file(" warning dropped lines=");
    unsigned long dropped = number_after(contents, "lines=");
    log_close(5000);

    size_t whole = count(read_file(path), "reason=\"is there room?\"\n");
    ck_assert_uint_gt(whole, 5);
    ck_assert_uint_eq(whole + dropped, 101);
    ck_assert_uint_eq(log_dropped(), dropped);
    ck_assert_ptr_nonnull(strstr(contents, "Z warning dropped"));
    ck_assert_int_eq(strstr(contents, "Z warning dropped")[-24], '\n');
}
END_TEST

START_TEST(fifo_that_nobody_reads_is_refused)
{
    const struct log_settings settings = {LOG_LEVEL_INFO, LOG_FORMAT_TEXT,
                                          target};
    char expected[160];
    struct error err;
    ck_assert_int_eq(mkfifo(path, 0600), 0);

    ck_assert(!log_open(&settings, &err));

    snprintf(expected, sizeof expected,
             "cannot open the log %s: nobody reads this FIFO", path);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

START_TEST(fifo_that_is_read_is_written_like_a_file)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    open_log(target, LOG_LEVEL_INFO);

    log_event(EVENT_NOTICE, LOG_TEXT("reason", "to the reader"));
    log_close(5000);

    ck_assert_ptr_nonnull(strstr(read_pipe(fd), "reason=\"to the reader\"\n"));
    close(fd);
}
END_TEST

START_TEST(closed_pipe_neither_kills_nor_hangs)
{
    close(catch_stderr());
    open_log("stderr", LOG_LEVEL_INFO);

    log_event(EVENT_NOTICE, LOG_TEXT("reason", "to nobody"));
    log_close(5000);

    ck_assert_uint_eq(log_dropped(), 1);
}
END_TEST

START_TEST(flood_is_cut_and_what_was_withheld_is_told)
{
    open_log(target, LOG_LEVEL_INFO);

    for (int i = 0; i < 1000; i++)
        log_event(EVENT_REFUSED, LOG_TEXT("peer", "mallory@R"));
    log_event(EVENT_UP, LOG_TEXT("peer", "alice@R"));
    log_close(5000);

    size_t refused = count(read_file(path), " warning refused peer=mallory@R");
    ck_assert_uint_ge(refused, 50);
    ck_assert_uint_lt(refused, 100);
    ck_assert_uint_eq(refused + number_after(contents,
                                             "warning suppressed "
                                             "suppressed_event=refused lines="),
                      1000);
    ck_assert_uint_eq(count(contents, " info up peer=alice@R"), 1);
}
END_TEST

START_TEST(withheld_lines_are_told_without_another_event)
{
    open_log(target, LOG_LEVEL_INFO);

    for (int i = 0; i < 100; i++)
        log_event(EVENT_FAILED, LOG_TEXT("reason", "garbage"));

    await_in_file("suppressed_event=failed lines=");
    log_close(5000);
}
END_TEST

static void *
log_many(void *arg)
{
    for (int i = 0; i < 1000; i++)
        log_event(EVENT_NOTICE, LOG_TEXT("service", arg), LOG_NUMBER("id", i));
    return NULL;
}

START_TEST(threads_share_the_log)
{
    char service[] = "some_service";
    pthread_t threads[4];
    open_log(target, LOG_LEVEL_INFO);

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, log_many, service);
    log_reopen();
    log_adjust(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_close(5000);

    ck_assert_uint_eq(count(read_file(path), "notice service=some_service id="),
                      4000 - log_dropped());
    ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

/* In place of the C library's: what would be sent. */
static char messages[1024];

static void
keep_message(int priority, const char *format, va_list args)
{
    size_t used = strlen(messages);
    int length = snprintf(messages + used, sizeof messages - used, "<%d>",
                          priority);

    used += (size_t)length;
    vsnprintf(messages + used, sizeof messages - used, format, args);
}

#undef syslog /* a macro with _FORTIFY_SOURCE */
void
syslog(int priority, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep_message(priority, format, args);
    va_end(args);
}

/* What syslog is called with _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...);

void
__syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;

    (void)flag;
    va_start(args, format);
    keep_message(priority, format, args);
    va_end(args);
}

START_TEST(syslog_gets_priority_and_body)
{
    open_log("syslog", LOG_LEVEL_INFO);

    log_event(EVENT_WARN, LOG_TEXT("reason", "100%s"));
    log_event(EVENT_UP, LOG_TEXT("peer", "alice@R"));
    log_close(5000);

    ck_assert_str_eq(messages, "<4>warning reason=100%s<6>up peer=alice@R");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *files = tcase_create("files");
    TCase *pipes = tcase_create("pipes");
    TCase *floods = tcase_create("floods");

    tcase_add_checked_fixture(files, set_up, tear_down);
    tcase_add_test(files, lines_reach_the_file_in_order);
    tcase_add_test(files, level_is_kept_and_can_be_adjusted);
    tcase_add_test(files, another_target_takes_over);
    tcase_add_test(files, errno_survives_logging);
    tcase_add_test(files, rotated_file_is_opened_anew);
    tcase_add_test(files, failed_reopening_is_told_in_the_old_file);
    tcase_add_loop_test(files, target_that_cannot_be_opened_is_refused, 0,
                        sizeof bad_targets / sizeof bad_targets[0]);
    tcase_add_test(files, full_disk_is_told_in_whole_lines_once_there_is_room);
    tcase_add_test(files, fifo_that_nobody_reads_is_refused);
    tcase_add_test(files, fifo_that_is_read_is_written_like_a_file);
    tcase_add_test(files, threads_share_the_log);
    tcase_add_test(files, syslog_gets_priority_and_body);
    suite_add_tcase(suite, files);

    tcase_set_timeout(pipes, 30);
    tcase_add_test(pipes, before_it_is_open_lines_go_to_standard_error);
    tcase_add_test(pipes, blocked_target_stops_neither_callers_nor_the_end);
    tcase_add_test(pipes, dropped_lines_are_reported_when_there_is_room);
    tcase_add_test(pipes, closed_pipe_neither_kills_nor_hangs);
    suite_add_tcase(suite, pipes);

    tcase_add_checked_fixture(floods, set_up, tear_down);
    tcase_add_test(floods, flood_is_cut_and_what_was_withheld_is_told);
    tcase_add_test(floods, withheld_lines_are_told_without_another_event);
    suite_add_tcase(suite, floods);
    return suite;
}

CHECK_MAIN(make_suite)
