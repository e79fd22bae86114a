/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening, connecting, closing.  A Unix listener is bound, given its mode and
 * only then made to listen: until that, connecting to it fails.
 */
#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/passed.h"

enum {
    LISTEN_ADDRESSES_MAX = 8,
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 15,
    KEEPALIVE_COUNT = 4,
};

static void
set_option(int fd, int level, int option, int value)
{
    /* The options are improvements: a socket that lacks one still works. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static int
open_socket(const struct address *address)
{
    return socket(address->storage.ss_family,
                  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static const struct sockaddr *
generic(const struct address *address)
{
    return (const struct sockaddr *)&address->storage;
}

/* Closes fd, if it is one, keeping errno; returns -1. */
static int
give_up(int fd)
{
    int reason = errno;

    if (fd >= 0)
        close(fd);
    errno = reason;
    return -1;
}

static int
listen_tcp(const struct address *address)
{
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
    int fd = open_socket(address);

    if (fd < 0)
        return -1;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->storage.ss_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                   !IN6_IS_ADDR_UNSPECIFIED(&ipv6->sin6_addr));
    if (bind(fd, generic(address), address->length) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        return give_up(fd);
    return fd;
}

/*
 * Makes way at path: removes a socket file that nobody listens on.  False, with
 * the sentence, when something else is there.
 */
static bool
remove_stale(const struct address *address, const char *path, struct error *err)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return true; /* what is wrong with the path, bind will say */
    if (!S_ISSOCK(status.st_mode)) {
        error_set(err,
                  "cannot listen on unix:%s: a file that is not a socket is "
                  "there",
                  path);
        return false;
    }
    int fd = open_socket(address);
    bool answered = fd >= 0 &&
                    (connect(fd, generic(address), address->length) == 0 ||
                     errno == EAGAIN);
    bool removed = fd >= 0 && !answered && errno == ECONNREFUSED &&
                   (unlink(path) == 0 || errno == ENOENT);
    if (answered)
        error_set(err,
                  "cannot listen on unix:%s: another process listens there",
                  path);
    else if (!removed)
        error_set_errno(err, errno, "cannot replace the socket unix:%s", path);
    give_up(fd);
    return removed;
}

static int
listen_unix(const struct address *address, const char *path,
            const struct socket_permissions *permissions, struct error *err)
{
    if (!remove_stale(address, path, err))
        return -1;
    int fd = open_socket(address);
    bool bound = fd >= 0 && bind(fd, generic(address), address->length) == 0;
    if (!bound)
        error_set_errno(err, errno, "cannot listen on unix:%s", path);
    else if (socket_set_permissions(path, permissions, err)) {
        if (listen(fd, SOMAXCONN) == 0)
            return fd;
        error_set_errno(err, errno, "cannot listen on unix:%s", path);
    }
    if (bound)
        unlink(path);
    return give_up(fd);
}

/* What a process that gave up root cannot have back. */
static void
explain_port(const struct endpoint *endpoint, int reason, struct error *err)
{
    char sentence[ERROR_TEXT_SIZE];

    if (reason != EACCES || endpoint->port >= IPPORT_RESERVED || err == NULL)
        return;
    snprintf(sentence, sizeof sentence, "%s", err->text);
    error_set(err,
              "%.900s; ports below %d are bound as root, when kerbwrap starts, "
              "or handed over as fd:NAME",
              sentence, IPPORT_RESERVED);
}

int
socket_listen_as(const struct endpoint *endpoint,
                 const struct socket_permissions *permissions,
                 struct error *err)
{
    struct address addresses[LISTEN_ADDRESSES_MAX];
    char text[ENDPOINT_TEXT_SIZE];
    size_t count;

    endpoint_format(endpoint, text, sizeof text);
    if (endpoint->kind == ENDPOINT_FD)
        return socket_passed(endpoint->path, err);
    if (!endpoint_resolve(endpoint, addresses, LISTEN_ADDRESSES_MAX, &count,
                          err)) {
        error_prefix(err, "cannot listen on %s", text);
        return -1;
    }
    if (endpoint->kind == ENDPOINT_UNIX)
        return listen_unix(&addresses[0], endpoint->path, permissions, err);
    for (size_t i = 0; i < count; i++) {
        int fd = listen_tcp(&addresses[i]);
        if (fd >= 0)
            return fd;
    }
    int reason = errno;
    error_set_errno(err, reason, "cannot listen on %s", text);
    explain_port(endpoint, reason, err);
    return -1;
}

int
socket_listen(const struct endpoint *endpoint, mode_t mode, struct error *err)
{
    const struct socket_permissions permissions = {mode, OWNER_AS_IS};

    return socket_listen_as(endpoint, &permissions, err);
}

int
socket_connect_start(const struct address *address, enum socket_end end,
                     struct error *err)
{
    char text[ADDRESS_TEXT_SIZE];
    int fd = open_socket(address);

    if (fd >= 0 && end == SOCKET_ENDS_BY_RESET)
        socket_arm_reset(fd);
    if (fd >= 0 && (connect(fd, generic(address), address->length) == 0 ||
                    errno == EINPROGRESS))
        return fd;
    int reason = errno;
    address_format(address, text, sizeof text);
    /* EAGAIN is how a Unix listener with a full queue answers. */
    error_set_errno(err, reason == EAGAIN ? ECONNREFUSED : reason,
                    "cannot connect to %s", text);
    return give_up(fd);
}

int
socket_connect_result(int fd)
{
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    int result = 0;
    socklen_t size = sizeof result;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size) != 0)
        return errno;
    if (result != 0)
        return result;
    /* No error yet is also what a connect under way answers. */
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) != 0)
        return errno == ENOTCONN ? EINPROGRESS : errno;
    return 0;
}

bool
socket_local_address(int fd, struct address *address_out, struct error *err)
{
    struct address address = {.length = sizeof address.storage};

    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.length) !=
        0) {
        error_set_errno(err, errno, "cannot read the address of a socket");
        return false;
    }
    *address_out = address;
    return true;
}

void
socket_tune(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

static void
set_linger(int fd, int on)
{
    const struct linger at_once = {.l_onoff = on, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void
socket_arm_reset(int fd)
{
    set_linger(fd, 1);
}

void
socket_reset(int fd)
{
    if (fd < 0)
        return;
    set_linger(fd, 1);
    close(fd);
}

void
socket_close(int fd)
{
    set_linger(fd, 0);
    close(fd);
}
