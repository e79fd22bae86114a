/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A register holds two blocks, and there are up to eight registers in turn: as
 * many rounds as the processor can have on its way.  Blocks to encrypt are of
 * that many texts, since each of a text waits for the one before it; blocks to
 * decrypt are of one text.
 */
#include "gss/multibuffer_vaes.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <immintrin.h>
#include <openssl/crypto.h>

#define VAES_CODE                                                              \
    static inline __attribute__((always_inline, target("vaes,avx2")))

/* For i from 0 on.  The loop is unrolled, or they would not stay in registers. */
#define EACH_REGISTER(count)                                                   \
    _Pragma("GCC unroll 8") for (size_t i = 0; i < (count); i++)
/* For round from 1 on, the last excepted. */
#define EACH_ROUND(rounds)                                                     \
    _Pragma("GCC unroll 14") for (size_t round = 1; round < (rounds); round++)

enum {
    BLOCK = TOKEN_BLOCK_SIZE,
    REGISTERS = 8,
    FEW_REGISTERS = 4, /* are done sooner */
    FEW_LANES = 2 * FEW_REGISTERS,
    LANES = 2 * REGISTERS,
    STRIDE = LANES * BLOCK, /* bytes decrypted at a time */
    ROUNDS_128 = 10,
    ROUNDS_256 = 14,
};

static_assert((int)LANES == (int)SEAL_COUNT_MAX, "each text has a lane");

/* What is left to be encrypted of one text. */
struct run {
    uint8_t *bytes;
    size_t blocks;
    uint8_t before[BLOCK]; /* what the next block is chained to */
};

static inline bool
has_rounds_of_256(const struct aes_schedule *schedule)
{
    assert(schedule->rounds == ROUNDS_128 || schedule->rounds == ROUNDS_256);
    return schedule->rounds == ROUNDS_256;
}

/* In both halves. */
VAES_CODE __m256i
round_key(const struct aes_schedule *schedule, size_t round)
{
    const uint8_t *key = schedule->bytes + round * BLOCK;

    return _mm256_broadcastsi128_si256(_mm_load_si128((const void *)key));
}

VAES_CODE __m256i
load_two(const uint8_t *low, const uint8_t *high)
{
    __m128i first = _mm_loadu_si128((const void *)low);

    return _mm256_inserti128_si256(_mm256_castsi128_si256(first),
                                   _mm_loadu_si128((const void *)high), 1);
}

VAES_CODE void
store_two(uint8_t *low, uint8_t *high, __m256i two)
{
    _mm_storeu_si128((void *)low, _mm256_castsi256_si128(two));
    _mm_storeu_si128((void *)high, _mm256_extracti128_si256(two, 1));
}

/* Neither the number of registers nor of rounds varies at run time, and where the
 * texts are is not read from memory again: what is stored could lie there. */
VAES_CODE void
encrypt_lanes(const struct aes_schedule *schedule, struct run *const *runs,
              size_t blocks, const size_t registers, const size_t rounds)
{
    __m256i two[REGISTERS];
    uint8_t *bytes[LANES];

    EACH_REGISTER (registers) {
        bytes[2 * i] = runs[2 * i]->bytes;
        bytes[2 * i + 1] = runs[2 * i + 1]->bytes;
        two[i] = load_two(runs[2 * i]->before, runs[2 * i + 1]->before);
    }
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        EACH_REGISTER (registers) {
            __m256i plain = load_two(bytes[2 * i] + at, bytes[2 * i + 1] + at);
            /* What waits for the block before comes last. */
            two[i] = _mm256_xor_si256(
                two[i], _mm256_xor_si256(plain, round_key(schedule, 0)));
        }
        EACH_ROUND (rounds) {
            const __m256i key = round_key(schedule, round);
            EACH_REGISTER (registers) {
                two[i] = _mm256_aesenc_epi128(two[i], key);
            }
        }
        EACH_REGISTER (registers) {
            two[i] = _mm256_aesenclast_epi128(two[i],
                                              round_key(schedule, rounds));
            store_two(bytes[2 * i] + at, bytes[2 * i + 1] + at, two[i]);
        }
    }
    EACH_REGISTER (registers) {
        store_two(runs[2 * i]->before, runs[2 * i + 1]->before, two[i]);
    }
}

__attribute__((target("vaes,avx2"))) static void
encrypt_many(const struct aes_schedule *schedule, struct run *const *runs,
             size_t blocks)
{
    if (has_rounds_of_256(schedule))
        encrypt_lanes(schedule, runs, blocks, REGISTERS, ROUNDS_256);
    else
        encrypt_lanes(schedule, runs, blocks, REGISTERS, ROUNDS_128);
}

__attribute__((target("vaes,avx2"))) static void
encrypt_few(const struct aes_schedule *schedule, struct run *const *runs,
            size_t blocks)
{
    if (has_rounds_of_256(schedule))
        encrypt_lanes(schedule, runs, blocks, FEW_REGISTERS, ROUNDS_256);
    else
        encrypt_lanes(schedule, runs, blocks, FEW_REGISTERS, ROUNDS_128);
}

/* As far as the shortest goes.  A lane without a run does another's work again,
 * which changes nothing: all lanes read before one writes. */
static size_t
encrypt_runs(const struct aes_schedule *schedule, struct run **runs,
             size_t count)
{
    size_t blocks = runs[0]->blocks;

    for (size_t i = 1; i < count; i++)
        blocks = runs[i]->blocks < blocks ? runs[i]->blocks : blocks;
    for (size_t i = count; i < LANES; i++)
        runs[i] = runs[0];
    if (count > FEW_LANES)
        encrypt_many(schedule, runs, blocks);
    else
        encrypt_few(schedule, runs, blocks);
    return blocks;
}

void
vaes_encrypt_heads(const struct aes_schedule *schedule,
                   const struct text_span *texts, size_t count)
{
    struct run runs[LANES];
    struct run *lanes[LANES];

    for (size_t i = 0; i < count; i++) {
        runs[i] = (struct run){
            texts[i].bytes, stealing_head(&texts[i]) / BLOCK, {0}};
        lanes[i] = &runs[i];
    }
    while (count > 0) {
        size_t kept = 0, blocks = encrypt_runs(schedule, lanes, count);
        for (size_t i = 0; i < count; i++) {
            lanes[i]->bytes += blocks * BLOCK;
            lanes[i]->blocks -= blocks;
            if (lanes[i]->blocks > 0)
                lanes[kept++] = lanes[i];
        }
        count = kept;
    }
}

/* before: the encrypted block before these, then the last one of these. */
VAES_CODE void
decrypt_stride(const struct aes_schedule *schedule, uint8_t *bytes,
               __m128i *before, const size_t rounds)
{
    __m256i two[REGISTERS];
    __m256i chained;

    EACH_REGISTER (REGISTERS) {
        two[i] = _mm256_loadu_si256((const void *)(bytes + i * 2 * BLOCK));
    }
    chained = _mm256_inserti128_si256(_mm256_castsi128_si256(*before),
                                      _mm256_castsi256_si128(two[0]), 1);
    *before = _mm256_extracti128_si256(two[REGISTERS - 1], 1);
    EACH_REGISTER (REGISTERS) {
        two[i] = _mm256_xor_si256(two[i], round_key(schedule, 0));
    }
    EACH_ROUND (rounds) {
        const __m256i key = round_key(schedule, round);
        EACH_REGISTER (REGISTERS) {
            two[i] = _mm256_aesdec_epi128(two[i], key);
        }
    }
    EACH_REGISTER (REGISTERS) {
        two[i] = _mm256_aesdeclast_epi128(two[i], round_key(schedule, rounds));
    }
    EACH_REGISTER (REGISTERS - 1) {
        two[i + 1] = _mm256_xor_si256(
            two[i + 1],
            _mm256_loadu_si256((const void *)(bytes + (2 * i + 1) * BLOCK)));
    }
    two[0] = _mm256_xor_si256(two[0], chained);
    EACH_REGISTER (REGISTERS) {
        _mm256_storeu_si256((void *)(bytes + i * 2 * BLOCK), two[i]);
    }
}

VAES_CODE void
decrypt_text(const struct aes_schedule *schedule, uint8_t *bytes, size_t size,
             const size_t rounds)
{
    uint8_t rest[STRIDE] = {0};
    __m128i before = _mm_setzero_si128();

    for (; size >= STRIDE; bytes += STRIDE, size -= STRIDE)
        decrypt_stride(schedule, bytes, &before, rounds);
    if (size == 0)
        return;
    memcpy(rest, bytes, size);
    decrypt_stride(schedule, rest, &before, rounds);
    memcpy(bytes, rest, size);
    OPENSSL_cleanse(rest, sizeof rest);
}

__attribute__((target("vaes,avx2"))) static void
decrypt_head(const struct aes_schedule *schedule, uint8_t *bytes, size_t size)
{
    if (has_rounds_of_256(schedule))
        decrypt_text(schedule, bytes, size, ROUNDS_256);
    else
        decrypt_text(schedule, bytes, size, ROUNDS_128);
}

void
vaes_decrypt_heads(const struct aes_schedule *schedule,
                   const struct text_span *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        decrypt_head(schedule, texts[i].bytes, stealing_head(&texts[i]));
}
