/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RESET, docs/protocol.md section 4.3: the end of a tunnel, and why.
 */
#ifndef WIRE_RESET_H
#define WIRE_RESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

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
    RESET_TIMEOUT = 10,    /* idle, lifetime or ticket over, no READY */
    RESET_SHUTDOWN = 11,   /* the sender is being stopped */
    RESET_LIMIT = 12,      /* the sender is full */
};

enum {
    MESSAGE_SENTENCE_MAX = 512,
    RESET_SIZE_MAX = 1 + 1 + 1 + 2 + MESSAGE_SENTENCE_MAX,
};

/* type | code (1) | flags (1): bit 0 retryable, others ignored | sentence:
 * length (2, big-endian), UTF-8 without NUL. */
struct reset {
    uint8_t code; /* enum reset_code, or one this version does not know */
    bool retryable;
    char sentence[MESSAGE_SENTENCE_MAX + 1]; /* the peer's: sanitise */
};

/* "internal" ... "limit"; "unknown" for any other byte. */
const char *reset_name(uint8_t code);

/*
 * The whole plaintext, type byte included; out has room for RESET_SIZE_MAX.
 * Returns the bytes written.  What is not valid UTF-8 goes out as '?'.
 */
size_t reset_encode(const struct reset *reset, uint8_t *out);

/*
 * The type byte has been seen.  Refuses what is short or over a limit, a NUL or
 * invalid UTF-8 in the sentence, and bytes behind it.
 */
MUST_CHECK bool reset_parse(const uint8_t *bytes, size_t length,
                            struct reset *reset_out, struct error *err);

#endif
