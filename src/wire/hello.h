/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HELLO, docs/protocol.md section 4.2: what each side is set to, so that both
 * can see whether they agree.
 */
#ifndef WIRE_HELLO_H
#define WIRE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum protection {
    PROTECTION_SIGN = 1,
    PROTECTION_SEAL = 2,
};

enum {
    MESSAGE_TARGET_MAX = 1024,
    MESSAGE_LABEL_MAX = 64,
    MESSAGE_AGENT_MAX = 64,
    HELLO_SIZE_MAX = 2048,
};

/*
 * type | "KWRP" | lowest version (1) | highest version (1) | protection (1) |
 * zero (1), ignored | capabilities (4) | largest plaintext (4) |
 * connection id (8) | target, label, agent: each length (2) and UTF-8 bytes
 * without NUL.  Numbers are big-endian.
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

/*
 * The whole plaintext, type byte included; out has room for HELLO_SIZE_MAX.
 * Returns the bytes written.
 */
size_t hello_encode(const struct hello *hello, uint8_t *out);

/*
 * The type byte has been seen.  Refuses what is short, over a limit, has a bad
 * magic, an unknown protection, a version range that is empty, a largest
 * plaintext below MESSAGE_RECORD_MIN, a NUL or invalid UTF-8 in a text.  Bytes
 * may follow: a later version's.
 */
MUST_CHECK bool hello_parse(const uint8_t *bytes, size_t length,
                            struct hello *hello_out, struct error *err);

#endif
