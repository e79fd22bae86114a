/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of tokens (RFC 4121 section 2), derived from a context's key as
 * RFC 3961, 3962 and 8009 say, by OpenSSL.  Private to src/gss.
 */
#ifndef GSS_TOKEN_KEYS_H
#define GSS_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    TOKEN_KEY_MAX = 32,    /* of any key here */
    TOKEN_MAC_MAX = 24,    /* of any checksum in a token */
    TOKEN_BLOCK_SIZE = 16, /* of AES */
};

enum token_hash {
    TOKEN_SHA1,
    TOKEN_SHA256,
    TOKEN_SHA384,
};

/* An encryption type. */
struct token_profile {
    int32_t enctype;
    enum token_hash hash;
    size_t key_size;     /* of the context's key, and of AES */
    size_t mac_key_size; /* of HMAC */
    size_t mac_size;     /* of the checksum: HMAC's, cut to this */
    const char *digest;  /* as OpenSSL calls it */
    const char *cipher;
    /* RFC 8009: the checksum is over the ciphertext behind the initial vector;
     * RFC 3962: over the plaintext. */
    bool encrypt_then_mac;
};

/* NULL for any type but the four of AES. */
const struct token_profile *token_profile(int32_t enctype);

/* RFC 4121 section 2: wrap tokens of either kind. */
enum token_usage {
    USAGE_ACCEPTOR_SEAL = 22,
    USAGE_INITIATOR_SEAL = 24,
};

/* Of one sender.  Wiped with OPENSSL_cleanse by whoever holds them. */
struct token_keys {
    uint8_t encryption[TOKEN_KEY_MAX]; /* Ke */
    uint8_t integrity[TOKEN_KEY_MAX];  /* Ki: the checksum of sealed tokens */
    /* What Kc comes from, of tokens that are only signed: few are. */
    uint8_t base[TOKEN_KEY_MAX];
    enum token_usage usage;
};

/* key: profile->key_size bytes. */
MUST_CHECK bool token_keys_derive(const struct token_profile *profile,
                                  const uint8_t *key, enum token_usage usage,
                                  struct token_keys *keys_out,
                                  struct error *err);

/* Kc, profile->mac_key_size bytes; wiped by the caller. */
MUST_CHECK bool token_keys_checksum(const struct token_profile *profile,
                                    const struct token_keys *keys,
                                    uint8_t kc_out[TOKEN_KEY_MAX],
                                    struct error *err);

/* "WHAT: OpenSSL's reason", and OpenSSL's queue of errors is empty. */
void openssl_error(struct error *err, const char *what);

#endif
