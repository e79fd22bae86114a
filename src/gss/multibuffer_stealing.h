/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ciphertext stealing around somebody else's CBC (NIST SP 800-38A, addendum,
 * CBC-CS3), in place.  A text is a head of whole blocks and a tail of 1 to 16
 * bytes.  Private to seal_multibuffer.c; amd64 with AES instructions.
 */
#ifndef GSS_MULTIBUFFER_STEALING_H
#define GSS_MULTIBUFFER_STEALING_H

#include <stddef.h>
#include <stdint.h>

#include "gss/seal.h"

enum {
    AES_SCHEDULE_SIZE = 15 * TOKEN_BLOCK_SIZE
};

/* Round keys in the order of use; those to decrypt with are for aesdec. */
struct aes_schedule {
    _Alignas(16) uint8_t bytes[AES_SCHEDULE_SIZE];
    size_t rounds; /* 10, or 14 with a key of 256 bits */
};

/* All of a text but its last block. */
size_t stealing_head(const struct text_span *text);

/* The head is encrypted, the tail is not; then all is. */
void stealing_encrypt(const struct aes_schedule *schedule,
                      const struct text_span *text);

/* All is encrypted; then the tail is not any more, and the head in CBC. */
void stealing_decrypt(const struct aes_schedule *schedule,
                      const struct text_span *text);

#endif
