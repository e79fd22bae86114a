/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints as an operator writes them, and the sockets made from them.  All
 * sockets are non-blocking and close-on-exec.  Nothing here waits, except
 * endpoint_resolve.
 */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/error.h"

enum endpoint_kind {
    ENDPOINT_TCP,  /* host and port */
    ENDPOINT_UNIX, /* path */
    ENDPOINT_FD,   /* path is the name of a descriptor that systemd hands over */
};

enum { ENDPOINT_HOST_SIZE = 256, ENDPOINT_PATH_SIZE = 108 };

struct endpoint {
    enum endpoint_kind kind;
    char host[ENDPOINT_HOST_SIZE]; /* name or address, without brackets */
    uint16_t port;
    char path[ENDPOINT_PATH_SIZE];
};

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

enum { ADDRESS_TEXT_SIZE = 160 };

/*
 * "HOST:PORT", "[IPV6]:PORT", "unix:PATH", "fd:NAME".  Port 0 is refused
 * unless allow_port_zero.
 */
MUST_CHECK bool endpoint_parse(const char *text, bool allow_port_zero,
                               struct endpoint *endpoint_out,
                               struct error *err);

/* The text that endpoint_parse takes back to the same endpoint. */
void endpoint_format(const struct endpoint *endpoint, char *text, size_t size);

/* Is it unix:, fd:, or an address that never leaves this machine (127/8, ::1,
 * "localhost")? */
bool endpoint_is_local(const struct endpoint *endpoint);

/* True and set when the endpoint needs no name service: unix or a literal. */
bool endpoint_literal(const struct endpoint *endpoint,
                      struct address *address_out);

/*
 * Blocks on name resolution.  Up to max addresses in the resolver's order.
 */
MUST_CHECK bool endpoint_resolve(const struct endpoint *endpoint,
                                 struct address *addresses, size_t max,
                                 size_t *count_out, struct error *err);

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix" for an unnamed peer. */
void address_format(const struct address *address, char *text, size_t size);

/* Are both the same host (port and path ignored)?  Unix peers are one host. */
bool address_same_host(const struct address *a, const struct address *b);

/*
 * Binds and listens.  TCP: SO_REUSEADDR, IPV6_V6ONLY off for [::].  Unix: a
 * stale socket file that nobody answers is replaced, a live one is refused,
 * anything that is not a socket is left alone; mode is set before anyone can
 * connect.  Returns the descriptor or -1.
 */
MUST_CHECK int socket_listen(const struct endpoint *endpoint, mode_t mode,
                             struct error *err);

/* Starts a connect; returns the descriptor (connected or in progress) or -1. */
MUST_CHECK int socket_connect_start(const struct address *address,
                                    struct error *err);

/* The outcome of a connect that became writable: 0 or an errno. */
int socket_connect_result(int fd);

MUST_CHECK bool socket_local_address(int fd, struct address *address_out,
                                     struct error *err);

/* No delay and TCP keepalive; harmless on a Unix socket. */
void socket_tune(int fd);

/* Closes so that a TCP peer sees a reset; a Unix peer sees an end. */
void socket_reset(int fd);

#endif
