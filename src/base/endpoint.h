/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints as an operator writes them, the addresses they stand for, and both
 * as text.  Nothing here waits, except endpoint_resolve.
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

enum endpoint_kind {
    ENDPOINT_TCP,  /* host and port */
    ENDPOINT_UNIX, /* path */
    ENDPOINT_FD, /* path is the name of a descriptor that systemd hands over */
};

enum {
    ENDPOINT_HOST_SIZE = 256,
    ENDPOINT_PATH_SIZE = 108
};

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

enum {
    ENDPOINT_TEXT_SIZE = ENDPOINT_HOST_SIZE + 16,
    ADDRESS_TEXT_SIZE = 160,
};

/*
 * "HOST:PORT", "[IPV6]:PORT", "unix:PATH", "fd:NAME".  Port 0 is refused
 * unless allow_port_zero.
 */
MUST_CHECK bool endpoint_parse(const char *text, bool allow_port_zero,
                               struct endpoint *endpoint_out,
                               struct error *err);

/* The text that endpoint_parse takes back to the same endpoint. */
void endpoint_format(const struct endpoint *endpoint, char *text, size_t size);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Is it unix:, fd:, or an address that never leaves this machine (127/8, ::1,
 * "localhost")? */
bool endpoint_is_local(const struct endpoint *endpoint);

/* True and set when the endpoint needs no name service: unix or a literal. */
bool endpoint_literal(const struct endpoint *endpoint,
                      struct address *address_out);

/*
 * Blocks on name resolution.  Up to max addresses in the resolver's order, at
 * least one.
 */
MUST_CHECK bool endpoint_resolve(const struct endpoint *endpoint,
                                 struct address *addresses, size_t max,
                                 size_t *count_out, struct error *err);

/* "127.0.0.1:80" (also for an IPv4 peer of an IPv6 socket), "[::1]:80",
 * "unix:/path", "unix" for an unnamed peer. */
void address_format(const struct address *address, char *text, size_t size);

/* A Unix socket, or an address that never leaves this machine? */
bool address_is_local(const struct address *address);

/* Are both the same host (port and path ignored)?  Unix peers are one host. */
bool address_same_host(const struct address *a, const struct address *b);

#endif
