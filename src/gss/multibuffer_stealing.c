/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One block of AES each, by the processor's instructions: they take the same
 * time whatever the key and the block are.  Blocks lie anywhere, so no pointer
 * to them may claim to be aligned.
 */
#include "gss/multibuffer_stealing.h"

#include <string.h>
#include <immintrin.h>

static __m128i
load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const void *)bytes);
}

static void
store(uint8_t *bytes, __m128i block)
{
    _mm_storeu_si128((void *)bytes, block);
}

__attribute__((target("aes"))) static __m128i
encrypt_block(const struct aes_schedule *schedule, __m128i block)
{
    const uint8_t *key = schedule->bytes;
    const uint8_t *last = key + schedule->rounds * TOKEN_BLOCK_SIZE;

    block = _mm_xor_si128(block, load(key));
    while ((key += TOKEN_BLOCK_SIZE) < last)
        block = _mm_aesenc_si128(block, load(key));
    return _mm_aesenclast_si128(block, load(last));
}

__attribute__((target("aes"))) static __m128i
decrypt_block(const struct aes_schedule *schedule, __m128i block)
{
    const uint8_t *key = schedule->bytes;
    const uint8_t *last = key + schedule->rounds * TOKEN_BLOCK_SIZE;

    block = _mm_xor_si128(block, load(key));
    while ((key += TOKEN_BLOCK_SIZE) < last)
        block = _mm_aesdec_si128(block, load(key));
    return _mm_aesdeclast_si128(block, load(last));
}

size_t
stealing_head(const struct text_span *text)
{
    return (text->size - 1) / TOKEN_BLOCK_SIZE * TOKEN_BLOCK_SIZE;
}

/* The last two blocks are swapped, and what is the last one then is cut to the
 * tail's size. */
void
stealing_encrypt(const struct aes_schedule *schedule,
                 const struct text_span *text)
{
    uint8_t *tail = text->bytes + stealing_head(text);
    uint8_t *before = tail - TOKEN_BLOCK_SIZE;
    size_t size = text->size - stealing_head(text);
    uint8_t padded[TOKEN_BLOCK_SIZE] = {0};

    memcpy(padded, tail, size);
    memcpy(tail, before, size);
    store(before,
          encrypt_block(schedule, _mm_xor_si128(load(before), load(padded))));
}

/* What was cut off is found in the other block: the padding there was zero. */
void
stealing_decrypt(const struct aes_schedule *schedule,
                 const struct text_span *text)
{
    uint8_t *tail = text->bytes + stealing_head(text);
    uint8_t *before = tail - TOKEN_BLOCK_SIZE;
    size_t size = text->size - stealing_head(text);
    uint8_t opened[TOKEN_BLOCK_SIZE];

    store(opened, decrypt_block(schedule, load(before)));
    memcpy(before, opened, sizeof opened);
    memcpy(before, tail, size);
    for (size_t i = 0; i < size; i++)
        tail[i] ^= opened[i];
}
