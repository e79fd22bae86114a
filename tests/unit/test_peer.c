/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/peer.c: who is at the other end. */
#include "check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/peer.h"

enum {
    OTHER_USER = 54321
};

static const char nobody_holds[] =
    "cannot tell who connects: no process on this machine holds the other end";

/* A listener at host, an address of the family, and where that is. */
static int
listen_at(int family, const char *host, struct sockaddr_storage *where,
          socklen_t *size)
{
    struct sockaddr_in *ipv4 = (void *)where;
    struct sockaddr_in6 *ipv6 = (void *)where;
    int fd = socket(family, SOCK_STREAM, 0);

    memset(where, 0, sizeof *where);
    where->ss_family = (sa_family_t)family;
    *size = family == AF_INET ? sizeof *ipv4 : sizeof *ipv6;
    ck_assert_int_eq(inet_pton(family, host,
                               family == AF_INET ? (void *)&ipv4->sin_addr
                                                 : (void *)&ipv6->sin6_addr),
                     1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)where, *size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)where, size), 0);
    return fd;
}

static int
call(const struct sockaddr_storage *where, socklen_t size)
{
    int fd = socket(where->ss_family, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (const struct sockaddr *)where, size), 0);
    return fd;
}

/* [0] accepted, [1] the caller's. */
static void
make_pair(int family, const char *host, int pair[2])
{
    struct sockaddr_storage where;
    socklen_t size;
    int listener = listen_at(family, host, &where, &size);

    pair[1] = call(&where, size);
    pair[0] = accept(listener, NULL, NULL);
    ck_assert_int_ge(pair[0], 0);
    close(listener);
}

static void
assert_is_me(int fd)
{
    struct error error;
    uid_t user = OTHER_USER;

    ck_assert_msg(peer_user(fd, &user, &error), "%s", error.text);
    ck_assert_uint_eq(user, geteuid());
}

START_TEST(user_at_a_unix_socket_is_known)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);

    assert_is_me(pair[0]);

    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(user_at_a_loopback_socket_is_known)
{
    static const struct {
        int family;
        const char *host;
    } places[] = {{AF_INET, "127.0.0.1"}, {AF_INET6, "::1"}, {AF_INET6, "::"}};
    int pair[2];

    make_pair(places[_i].family, places[_i].host, pair);
    assert_is_me(pair[0]);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(ipv4_caller_of_an_ipv6_socket_is_known)
{
    struct sockaddr_storage where;
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    socklen_t size;
    int listener = listen_at(AF_INET6, "::", &where, &size);
    ipv4.sin_port = ((struct sockaddr_in6 *)&where)->sin6_port;
    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(&where, 0, sizeof where);
    memcpy(&where, &ipv4, sizeof ipv4);

    int caller = call(&where, sizeof ipv4);
    int accepted = accept(listener, NULL, NULL);

    assert_is_me(accepted);
    close(accepted);
    close(caller);
    close(listener);
}
END_TEST

START_TEST(caller_is_whose_process_opened_the_socket)
{
    struct sockaddr_storage where;
    socklen_t size;
    uid_t user = 0;
    struct error error;
    int listener = listen_at(AF_INET, "127.0.0.1", &where, &size);
    if (geteuid() != 0)
        return; /* nobody else can be somebody else */

    pid_t child = fork();
    if (child == 0) {
        if (setuid(OTHER_USER) != 0)
            _exit(1);
        int fd = call(&where, size);
        char byte;
        _exit(read(fd, &byte, 1) == 0 ? 0 : 1);
    }
    int accepted = accept(listener, NULL, NULL);
    ck_assert_msg(peer_user(accepted, &user, &error), "%s", error.text);
    ck_assert_uint_eq(user, OTHER_USER);
    close(accepted);
    close(listener);
    waitpid(child, NULL, 0);
}
END_TEST

/* The kernel would say: user 0. */
START_TEST(who_has_closed_is_not_taken_for_root)
{
    int pair[2];
    uid_t user;
    struct error error;
    make_pair(AF_INET, "127.0.0.1", pair);
    close(pair[1]);

    ck_assert(!peer_user(pair[0], &user, &error));
    ck_assert_str_eq(error.text, nobody_holds);
    close(pair[0]);
}
END_TEST

START_TEST(who_only_said_all_it_has_to_say_is_known)
{
    int pair[2];
    make_pair(AF_INET, "127.0.0.1", pair);
    shutdown(pair[1], SHUT_WR);

    assert_is_me(pair[0]);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

/* A lookup falls back to who listens at the caller's address. */
START_TEST(listener_at_the_callers_address_is_not_the_caller)
{
    struct sockaddr_storage where, from;
    socklen_t size, from_size = sizeof from;
    uid_t user;
    struct error error;
    int one = 1;
    int listener = listen_at(AF_INET, "127.0.0.1", &where, &size);
    int caller = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(caller, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ck_assert_int_eq(bind(caller, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(getsockname(caller, (struct sockaddr *)&from, &from_size),
                     0);
    int other = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    ck_assert_int_eq(bind(other, (struct sockaddr *)&from, from_size), 0);
    ck_assert_int_eq(connect(caller, (struct sockaddr *)&where, size), 0);
    ck_assert_int_eq(listen(other, 8), 0);
    int accepted = accept(listener, NULL, NULL);
    assert_is_me(accepted);

    const struct linger at_once = {1, 0};
    setsockopt(caller, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(caller);
    char byte;
    ck_assert_int_eq(recv(accepted, &byte, 1, 0), -1);

    ck_assert(!peer_user(accepted, &user, &error));
    close(accepted);
    close(other);
    close(listener);
}
END_TEST

START_TEST(kernel_can_be_asked)
{
    struct error error;

    ck_assert_msg(peer_user_can_tell(&error), "%s", error.text);
}
END_TEST

static Suite *
peer_suite(void)
{
    Suite *suite = suite_create("peer");
    TCase *cases = tcase_create("peer");

    tcase_add_test(cases, user_at_a_unix_socket_is_known);
    tcase_add_loop_test(cases, user_at_a_loopback_socket_is_known, 0, 3);
    tcase_add_test(cases, ipv4_caller_of_an_ipv6_socket_is_known);
    tcase_add_test(cases, caller_is_whose_process_opened_the_socket);
    tcase_add_test(cases, who_has_closed_is_not_taken_for_root);
    tcase_add_test(cases, who_only_said_all_it_has_to_say_is_known);
    tcase_add_test(cases, listener_at_the_callers_address_is_not_the_caller);
    tcase_add_test(cases, kernel_can_be_asked);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(peer_suite)
