/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets made from endpoints and addresses.  All are non-blocking and
 * close-on-exec; nothing here waits, except where it says so.
 */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "base/users.h"

/* Of the file of a Unix socket. */
struct socket_permissions {
    mode_t mode;
    struct owner owner;
};

/*
 * Binds and listens.  TCP: SO_REUSEADDR, IPV6_V6ONLY off for [::]; a host name
 * waits for its resolution and takes the first address that can be bound.
 * Unix: a stale socket file that nobody answers is replaced, a live one is
 * refused, anything that is not a socket is left alone; owner and mode are set
 * before anyone can connect.  fd: the listening descriptor of that name,
 * duplicated, so that a reload can ask again.  Returns the descriptor or -1.
 */
MUST_CHECK int socket_listen_as(const struct endpoint *endpoint,
                                const struct socket_permissions *permissions,
                                struct error *err);

/* The same with the owner as it comes. */
MUST_CHECK int socket_listen(const struct endpoint *endpoint, mode_t mode,
                             struct error *err);

/* Gives the socket file at path its owner and mode, as far as they differ.
 * Nothing but a socket is touched, and no symbolic link is followed. */
MUST_CHECK bool socket_set_permissions(
    const char *path, const struct socket_permissions *permissions,
    struct error *err);
/* May this process do that, or need it not? */
MUST_CHECK bool socket_may_set_permissions(
    const char *path, const struct socket_permissions *permissions,
    struct error *err);

/* What the peer of a TCP socket sees when it is closed, or its process dies. */
enum socket_end {
    SOCKET_ENDS_CLEANLY,
    SOCKET_ENDS_BY_RESET, /* from the first moment on */
};

/* Starts a connect; returns the descriptor (connected or in progress) or -1. */
MUST_CHECK int socket_connect_start(const struct address *address,
                                    enum socket_end end, struct error *err);

/* The outcome of a connect: 0, EINPROGRESS, or the errno it failed with. */
int socket_connect_result(int fd);

MUST_CHECK bool socket_local_address(int fd, struct address *address_out,
                                     struct error *err);

/* No delay and TCP keepalive; harmless on a Unix socket. */
void socket_tune(int fd);

/* From now on a TCP peer sees a reset whenever fd is closed, also by the end of
 * the process; a Unix peer sees an end. */
void socket_arm_reset(int fd);

/* Arms and closes; -1 is fine. */
void socket_reset(int fd);

/* Closes in good order, armed or not: what was written is still delivered. */
void socket_close(int fd);

#endif
