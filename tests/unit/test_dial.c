/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/dial.c: from endpoints to sockets, failures and deadlines. */
#include "check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "latch.h"
#include "loop_fixture.h"
#include "proxy/addressbook.h"
#include "proxy/dial.h"
#include "sockets.h"

static struct dial *dial;
static struct endpoint endpoint;
static struct latch done;
static int fd;
static struct address answered;
static struct error reason;

static void
set_up(void)
{
    loop_set_up();
    done = (struct latch)LATCH_INITIALIZER;
    fd = -1;
}

static void
cancel(void *arg)
{
    (void)arg;
    dial_cancel(dial);
    dial = NULL;
}

static void
tear_down(void)
{
    loop_do(cancel, NULL);
    if (fd >= 0)
        close(fd);
    loop_tear_down();
}

static void
on_done(int connected, const struct address *address, const struct error *err,
        void *arg)
{
    ck_assert_ptr_eq(arg, &fd);
    ck_assert(!latch_was_told(&done));
    dial = NULL;
    fd = connected;
    answered = *address;
    reason = *err;
    latch_tell(&done);
}

static void
start(void *arg)
{
    dial = dial_start(test_loop, test_pool, &endpoint, *(uint64_t *)arg,
                      on_done, &fd);
    ck_assert_ptr_nonnull(dial);
    ck_assert(!latch_was_told(&done));
    /* It is copied. */
    memset(&endpoint, 0, sizeof endpoint);
}

static void
begin(const char *text, uint64_t timeout_ms)
{
    ck_assert(endpoint_parse(text, false, &endpoint, NULL));
    loop_do(start, &timeout_ms);
}

static void
expect_failure(const char *text)
{
    latch_wait(&done, 1);
    ck_assert_str_eq(reason.text, text);
    ck_assert_int_eq(fd, -1);
}

static void
expect_connected(const char *address)
{
    char text[ADDRESS_TEXT_SIZE];

    latch_wait(&done, 1);
    ck_assert_msg(fd >= 0, "%s", reason.text);
    address_format(&answered, text, sizeof text);
    ck_assert_str_eq(text, address);
    ck_assert_int_eq(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

START_TEST(address_is_connected_to)
{
    char text[32];
    uint16_t port;
    int listener = sockets_listen(5, &port);

    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    begin(text, 60000);
    expect_connected(text);
    close(listener);
}
END_TEST

static struct addressbook *book;

static void
start_by_book(void *arg)
{
    start(arg);
    dial_go_by(dial, book);
}

START_TEST(name_that_does_not_resolve_is_dialled_where_it_was)
{
    struct endpoint nowhere;
    struct address address;
    char text[64];
    uint16_t port;
    int listener = sockets_listen(5, &port);

    book = addressbook_new();
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    ck_assert(endpoint_parse(text, false, &endpoint, NULL));
    ck_assert(endpoint_literal(&endpoint, &address));
    ck_assert(endpoint_parse("nowhere.invalid:1", false, &nowhere, NULL));
    addressbook_note(book, &nowhere, &address, 1);
    endpoint = nowhere;
    loop_do(start_by_book, &(uint64_t){60000});
    expect_connected(text);
    addressbook_release(book);
    close(listener);
}
END_TEST

START_TEST(what_a_name_resolves_to_is_noted)
{
    struct address known[ADDRESSBOOK_ADDRESSES_MAX];
    struct endpoint server;
    char text[64];
    uint16_t port;
    int listener = sockets_listen(5, &port);

    book = addressbook_new();
    snprintf(text, sizeof text, "localhost:%u", port);
    ck_assert(endpoint_parse(text, false, &server, NULL));
    endpoint = server;
    loop_do(start_by_book, &(uint64_t){60000});
    latch_wait(&done, 1);
    ck_assert_uint_ge(addressbook_recall(book, &server, known), 1);
    server.port = 1;
    ck_assert_uint_eq(addressbook_recall(book, &server, known), 0);
    addressbook_release(book);
    close(listener);
}
END_TEST

START_TEST(unix_socket_is_connected_to)
{
    struct endpoint own = {.kind = ENDPOINT_UNIX};
    struct address address;
    char directory[] = "/tmp/kerbwrap-test-XXXXXX", text[64];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(own.path, sizeof own.path, "%s/socket", directory);
    ck_assert(endpoint_literal(&own, &address));
    ck_assert_int_eq(
        bind(listener, (struct sockaddr *)&address.storage, address.length), 0);
    ck_assert_int_eq(listen(listener, 5), 0);
    snprintf(text, sizeof text, "unix:%s/socket", directory);
    begin(text, 60000);
    expect_connected(text);
    close(listener);
    unlink(own.path);
    rmdir(directory);
}
END_TEST

START_TEST(name_is_resolved_and_each_address_tried)
{
    char text[32], address[32];
    uint16_t port;
    int listener = sockets_listen(5, &port);

    /* Whatever else localhost is, it is 127.0.0.1 too. */
    snprintf(text, sizeof text, "localhost:%u", port);
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    begin(text, 60000);
    expect_connected(address);
    close(listener);
}
END_TEST

START_TEST(refusal_names_the_address)
{
    char text[32], expected[128];
    uint16_t port;

    close(sockets_listen(5, &port));
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    snprintf(expected, sizeof expected,
             "cannot connect to %s: Connection refused", text);
    begin(text, 60000);
    expect_failure(expected);
}
END_TEST

START_TEST(failure_at_once_is_said_once)
{
    begin("unix:/nonexistent/socket", 60000);
    expect_failure("cannot connect to unix:/nonexistent/socket: No such file "
                   "or directory");
}
END_TEST

START_TEST(name_that_does_not_exist_is_said_so)
{
    begin("nowhere.invalid:80", 60000);
    latch_wait(&done, 1);
    ck_assert_int_eq(fd, -1);
    ck_assert_msg(
        strncmp(reason.text, "cannot resolve nowhere.invalid: ", 32) == 0, "%s",
        reason.text);
}
END_TEST

/* A listener that answers nothing more: its queue is full. */
static int
make_black_hole(char *text, size_t size, int fillers[2])
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    uint16_t port;
    int listener = sockets_listen(0, &port);

    address.sin_port = htons(port);
    for (int i = 0; i < 2; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    snprintf(text, size, "127.0.0.1:%u", port);
    return listener;
}

START_TEST(black_hole_is_left_when_time_is_up)
{
    char text[32], expected[128];
    int fillers[2];
    int listener = make_black_hole(text, sizeof text, fillers);

    snprintf(expected, sizeof expected,
             "cannot connect to %s: Connection timed out", text);
    begin(text, 100);
    expect_failure(expected);
    close(fillers[0]);
    close(fillers[1]);
    close(listener);
}
END_TEST

START_TEST(no_time_is_a_failure)
{
    begin("127.0.0.1:1", 0);
    expect_failure("cannot connect: no time left");
}
END_TEST

/* Cancelling: done never fires. */

START_TEST(dial_may_be_cancelled_at_once)
{
    begin("127.0.0.1:1", 60000);
    loop_do(cancel, NULL);
    loop_settle();
}
END_TEST

START_TEST(dial_may_be_cancelled_while_it_resolves)
{
    begin("localhost:1", 60000);
    loop_do(cancel, NULL);
    loop_settle();
}
END_TEST

START_TEST(dial_may_be_cancelled_while_it_connects)
{
    char text[32];
    int fillers[2];
    int listener = make_black_hole(text, sizeof text, fillers);

    begin(text, 60000);
    loop_settle();
    loop_do(cancel, NULL);
    close(fillers[0]);
    close(fillers[1]);
    close(listener);
}
END_TEST

static Suite *
dial_suite(void)
{
    Suite *suite = suite_create("dial");
    TCase *cases = tcase_create("dial");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, address_is_connected_to);
    tcase_add_test(cases, name_that_does_not_resolve_is_dialled_where_it_was);
    tcase_add_test(cases, what_a_name_resolves_to_is_noted);
    tcase_add_test(cases, unix_socket_is_connected_to);
    tcase_add_test(cases, name_is_resolved_and_each_address_tried);
    tcase_add_test(cases, refusal_names_the_address);
    tcase_add_test(cases, failure_at_once_is_said_once);
    tcase_add_test(cases, name_that_does_not_exist_is_said_so);
    tcase_add_test(cases, black_hole_is_left_when_time_is_up);
    tcase_add_test(cases, no_time_is_a_failure);
    tcase_add_test(cases, dial_may_be_cancelled_at_once);
    tcase_add_test(cases, dial_may_be_cancelled_while_it_resolves);
    tcase_add_test(cases, dial_may_be_cancelled_while_it_connects);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(dial_suite)
