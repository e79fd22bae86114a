/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One derivation for each of a sender's keys: what differs between the
 * encryption types is in the table, and which of OpenSSL's two functions they
 * use.
 */
#include "gss/token_keys.h"

#include <pthread.h>
#include <string.h>
#include <krb5.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/* clang-format off */
static const struct token_profile profiles[] = {
    {ENCTYPE_AES128_CTS_HMAC_SHA1_96,    TOKEN_SHA1,   16, 16, 12, "SHA1",   "AES-128-CBC-CTS", false},
    {ENCTYPE_AES256_CTS_HMAC_SHA1_96,    TOKEN_SHA1,   32, 32, 12, "SHA1",   "AES-256-CBC-CTS", false},
    {ENCTYPE_AES128_CTS_HMAC_SHA256_128, TOKEN_SHA256, 16, 16, 16, "SHA256", "AES-128-CBC-CTS", true},
    {ENCTYPE_AES256_CTS_HMAC_SHA384_192, TOKEN_SHA384, 32, 24, 24, "SHA384", "AES-256-CBC-CTS", true},
};
/* clang-format on */

/* RFC 3961 section 5.3: the usage, big-endian, and one of these. */
enum {
    CONSTANT_SIZE = 5,
    FOR_ENCRYPTION = 0xaa,
    FOR_INTEGRITY = 0x55,
    FOR_CHECKSUM = 0x99,
};

const struct token_profile *
token_profile(int32_t enctype)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (profiles[i].enctype == enctype)
            return &profiles[i];
    }
    return NULL;
}

void
openssl_error(struct error *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    error_set(err, "%s: %s", what,
              reason != NULL ? reason : "OpenSSL does not say why");
    ERR_clear_error();
}

/* OpenSSL takes pointers that it only reads without const. */
static OSSL_PARAM
text_param(const char *name, const char *text)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)text, 0);
}

static OSSL_PARAM
bytes_param(const char *name, const uint8_t *bytes, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)bytes, size);
}

/* RFC 3961 section 5.1, DR and DK: the function folds the constant itself, and
 * the cipher is asked for single blocks only. */
static bool
derive_3961(EVP_KDF_CTX *function, const struct token_profile *profile,
            const uint8_t *key, const uint8_t constant[CONSTANT_SIZE],
            uint8_t *out)
{
    OSSL_PARAM params[] = {
        text_param(OSSL_KDF_PARAM_CIPHER,
                   profile->key_size == 16 ? "AES-128-CBC" : "AES-256-CBC"),
        bytes_param(OSSL_KDF_PARAM_KEY, key, profile->key_size),
        bytes_param(OSSL_KDF_PARAM_CONSTANT, constant, CONSTANT_SIZE),
        OSSL_PARAM_construct_end(),
    };

    return EVP_KDF_derive(function, out, profile->key_size, params) == 1;
}

/* RFC 8009 section 3: SP 800-108 in counter mode, with the constant as label,
 * no context, and the size of the key in what is hashed. */
static bool
derive_8009(EVP_KDF_CTX *function, const struct token_profile *profile,
            const uint8_t *key, const uint8_t constant[CONSTANT_SIZE],
            uint8_t *out)
{
    OSSL_PARAM params[] = {
        text_param(OSSL_KDF_PARAM_MODE, "counter"),
        text_param(OSSL_KDF_PARAM_MAC, "HMAC"),
        text_param(OSSL_KDF_PARAM_DIGEST, profile->digest),
        bytes_param(OSSL_KDF_PARAM_KEY, key, profile->key_size),
        bytes_param(OSSL_KDF_PARAM_SALT, constant, CONSTANT_SIZE),
        OSSL_PARAM_construct_end(),
    };
    size_t size = constant[CONSTANT_SIZE - 1] == FOR_ENCRYPTION
                      ? profile->key_size
                      : profile->mac_key_size;

    return EVP_KDF_derive(function, out, size, params) == 1;
}

static bool
derive(EVP_KDF_CTX *function, const struct token_profile *profile,
       const uint8_t *key, enum token_usage usage, uint8_t purpose,
       uint8_t *out)
{
    const uint8_t constant[CONSTANT_SIZE] = {0, 0, 0, (uint8_t)usage, purpose};

    return profile->encrypt_then_mac
               ? derive_8009(function, profile, key, constant, out)
               : derive_3961(function, profile, key, constant, out);
}

/* Fetched once: each time OpenSSL would look them up among all that its providers
 * have.  They stay until the process ends. */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_KDF *krb5kdf, *kbkdf;

static void
fetch(void)
{
    krb5kdf = EVP_KDF_fetch(NULL, "KRB5KDF", NULL);
    kbkdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
}

/* NULL: OpenSSL has no such function, or no memory. */
static EVP_KDF_CTX *
new_function(const struct token_profile *profile)
{
    pthread_once(&fetched, fetch);
    return EVP_KDF_CTX_new(profile->encrypt_then_mac ? kbkdf : krb5kdf);
}

bool
token_keys_derive(const struct token_profile *profile, const uint8_t *key,
                  enum token_usage usage, struct token_keys *keys_out,
                  struct error *err)
{
    EVP_KDF_CTX *function = new_function(profile);
    struct token_keys keys = {.usage = usage};
    bool ok = function != NULL &&
              derive(function, profile, key, usage, FOR_ENCRYPTION,
                     keys.encryption) &&
              derive(function, profile, key, usage, FOR_INTEGRITY,
                     keys.integrity);

    memcpy(keys.base, key, profile->key_size);
    if (ok)
        *keys_out = keys;
    else
        openssl_error(err, "cannot derive the keys of records");
    OPENSSL_cleanse(&keys, sizeof keys);
    EVP_KDF_CTX_free(function);
    return ok;
}

bool
token_keys_checksum(const struct token_profile *profile,
                    const struct token_keys *keys,
                    uint8_t kc_out[TOKEN_KEY_MAX], struct error *err)
{
    EVP_KDF_CTX *function = new_function(profile);
    bool ok = function != NULL && derive(function, profile, keys->base,
                                         keys->usage, FOR_CHECKSUM, kc_out);

    if (!ok)
        openssl_error(err, "cannot derive the keys of records");
    EVP_KDF_CTX_free(function);
    return ok;
}
