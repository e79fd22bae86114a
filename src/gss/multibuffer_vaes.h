/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-CBC of whole blocks by the processor's VAES instructions, two blocks to
 * an instruction; in place, initial vector 0.  Private to seal_multibuffer.c;
 * amd64 with VAES and AVX2.
 */
#ifndef GSS_MULTIBUFFER_VAES_H
#define GSS_MULTIBUFFER_VAES_H

#include <stddef.h>

#include "gss/multibuffer_stealing.h"

/* The heads of the texts (stealing_head); at most SEAL_COUNT_MAX.  Many together
 * are faster: a block waits for the one before it. */
void vaes_encrypt_heads(const struct aes_schedule *schedule,
                        const struct text_span *texts, size_t count);

void vaes_decrypt_heads(const struct aes_schedule *schedule,
                        const struct text_span *texts, size_t count);

#endif
