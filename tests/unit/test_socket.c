/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/socket.c with real sockets on loopback and in a directory. */
#include "check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/socket.h"

static char directory[] = "/tmp/test_socket.XXXXXX";
static struct endpoint unix_endpoint;

static void
set_up(void)
{
    char text[sizeof directory + 16];

    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(text, sizeof text, "unix:%s/s", directory);
    ck_assert(endpoint_parse(text, false, &unix_endpoint, NULL));
}

static void
tear_down(void)
{
    unlink(unix_endpoint.path);
    rmdir(directory);
}

static int
listen_tcp(const char *text, struct address *address)
{
    struct endpoint endpoint;

    ck_assert(endpoint_parse(text, true, &endpoint, NULL));
    int fd = socket_listen(&endpoint, 0, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert(socket_local_address(fd, address, NULL));
    return fd;
}

static int
connect_and_wait(const struct address *address)
{
    int fd = socket_connect_start(address, SOCKET_ENDS_CLEANLY, NULL);
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(poll(&poll_fd, 1, 2000), 1);
    return fd;
}

static int
accept_and_wait(int listener)
{
    struct pollfd poll_fd = {.fd = listener, .events = POLLIN};

    ck_assert_int_eq(poll(&poll_fd, 1, 2000), 1);
    return accept(listener, NULL, NULL);
}

START_TEST(tcp_listener_on_port_zero_takes_connections)
{
    struct address address;
    int listener = listen_tcp("127.0.0.1:0", &address);

    int fd = connect_and_wait(&address);
    int peer = accept_and_wait(listener);

    ck_assert_int_eq(socket_connect_result(fd), 0);
    ck_assert_int_ge(peer, 0);
    ck_assert((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    ck_assert((fcntl(listener, F_GETFL) & O_NONBLOCK) != 0);
    ck_assert((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(peer);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(ipv6_wildcard_takes_ipv4_as_well)
{
    struct address address;
    struct endpoint endpoint;
    char text[32];
    int listener = listen_tcp("[::]:0", &address);
    const struct sockaddr_in6 *bound = (const void *)&address.storage;
    snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(bound->sin6_port));

    ck_assert(endpoint_parse(text, false, &endpoint, NULL));
    ck_assert(endpoint_literal(&endpoint, &address));
    int fd = connect_and_wait(&address);

    ck_assert_int_eq(socket_connect_result(fd), 0);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(refused_connect_tells_its_errno)
{
    struct address address;
    close(listen_tcp("127.0.0.1:0", &address));

    int fd = connect_and_wait(&address);

    ck_assert_int_eq(socket_connect_result(fd), ECONNREFUSED);
    close(fd);
}
END_TEST

START_TEST(connect_under_way_is_not_mistaken_for_done)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(socket_connect_result(fd), EINPROGRESS);

    close(fd);
}
END_TEST

START_TEST(used_port_is_refused_with_a_sentence)
{
    struct address address;
    struct endpoint endpoint;
    struct error err;
    char text[ADDRESS_TEXT_SIZE];
    char expected[ADDRESS_TEXT_SIZE + 64];
    int listener = listen_tcp("127.0.0.1:0", &address);
    address_format(&address, text, sizeof text);
    ck_assert(endpoint_parse(text, false, &endpoint, NULL));

    ck_assert_int_eq(socket_listen(&endpoint, 0, &err), -1);

    snprintf(expected, sizeof expected,
             "cannot listen on %s: Address already in use", text);
    ck_assert_str_eq(err.text, expected);
    close(listener);
}
END_TEST

START_TEST(unix_listener_gets_its_mode)
{
    struct stat status;

    int listener = socket_listen(&unix_endpoint, 0620, NULL);

    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(lstat(unix_endpoint.path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0620);
    close(listener);
}
END_TEST

START_TEST(stale_unix_socket_is_replaced)
{
    struct address address;
    close(socket_listen(&unix_endpoint, 0600, NULL));
    ck_assert(endpoint_literal(&unix_endpoint, &address));

    int listener = socket_listen(&unix_endpoint, 0600, NULL);
    int fd = connect_and_wait(&address);

    ck_assert_int_eq(socket_connect_result(fd), 0);
    close(fd);
    close(listener);
}
END_TEST

static void
expect_refusal(const char *reason)
{
    struct error err;
    char expected[256];

    ck_assert_int_eq(socket_listen(&unix_endpoint, 0600, &err), -1);

    snprintf(expected, sizeof expected, "cannot listen on unix:%s: %s",
             unix_endpoint.path, reason);
    ck_assert_str_eq(err.text, expected);
}

START_TEST(live_unix_socket_is_refused)
{
    int listener = socket_listen(&unix_endpoint, 0600, NULL);

    expect_refusal("another process listens there");

    close(listener);
}
END_TEST

START_TEST(file_that_is_no_socket_is_left_alone)
{
    int file = open(unix_endpoint.path, O_CREAT | O_WRONLY, 0600);
    close(file);

    expect_refusal("a file that is not a socket is there");

    ck_assert_int_eq(access(unix_endpoint.path, F_OK), 0);
}
END_TEST

START_TEST(symbolic_link_is_left_alone)
{
    ck_assert_int_eq(symlink("/etc/passwd", unix_endpoint.path), 0);

    expect_refusal("a file that is not a socket is there");
}
END_TEST

START_TEST(missing_directory_is_said)
{
    rmdir(directory);

    expect_refusal("No such file or directory");
}
END_TEST

START_TEST(connect_to_nobody_is_a_sentence)
{
    struct address address;
    struct error err;
    char expected[160];
    ck_assert(endpoint_literal(&unix_endpoint, &address));

    ck_assert_int_eq(socket_connect_start(&address, SOCKET_ENDS_CLEANLY, &err),
                     -1);

    snprintf(expected, sizeof expected,
             "cannot connect to unix:%s: No such file or directory",
             unix_endpoint.path);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

/* What happens to a process that is killed, at the worst moment. */
START_TEST(sockets_may_be_armed_before_they_are_connected)
{
    struct address address;
    char byte;
    int listener = listen_tcp("127.0.0.1:0", &address);
    socket_arm_reset(listener);
    int caller = connect_and_wait(&address);
    int accepted = accept_and_wait(listener);
    int armed = socket_connect_start(&address, SOCKET_ENDS_BY_RESET, NULL);
    int other = accept_and_wait(listener);

    close(accepted);
    close(armed);

    ck_assert_int_eq(read(caller, &byte, 1), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_int_eq(read(other, &byte, 1), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(caller);
    close(other);
    close(listener);
}
END_TEST

START_TEST(armed_socket_resets_unless_it_is_closed_in_good_order)
{
    struct address address;
    char byte;
    int listener = listen_tcp("127.0.0.1:0", &address);
    int fds[] = {connect_and_wait(&address), connect_and_wait(&address)};
    int peers[] = {accept_and_wait(listener), accept_and_wait(listener)};

    socket_arm_reset(peers[0]);
    socket_arm_reset(peers[1]);
    close(peers[0]);
    socket_close(peers[1]);

    ck_assert_int_eq(read(fds[0], &byte, 1), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_int_eq(read(fds[1], &byte, 1), 0);
    close(fds[0]);
    close(fds[1]);
    close(listener);
}
END_TEST

START_TEST(reset_reaches_a_tcp_peer)
{
    struct address address;
    char byte;
    int listener = listen_tcp("127.0.0.1:0", &address);
    int fd = connect_and_wait(&address);
    int peer = accept_and_wait(listener);

    socket_reset(peer);
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&poll_fd, 1, 2000), 1);

    ck_assert_int_eq(read(fd, &byte, 1), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    socket_reset(-1);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(tuned_tcp_socket_does_not_delay)
{
    struct address address;
    int on = 0;
    socklen_t size = sizeof on;
    int listener = listen_tcp("127.0.0.1:0", &address);
    int fd = connect_and_wait(&address);

    socket_tune(fd);

    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size);
    ck_assert_int_ne(on, 0);
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
    ck_assert_int_ne(on, 0);
    close(fd);
    close(listener);
}
END_TEST

/*
 * Listens on text in a child that was given log and web as systemd gives them:
 * descriptors from 3 on, named in the environment.  (Not here, where 3 is the
 * test runner's.)  The sentence, or the address found, comes back in result.
 */
static void
listen_in_child(const char *text, const char *names, int log, int web,
                char result[256])
{
    int pipe_fds[2];
    struct error err;
    struct address address;
    struct endpoint endpoint;

    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert(endpoint_parse(text, false, &endpoint, NULL));
    if (fork() == 0) {
        int out = fcntl(pipe_fds[1], F_DUPFD, 20);
        web = fcntl(web, F_DUPFD, 20);
        snprintf(result, 256, "%d", (int)getpid());
        setenv("LISTEN_PID", result, 1);
        setenv("LISTEN_FDS", "2", 1);
        setenv("LISTEN_FDNAMES", names, 1);
        dup2(log, 3);
        dup2(web, 4);
        int fd = socket_listen(&endpoint, 0, &err);
        if (fd >= 0 && socket_local_address(fd, &address, &err))
            address_format(&address, err.text, sizeof err.text);
        _exit(write(out, err.text, strlen(err.text)) > 0 ? 0 : 1);
    }
    close(pipe_fds[1]);
    ssize_t length = read(pipe_fds[0], result, 255);
    ck_assert_int_gt(length, 0);
    result[length] = '\0';
    close(pipe_fds[0]);
}

START_TEST(descriptor_handed_over_is_found_by_its_name)
{
    struct address address;
    char expected[ADDRESS_TEXT_SIZE], result[256];
    int listener = listen_tcp("127.0.0.1:0", &address);
    address_format(&address, expected, sizeof expected);

    listen_in_child("fd:web", "log:web", STDERR_FILENO, listener, result);

    ck_assert_str_eq(result, expected);
    close(listener);
}
END_TEST

START_TEST(descriptor_that_was_not_handed_over_is_said)
{
    char result[256];

    listen_in_child("fd:lo", "log:web", STDERR_FILENO, STDERR_FILENO, result);
    ck_assert_str_eq(result, "cannot listen on fd:lo: no descriptor of that "
                             "name was handed over; set FileDescriptorName= "
                             "in the .socket unit");

    listen_in_child("fd:web", "log:web", STDERR_FILENO, STDERR_FILENO, result);
    ck_assert_str_eq(result,
                     "cannot listen on fd:web: it is not a listening socket");
}
END_TEST

START_TEST(name_of_two_descriptors_is_refused)
{
    char result[256];

    listen_in_child("fd:web", "web:web", STDERR_FILENO, STDERR_FILENO, result);
    ck_assert_str_eq(result,
                     "cannot listen on fd:web: 2 descriptors of that name were "
                     "handed over; give each Listen line a .socket unit of its "
                     "own");
}
END_TEST

static void
assert_permissions(const char *path, uid_t user, gid_t group, mode_t mode)
{
    struct stat found;

    ck_assert_int_eq(lstat(path, &found), 0);
    ck_assert_uint_eq(found.st_uid, user);
    ck_assert_uint_eq(found.st_gid, group);
    ck_assert_uint_eq(found.st_mode & 07777, mode);
}

START_TEST(socket_file_is_its_owners)
{
    const struct socket_permissions permissions = {0660, {12345, 12346}};
    if (geteuid() != 0)
        return; /* nobody else may give files away */

    int listener = socket_listen_as(&unix_endpoint, &permissions, NULL);

    ck_assert_int_ge(listener, 0);
    assert_permissions(unix_endpoint.path, 12345, 12346, 0660);
    close(listener);
    unlink(unix_endpoint.path);
}
END_TEST

START_TEST(only_a_socket_is_given_an_owner)
{
    const struct socket_permissions permissions = {0666, OWNER_AS_IS};
    struct error err;
    char expected[200], target[160];
    snprintf(target, sizeof target, "%s-target", unix_endpoint.path);
    close(open(target, O_CREAT | O_WRONLY, 0600));
    ck_assert_int_eq(symlink(target, unix_endpoint.path), 0);

    ck_assert(!socket_set_permissions(unix_endpoint.path, &permissions, &err));

    snprintf(expected, sizeof expected,
             "cannot set owner and mode of unix:%s: Socket operation on "
             "non-socket",
             unix_endpoint.path);
    ck_assert_str_eq(err.text, expected);
    assert_permissions(target, geteuid(), getegid(), 0600);
    unlink(unix_endpoint.path);
    unlink(target);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("socket");
    TCase *tests = tcase_create("sockets");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, tcp_listener_on_port_zero_takes_connections);
    tcase_add_test(tests, ipv6_wildcard_takes_ipv4_as_well);
    tcase_add_test(tests, refused_connect_tells_its_errno);
    tcase_add_test(tests, connect_under_way_is_not_mistaken_for_done);
    tcase_add_test(tests, used_port_is_refused_with_a_sentence);
    tcase_add_test(tests, unix_listener_gets_its_mode);
    tcase_add_test(tests, stale_unix_socket_is_replaced);
    tcase_add_test(tests, live_unix_socket_is_refused);
    tcase_add_test(tests, file_that_is_no_socket_is_left_alone);
    tcase_add_test(tests, symbolic_link_is_left_alone);
    tcase_add_test(tests, missing_directory_is_said);
    tcase_add_test(tests, connect_to_nobody_is_a_sentence);
    tcase_add_test(tests, reset_reaches_a_tcp_peer);
    tcase_add_test(tests, sockets_may_be_armed_before_they_are_connected);
    tcase_add_test(tests,
                   armed_socket_resets_unless_it_is_closed_in_good_order);
    tcase_add_test(tests, tuned_tcp_socket_does_not_delay);
    tcase_add_test(tests, descriptor_handed_over_is_found_by_its_name);
    tcase_add_test(tests, descriptor_that_was_not_handed_over_is_said);
    tcase_add_test(tests, name_of_two_descriptors_is_refused);
    tcase_add_test(tests, socket_file_is_its_owners);
    tcase_add_test(tests, only_a_socket_is_given_an_owner);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
