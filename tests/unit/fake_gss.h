/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts and channels without Kerberos, a third implementation of
 * gss/context.h and gss/channel.h.  Their tokens are laid open here, so that a
 * test can read, forge and break them.  Objects are counted: fake_live() is 0
 * when all were freed.
 */
#ifndef TESTS_FAKE_GSS_H
#define TESTS_FAKE_GSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "gss/channel.h"
#include "gss/context.h"

/*
 * A wrap token: "FK", flags (1), zero (1), sequence number (4, big-endian from
 * 0 on), plaintext (each byte inverted when encrypted), checksum over all of it
 * (4, big-endian), and FAKE_PADDING zeros when encrypted, so that the two kinds
 * differ in size.
 */
enum {
    FAKE_HEADER = 8,
    FAKE_CHECKSUM = 4,
    FAKE_PADDING = 8,
    FAKE_FLAGS_AT = 2,
    FAKE_SEQUENCE_AT = 4,
};

enum fake_flag {
    FAKE_ENCRYPTED = 1,
    FAKE_BY_ACCEPTOR = 2,
};

/* Around the plaintext, of a frame with an encrypted token. */
enum {
    FAKE_AROUND = 4 + FAKE_HEADER + FAKE_CHECKSUM + FAKE_PADDING
};

struct fake_channel {
    struct channel channel;   /* first */
    struct channel_ops ops;   /* its own, for tests to change its traits */
    enum role role;           /* whose tokens it makes */
    uint32_t sends, receives; /* next sequence numbers */
    bool dead;
    /* for tests */
    unsigned seals_left;               /* calls of seal that succeed */
    size_t most_sealed, most_unsealed; /* records ever given to one call */
};

struct fake_channel *fake_channel_new(enum role role);

/* The checksum, for a token that was changed on purpose. */
void fake_resign(uint8_t *token, size_t token_size);

/* What a context does otherwise than establish in two tokens. */
struct fake_script {
    unsigned need_ticket; /* so many steps ask for a ticket */
    bool fetch_fails;
    bool fails;       /* the step that gets a token fails ... */
    bool error_token; /* ... with FAKE_ERROR_TOKEN for the peer */
    bool stale;       /* ... by the ticket's fault */
    bool slow_step;   /* waits in there for fake_proceed */
    bool slow_fetch;  /* likewise */
    int64_t endtime;  /* of the ticket */
};

#define FAKE_AP_REQ "fake AP-REQ"
#define FAKE_AP_REP "fake AP-REP"
#define FAKE_ERROR_TOKEN "fake KRB-ERROR"
#define FAKE_PEER "alice@TEST"

/* role as of a service: ROLE_CLIENT initiates. */
struct context *fake_context_new(enum role role,
                                 const struct fake_script *script);

/* Until a slow step or fetch is under way; lets it, and all others, go on. */
void fake_await_slow(void);
void fake_proceed(void);

/* Contexts and channels that were made and not freed; any thread. */
int fake_live(void);

/* Until there are none; fails the test after a while. */
void fake_await_gone(void);

#endif
