/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts go through the lanes in groups as even as can be: a lane that has
 * nothing to do takes its time all the same.
 */
#include "gss/multibuffer_sha1.h"

#include <string.h>
#include <openssl/crypto.h>

#include "gss/multibuffer_sha1_rounds.h"

enum {
    BLOCK = SHA1_BLOCK_SIZE,
    STATE_WORDS = 5,
    LENGTH_SIZE = 8, /* of the message's length, at the end of its last block */
    TAIL_MAX = 2 * BLOCK,
};

/* What is left to be hashed of one text. */
struct run {
    uint32_t state[STATE_WORDS];
    const uint8_t *bytes;
    size_t blocks;
};

static void
enter(struct sha1_lanes *lanes, size_t lane, const struct run *run)
{
    for (size_t i = 0; i < 4; i++)
        lanes->dcba[lane][i] = run->state[3 - i];
    memset(lanes->e[lane], 0, sizeof lanes->e[lane]);
    lanes->e[lane][3] = run->state[4];
    lanes->bytes[lane] = run->bytes;
}

static void
leave(const struct sha1_lanes *lanes, size_t lane, struct run *run,
      size_t blocks)
{
    for (size_t i = 0; i < 4; i++)
        run->state[i] = lanes->dcba[lane][3 - i];
    run->state[4] = lanes->e[lane][3];
    run->bytes += blocks * BLOCK;
    run->blocks -= blocks;
}

/* All of one to four runs, as far as the shortest goes at a time. */
static void
hash_group(struct sha1_lanes *lanes, struct run *runs, size_t count)
{
    for (;;) {
        struct run *busy[SHA1_LANES];
        size_t used = 0, blocks = SIZE_MAX;
        for (size_t i = 0; i < count; i++) {
            if (runs[i].blocks == 0)
                continue;
            busy[used++] = &runs[i];
            blocks = runs[i].blocks < blocks ? runs[i].blocks : blocks;
        }
        if (used == 0)
            return;
        for (size_t i = 0; i < SHA1_LANES; i++)
            enter(lanes, i, busy[i < used ? i : 0]);
        sha1_rounds(lanes, blocks);
        for (size_t i = 0; i < used; i++)
            leave(lanes, i, busy[i], blocks);
    }
}

static void
hash_runs(struct run *runs, size_t count)
{
    struct sha1_lanes lanes;

    for (size_t groups = (count + SHA1_LANES - 1) / SHA1_LANES; groups > 0;
         groups--) {
        size_t group = (count + groups - 1) / groups;
        hash_group(&lanes, runs, group);
        runs += group;
        count -= group;
    }
    OPENSSL_cleanse(&lanes, sizeof lanes);
}

static void
put_big_endian(uint8_t *bytes, uint64_t number, size_t size)
{
    for (size_t i = size; i-- > 0; number >>= 8)
        bytes[i] = (uint8_t)number;
}

/* The end of a message of size bytes, as FIPS 180-4, 5.1.1 pads it: what was not
 * hashed yet, and the length.  One block came before: HMAC's key. */
static void
pad(struct run *run, uint8_t tail[TAIL_MAX], const uint8_t *bytes, size_t size)
{
    size_t rest = size % BLOCK;

    run->bytes = tail;
    run->blocks = (rest + 1 + LENGTH_SIZE + BLOCK - 1) / BLOCK;
    size_t end = run->blocks * BLOCK;
    memcpy(tail, bytes + size - rest, rest);
    tail[rest] = 0x80;
    memset(tail + rest + 1, 0, end - rest - 1 - LENGTH_SIZE);
    put_big_endian(tail + end - LENGTH_SIZE, (uint64_t)(BLOCK + size) * 8,
                   LENGTH_SIZE);
}

static void
get_digest(const struct run *run, uint8_t digest[SHA1_STATE_SIZE])
{
    for (size_t i = 0; i < STATE_WORDS; i++)
        put_big_endian(digest + i * 4, run->state[i], 4);
}

void
sha1_hmac(const uint8_t inner[SHA1_STATE_SIZE],
          const uint8_t outer[SHA1_STATE_SIZE], const struct text_span *texts,
          uint8_t *const *macs, size_t mac_size, size_t count)
{
    struct run runs[SEAL_COUNT_MAX];
    uint8_t tails[SEAL_COUNT_MAX][TAIL_MAX];
    uint8_t digest[SHA1_STATE_SIZE];

    for (size_t i = 0; i < count; i++) {
        memcpy(runs[i].state, inner, sizeof runs[i].state);
        runs[i].bytes = texts[i].bytes;
        runs[i].blocks = texts[i].size / BLOCK;
    }
    hash_runs(runs, count);
    for (size_t i = 0; i < count; i++)
        pad(&runs[i], tails[i], texts[i].bytes, texts[i].size);
    hash_runs(runs, count);
    for (size_t i = 0; i < count; i++) {
        get_digest(&runs[i], digest);
        memcpy(runs[i].state, outer, sizeof runs[i].state);
        pad(&runs[i], tails[i], digest, sizeof digest);
    }
    hash_runs(runs, count);
    for (size_t i = 0; i < count; i++) {
        get_digest(&runs[i], digest);
        memcpy(macs[i], digest, mac_size);
    }
    OPENSSL_cleanse(runs, count * sizeof *runs);
    OPENSSL_cleanse(tails, count * sizeof *tails);
    OPENSSL_cleanse(digest, sizeof digest);
}
