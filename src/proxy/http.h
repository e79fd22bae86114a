/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status server's transport: HTTP, one request a connection.  Nobody who
 * calls can hurt: callers are few and have a time for each thing they do, and
 * at the limit whoever has asked nothing yet makes room.  The main thread's
 * alone.
 */
#ifndef PROXY_HTTP_H
#define PROXY_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <event2/buffer.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "base/loop.h"
#include "wire/request.h"

enum {
    HTTP_CALLERS_MAX = 16
};

struct http;

struct http_call {
    uint64_t id; /* for http_answer: the caller may be gone by then */
    const struct request *request; /* valid during the call */
    bool local_user;               /* over a Unix socket: user says who */
    uid_t user;
};

/* Answer at once, or later: but each must be answered. */
typedef void http_called(const struct http_call *call, void *arg);

struct http_answer {
    int status;
    const char *type;   /* of the body */
    const char *policy; /* Content-Security-Policy; NULL: nothing is allowed */
    struct evbuffer *body; /* emptied; the caller's */
};

/* Listens; arg is borrowed. */
MUST_CHECK struct http *http_new(struct loop *loop,
                                 const struct endpoint *endpoint,
                                 http_called *on_called, void *arg,
                                 struct error *err);
void http_free(struct http *http); /* NULL is fine */

/* Answers the caller of this id; does nothing when he is gone. */
void http_reply(struct http *http, uint64_t id,
                const struct http_answer *answer);
/* The same with a sentence for a body. */
void http_say(struct http *http, uint64_t id, int status, const char *format,
              ...) PRINTF_LIKE(4, 5);

#endif
