/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/listener.c: accepting, pauses, and sockets that outlive a reload. */
#include "check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "latch.h"
#include "loop_fixture.h"
#include "proxy/listener.h"

static struct listener *listener;
static struct latch accepted, paused, resumed;
static _Atomic unsigned room;
static int fds[64];
static unsigned fd_count;
static struct address last_peer;
static char last_reason[128];
static char directory[] = "/tmp/kerbwrap-test-XXXXXX";
static struct endpoint endpoint;

static const char *
why_full(void *arg)
{
    ck_assert_ptr_eq(arg, &room);
    return room > 0 ? NULL : "max_connections";
}

static void
on_accepted(int fd, const struct address *peer, void *arg)
{
    (void)arg;
    ck_assert_uint_gt(room, 0);
    room--;
    fds[fd_count++] = fd;
    last_peer = *peer;
    latch_tell(&accepted);
}

static void
on_pause(const char *reason, void *arg)
{
    (void)arg;
    if (reason != NULL)
        snprintf(last_reason, sizeof last_reason, "%s", reason);
    latch_tell(reason != NULL ? &paused : &resumed);
}

static const struct listener_handler handler = {
    .why_full = why_full,
    .on_accepted = on_accepted,
    .on_pause = on_pause,
    .arg = (void *)(uintptr_t)&room,
};

static void
set_up(void)
{
    loop_set_up();
    accepted = paused = resumed = (struct latch)LATCH_INITIALIZER;
    room = 64;
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert(endpoint_parse("127.0.0.1:0", true, &endpoint, NULL));
}

static void
free_listener(void *arg)
{
    struct listener **old = arg;

    listener_free(*old);
    *old = NULL;
}

static void
tear_down(void)
{
    loop_do(free_listener, &listener);
    for (unsigned i = 0; i < fd_count; i++)
        close(fds[i]);
    rmdir(directory);
    loop_tear_down();
}

static void
start(void *arg)
{
    struct error error;

    ck_assert_msg(listener_start(arg, test_loop, &handler, &error), "%s",
                  error.text);
}

static void
listen_on_unix(void)
{
    endpoint = (struct endpoint){.kind = ENDPOINT_UNIX};
    snprintf(endpoint.path, sizeof endpoint.path, "%s/socket", directory);
}

static const struct socket_permissions permissions = {0600, OWNER_AS_IS};

static struct listener *
make(const struct listener *predecessor)
{
    struct error error;
    struct listener *made = listener_new(&endpoint, &permissions, predecessor,
                                         &error);

    ck_assert_msg(made != NULL, "%s", error.text);
    return made;
}

static void
begin(void)
{
    listener = make(NULL);
    loop_do(start, listener);
}

static int
call(void)
{
    struct endpoint at = endpoint;
    struct address address;

    if (at.kind == ENDPOINT_TCP)
        ck_assert(endpoint_parse(listener_address(listener), false, &at, NULL));
    ck_assert(endpoint_literal(&at, &address));
    int fd = socket(address.storage.ss_family, SOCK_STREAM, 0);
    ck_assert_int_eq(
        connect(fd, (struct sockaddr *)&address.storage, address.length), 0);
    return fd;
}

START_TEST(caller_is_accepted_with_its_address)
{
    char text[ADDRESS_TEXT_SIZE];

    begin();
    int caller = call();
    latch_wait(&accepted, 1);
    address_format(&last_peer, text, sizeof text);
    ck_assert_int_eq(strncmp(text, "127.0.0.1:", 10), 0);
    close(caller);
}
END_TEST

static int
option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;

    getsockopt(fd, level, name, &value, &size);
    return value;
}

START_TEST(accepted_socket_does_not_delay_and_notices_a_dead_peer)
{
    begin();
    int caller = call();
    latch_wait(&accepted, 1);
    ck_assert_int_eq(option(fds[0], IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(option(fds[0], SOL_SOCKET, SO_KEEPALIVE), 1);
    int idle = option(caller, IPPROTO_TCP, TCP_KEEPIDLE);
    ck_assert_int_lt(option(fds[0], IPPROTO_TCP, TCP_KEEPIDLE), idle);
    close(caller);
}
END_TEST

START_TEST(address_shows_the_port_that_was_picked)
{
    begin();
    ck_assert_int_eq(strncmp(listener_address(listener), "127.0.0.1:", 10), 0);
    ck_assert_str_ne(listener_address(listener), "127.0.0.1:0");
    ck_assert_uint_eq(listener_endpoint(listener)->port, 0);
}
END_TEST

START_TEST(callers_who_came_before_the_start_are_accepted)
{
    listener = make(NULL);
    int caller = call();
    loop_do(start, listener);
    latch_wait(&accepted, 1);
    close(caller);
}
END_TEST

START_TEST(crowd_is_accepted_to_the_last)
{
    int callers[64];

    begin();
    for (size_t i = 0; i < 64; i++)
        callers[i] = call();
    latch_wait(&accepted, 64);
    for (size_t i = 0; i < 64; i++)
        close(callers[i]);
}
END_TEST

/* Pauses. */

static void
resume(void *arg)
{
    (void)arg;
    room++;
    listener_resume(listener);
}

START_TEST(full_listener_pauses_until_it_is_resumed)
{
    room = 1;
    begin();
    int first = call(), second = call();
    latch_wait(&accepted, 1);
    latch_wait(&paused, 1);
    ck_assert_str_eq(last_reason, "max_connections");
    loop_do(resume, NULL);
    latch_wait(&accepted, 2);
    latch_wait(&resumed, 1);
    close(first);
    close(second);
}
END_TEST

START_TEST(resuming_what_is_not_paused_is_nothing)
{
    begin();
    loop_do(resume, NULL);
    int caller = call();
    latch_wait(&accepted, 1);
    ck_assert(!latch_was_told(&paused) && !latch_was_told(&resumed));
    close(caller);
}
END_TEST

static void
limit_descriptors(rlim_t count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(listener_without_descriptors_waits_and_goes_on)
{
    struct rlimit before;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    begin();
    int caller = socket(AF_INET, SOCK_STREAM, 0);
    struct endpoint at;
    struct address address;
    ck_assert(endpoint_parse(listener_address(listener), false, &at, NULL));
    ck_assert(endpoint_literal(&at, &address));
    /* The next descriptor would be caller's successor. */
    limit_descriptors((rlim_t)caller + 1);
    ck_assert_int_eq(
        connect(caller, (struct sockaddr *)&address.storage, address.length),
        0);
    latch_wait(&paused, 1);
    ck_assert_str_eq(last_reason, "Too many open files");
    limit_descriptors(before.rlim_cur);
    latch_wait(&accepted, 1);
    latch_wait(&resumed, 1);
    close(caller);
}
END_TEST

/* Stops and successors. */

static void
stop(void *arg)
{
    listener_stop(listener, *(bool *)arg);
}

START_TEST(stopped_listener_accepts_nobody)
{
    bool shared = false;

    listen_on_unix();
    begin();
    int caller = call();
    latch_wait(&accepted, 1);
    loop_do(stop, &shared);
    ck_assert_int_ne(access(endpoint.path, F_OK), 0);
    close(caller);
}
END_TEST

START_TEST(listener_that_was_never_started_can_be_stopped)
{
    bool shared = false;

    listen_on_unix();
    listener = make(NULL);
    loop_do(stop, &shared);
    ck_assert_int_ne(access(endpoint.path, F_OK), 0);
}
END_TEST

START_TEST(mode_of_a_unix_socket_is_as_told)
{
    struct stat path;

    listen_on_unix();
    begin();
    ck_assert_int_eq(stat(endpoint.path, &path), 0);
    ck_assert_uint_eq(path.st_mode & 0777, 0600);
}
END_TEST

START_TEST(socket_that_somebody_else_put_there_stays)
{
    bool shared = false;
    char moved[160];

    listen_on_unix();
    begin();
    snprintf(moved, sizeof moved, "%s.old", endpoint.path);
    ck_assert_int_eq(rename(endpoint.path, moved), 0);
    struct listener *other = make(NULL);
    loop_do(stop, &shared);
    ck_assert_int_eq(access(endpoint.path, F_OK), 0);
    listener_free(other);
    ck_assert_int_ne(access(endpoint.path, F_OK), 0);
    unlink(moved);
}
END_TEST

START_TEST(successor_takes_the_callers_who_wait)
{
    bool shared = true;
    char before[ADDRESS_TEXT_SIZE];

    listener = make(NULL);
    snprintf(before, sizeof before, "%s", listener_address(listener));
    int caller = call();
    struct listener *successor = make(listener);
    loop_do(stop, &shared);
    loop_do(free_listener, &listener);
    listener = successor;
    ck_assert_str_eq(listener_address(listener), before);
    loop_do(start, listener);
    latch_wait(&accepted, 1);
    close(caller);
}
END_TEST

START_TEST(path_of_a_shared_socket_goes_with_its_last_listener)
{
    bool shared = true;

    listen_on_unix();
    begin();
    struct listener *successor = make(listener);
    loop_do(stop, &shared);
    loop_do(free_listener, &listener);
    ck_assert_int_eq(access(endpoint.path, F_OK), 0);
    listener = successor;
    loop_do(start, listener);
    loop_do(free_listener, &listener);
    ck_assert_int_ne(access(endpoint.path, F_OK), 0);
}
END_TEST

START_TEST(successor_that_never_started_leaves_the_path)
{
    listen_on_unix();
    begin();
    listener_free(make(listener));
    int caller = call();
    latch_wait(&accepted, 1);
    close(caller);
}
END_TEST

START_TEST(address_in_use_is_said_so)
{
    struct error error;

    begin();
    ck_assert(
        endpoint_parse(listener_address(listener), false, &endpoint, NULL));
    ck_assert_ptr_null(listener_new(&endpoint, &permissions, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "Address already in use"));
}
END_TEST

static Suite *
listener_suite(void)
{
    Suite *suite = suite_create("listener");
    TCase *cases = tcase_create("listener");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, caller_is_accepted_with_its_address);
    tcase_add_test(cases,
                   accepted_socket_does_not_delay_and_notices_a_dead_peer);
    tcase_add_test(cases, address_shows_the_port_that_was_picked);
    tcase_add_test(cases, callers_who_came_before_the_start_are_accepted);
    tcase_add_test(cases, crowd_is_accepted_to_the_last);
    tcase_add_test(cases, full_listener_pauses_until_it_is_resumed);
    tcase_add_test(cases, resuming_what_is_not_paused_is_nothing);
    tcase_add_test(cases, listener_without_descriptors_waits_and_goes_on);
    tcase_add_test(cases, stopped_listener_accepts_nobody);
    tcase_add_test(cases, listener_that_was_never_started_can_be_stopped);
    tcase_add_test(cases, mode_of_a_unix_socket_is_as_told);
    tcase_add_test(cases, socket_that_somebody_else_put_there_stays);
    tcase_add_test(cases, successor_takes_the_callers_who_wait);
    tcase_add_test(cases, path_of_a_shared_socket_goes_with_its_last_listener);
    tcase_add_test(cases, successor_that_never_started_leaves_the_path);
    tcase_add_test(cases, address_in_use_is_said_so);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(listener_suite)
