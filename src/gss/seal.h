/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cryptography of tokens for one channel, on arrays of texts so that it may
 * be done side by side: what the engines differ in.  What a token is, they do
 * not know.  Private to src/gss.
 */
#ifndef GSS_SEAL_H
#define GSS_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "gss/token_keys.h"

enum {
    SEAL_COUNT_MAX = 16 /* texts in one call */
};

enum token_sense {
    TOKEN_SENT,
    TOKEN_RECEIVED,
};

/* Everything that the engines need to know of a channel. */
struct seal_secrets {
    const struct token_profile *profile;
    struct token_keys keys[2]; /* by enum token_sense */
};

struct text_span {
    uint8_t *bytes;
    size_t size;
};

struct seal {
    const struct seal_ops *ops;
};

/* All in place; what fails leaves its texts in any state. */
struct seal_ops {
    const char *name;
    size_t batch_max; /* as in struct channel_ops */
    size_t lanes;     /* likewise */
    /* AES-CBC with ciphertext stealing (CS3), initial vector 0; at least 17
     * bytes each. */
    bool (*encrypt)(struct seal *seal, const struct text_span *texts,
                    size_t count, struct error *err);
    bool (*decrypt)(struct seal *seal, const struct text_span *texts,
                    size_t count, struct error *err);
    /* The checksum of sealed tokens, mac_size bytes to each of macs. */
    bool (*mac)(struct seal *seal, enum token_sense sense,
                const struct text_span *texts, uint8_t *const *macs,
                size_t count, struct error *err);
    /* The checksum of a token only signed, over two parts. */
    bool (*sign)(struct seal *seal, enum token_sense sense,
                 const struct text_span parts[2], uint8_t *mac,
                 struct error *err);
    void (*free)(struct seal *seal); /* wipes what it holds */
};

#endif
