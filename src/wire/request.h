/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The request of an HTTP caller of the status server: RFC 9112, of which what
 * one request on one connection needs.  No chunked bodies, no continued lines.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REQUEST_HEAD_MAX = 8192,
    REQUEST_BODY_MAX = 2048,
    REQUEST_MAX = REQUEST_HEAD_MAX + REQUEST_BODY_MAX,
    REQUEST_PATH_SIZE = 128,
    REQUEST_HOST_SIZE = 264, /* a host and a port */
};

enum request_method {
    REQUEST_GET,
    REQUEST_HEAD,
    REQUEST_POST,
    REQUEST_OTHER,
};

struct request {
    enum request_method method;
    char path[REQUEST_PATH_SIZE]; /* without the query */
    char host[REQUEST_HOST_SIZE]; /* "": none was given */
    bool marked; /* has the header Kerbwrap-Action, which no page of another
                    site can set unasked */
    const uint8_t *body; /* in the bytes that were parsed */
    size_t body_size;
};

/*
 * 0: not whole yet.  200: request_out is set; bytes behind it are ignored.
 * Anything else is the status to refuse it with: 400, 413, 414, 431 or 501.
 * The same whichever way the bytes were cut.
 */
int request_parse(const uint8_t *bytes, size_t length,
                  struct request *request_out);

/* Is host, with a port or without, a name of this very machine's loopback?
 * Any other came by a name that somebody else's DNS made up. */
bool request_host_is_local(const char *host);

#endif
