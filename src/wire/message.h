/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages inside the tokens, docs/protocol.md section 4: one type byte and
 * a body.  Numbers are big-endian.  Pure: bytes in, bytes out.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum message_type {
    MESSAGE_HELLO = 1,
    MESSAGE_READY = 2,
    MESSAGE_DATA = 3,
    MESSAGE_EOF = 4,
    MESSAGE_RESET = 5,
    MESSAGE_PING = 6,
    MESSAGE_PONG = 7,
};

enum protection {
    PROTECTION_SIGN = 1,
    PROTECTION_SEAL = 2,
};

enum {
    PROTOCOL_VERSION = 1,
    MESSAGE_TARGET_MAX = 1024,
    MESSAGE_LABEL_MAX = 64,
    MESSAGE_AGENT_MAX = 64,
    MESSAGE_SENTENCE_MAX = 512,
    /* A receiver must take plaintexts of at least this much. */
    MESSAGE_RECORD_MIN = 4096,
    HELLO_SIZE_MAX = 2048,
    RESET_SIZE_MAX = 1 + 1 + 1 + 2 + MESSAGE_SENTENCE_MAX,
};

/*
 * type | "KWRP" | lowest version (1) | highest version (1) | protection (1) |
 * zero (1), ignored | capabilities (4) | largest plaintext (4) |
 * connection id (8) | target, label, agent: each length (2) and UTF-8 bytes
 * without NUL.
 */
struct hello {
    uint8_t version_low;
    uint8_t version_high;
    enum protection protection;
    uint32_t capabilities;  /* unknown bits are ignored */
    uint32_t max_plaintext; /* at least MESSAGE_RECORD_MIN; may be above what
                               this version ever sends */
    uint64_t connection_id;
    char target[MESSAGE_TARGET_MAX + 1]; /* from the initiator; empty back */
    char label[MESSAGE_LABEL_MAX + 1];
    char agent[MESSAGE_AGENT_MAX + 1];
};

enum reset_code {
    RESET_INTERNAL = 1,    /* the sender failed */
    RESET_PROTOCOL = 2,    /* the receiver broke the protocol */
    RESET_VERSION = 3,     /* no common version */
    RESET_PROTECTION = 4,  /* seal here, sign there */
    RESET_LABEL = 5,       /* tunnel labels differ */
    RESET_TARGET = 6,      /* the SPN is not of this service */
    RESET_FORBIDDEN = 7,   /* authenticated, not allowed */
    RESET_APPLICATION = 8, /* the application reset its connection */
    RESET_UNREACHABLE = 9, /* the application cannot be reached */
    RESET_TIMEOUT = 10,    /* idle, lifetime or ticket over */
    RESET_SHUTDOWN = 11,   /* the sender is being stopped */
    RESET_LIMIT = 12,      /* the sender is full */
};

/* type | code (1) | flags (1): bit 0 retryable, others ignored | sentence:
 * length (2), UTF-8. */
struct reset {
    uint8_t code; /* enum reset_code, or one this version does not know */
    bool retryable;
    char sentence[MESSAGE_SENTENCE_MAX + 1]; /* the peer's: sanitise */
};

/* "hello" ... "pong"; "unknown" for any other byte. */
const char *message_name(uint8_t type);
const char *reset_name(uint8_t code);

/*
 * Whole plaintexts, type byte included.  out has room for HELLO_SIZE_MAX or
 * RESET_SIZE_MAX; return the bytes written.  What is not valid UTF-8 in a
 * RESET's sentence goes out as '?'.
 */
size_t hello_encode(const struct hello *hello, uint8_t *out);
size_t reset_encode(const struct reset *reset, uint8_t *out);

/*
 * The type byte has been seen.  Refuse what is short, over a limit, has a bad
 * magic, an unknown protection, a version range that is empty, a largest
 * plaintext below MESSAGE_RECORD_MIN, a NUL or invalid UTF-8 in a text, or (for
 * RESET) trails bytes.  A HELLO may trail bytes: a later version's.
 */
MUST_CHECK bool hello_parse(const uint8_t *bytes, size_t length,
                            struct hello *hello_out, struct error *err);
MUST_CHECK bool reset_parse(const uint8_t *bytes, size_t length,
                            struct reset *reset_out, struct error *err);

#endif
