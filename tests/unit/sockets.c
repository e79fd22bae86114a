/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain system calls with assertions. */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>

#include "latch.h"

void
sockets_set_patience(int fd)
{
    const struct timeval patience = {.tv_sec = LATCH_PATIENCE_MS / 1000};

    ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
}

void
sockets_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                                pair),
                     0);
    sockets_set_patience(pair[1]);
}

int
sockets_listen(int backlog, uint16_t *port_out)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    sockets_set_patience(fd);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port_out = ntohs(address.sin_port);
    return fd;
}

void
sockets_tcp_pair(int pair[2])
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    uint16_t port;
    int listener = sockets_listen(1, &port);

    address.sin_port = htons(port);
    pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(
        connect(pair[1], (struct sockaddr *)&address, sizeof address), 0);
    pair[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(pair[0], 0);
    close(listener);
    sockets_set_patience(pair[1]);
}

void
sockets_write(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        ck_assert_msg(n > 0, "cannot write: %s", strerror(errno));
        at += n;
        size -= (size_t)n;
    }
}

void
sockets_read(int fd, void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t n = recv(fd, at, size, 0);
        ck_assert_msg(n > 0, "cannot read: %s",
                      n == 0 ? "an end" : strerror(errno));
        at += n;
        size -= (size_t)n;
    }
}

void
sockets_expect(int fd, const char *text)
{
    char bytes[1024];
    size_t size = strlen(text);

    ck_assert_uint_lt(size, sizeof bytes);
    sockets_read(fd, bytes, size);
    bytes[size] = '\0';
    ck_assert_str_eq(bytes, text);
}

void
sockets_expect_end(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
}

void
sockets_expect_nothing(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

size_t
sockets_fill(int fd)
{
    static const char zeros[4096];
    size_t size = 0;
    ssize_t n;

    /* The last bytes one by one: what is left would let a small message by. */
    for (size_t part = sizeof zeros; part > 0; part = part == 1 ? 0 : 1)
        while ((n = send(fd, zeros, part, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
            size += (size_t)n;
    ck_assert_int_eq(errno, EAGAIN);
    return size;
}

void
sockets_drop(int fd, size_t size)
{
    char scrap[4096];

    while (size > 0) {
        size_t part = size < sizeof scrap ? size : sizeof scrap;
        sockets_read(fd, scrap, part);
        size -= part;
    }
}

void
sockets_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

void
sockets_await_read(int fd)
{
    int unread = 1;

    for (int i = 0; i < LATCH_PATIENCE_MS && unread > 0; i++) {
        ck_assert_int_eq(ioctl(fd, SIOCOUTQ, &unread), 0);
        if (unread > 0)
            latch_pause();
    }
    ck_assert_int_eq(unread, 0);
}
