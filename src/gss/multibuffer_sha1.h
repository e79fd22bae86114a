/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HMAC-SHA1 (RFC 2104) of many texts by the processor's SHA instructions, four at
 * a time: fewer take as long as four.  Private to seal_multibuffer.c; amd64 with
 * SHA instructions.
 */
#ifndef GSS_MULTIBUFFER_SHA1_H
#define GSS_MULTIBUFFER_SHA1_H

#include <stddef.h>
#include <stdint.h>

#include "gss/seal.h"

enum {
    SHA1_STATE_SIZE = 20,
    SHA1_COUNT_LEAST = 3, /* with fewer, something else is faster */
};

/* inner, outer: the hash's state after a block of HMAC's padded key, five words
 * in the machine's order.  The first mac_size bytes to each of macs; count is at
 * most SEAL_COUNT_MAX. */
void sha1_hmac(const uint8_t inner[SHA1_STATE_SIZE],
               const uint8_t outer[SHA1_STATE_SIZE],
               const struct text_span *texts, uint8_t *const *macs,
               size_t mac_size, size_t count);

#endif
