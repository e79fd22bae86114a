/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-1 of four texts, block by block, by the processor's SHA instructions.
 * Private to multibuffer_sha1.c.
 */
#ifndef GSS_MULTIBUFFER_SHA1_ROUNDS_H
#define GSS_MULTIBUFFER_SHA1_ROUNDS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHA1_LANES = 4,
    SHA1_BLOCK_SIZE = 64,
};

/* A register's worth for each lane. */
typedef uint32_t sha1_registers[SHA1_LANES][4];

/* The code knows these places. */
struct sha1_lanes {
    _Alignas(16) sha1_registers dcba; /* the state, from D to A */
    sha1_registers e;                 /* its E, after three that are not used */
    sha1_registers schedule[4];       /* left behind: wipe it */
    const uint8_t *bytes[SHA1_LANES]; /* anywhere; not changed */
};
static_assert(offsetof(struct sha1_lanes, e) == 64, "as the code has it");
static_assert(offsetof(struct sha1_lanes, schedule) == 128,
              "as the code has it");
static_assert(offsetof(struct sha1_lanes, bytes) == 384, "as the code has it");

/* At least one block of each.  Lanes may be alike. */
void sha1_rounds(struct sha1_lanes *lanes, size_t blocks);

#endif
