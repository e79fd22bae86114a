/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens by OpenSSL's EVP.  A context is made when it is first needed and kept
 * for the channel, so that a small record costs no key schedule; most channels
 * never need those of signed records.
 */
#include "gss/seal_openssl.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum {
    /* A fraction of a millisecond, as in channel_gssapi.c. */
    BATCH_MAX = 128 * 1024,
};

struct seal_openssl {
    struct seal seal; /* first */
    struct seal_secrets secrets;
    /* owned; NULL until needed; by enum token_sense */
    EVP_CIPHER_CTX *ciphers[2];
    EVP_MAC_CTX *integrity[2];
    EVP_MAC_CTX *checksum[2];
};

static const uint8_t initial_vector[TOKEN_BLOCK_SIZE];

/* In this mode a context takes one text at once, and has to be begun anew for
 * the next. */
static EVP_CIPHER_CTX *
new_cipher(const struct seal_openssl *seal, enum token_sense sense)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_CIPHER_PARAM_CTS_MODE,
                                         (char[]){OSSL_CIPHER_CTS_MODE_CS3}, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, seal->secrets.profile->cipher,
                                          NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    if (cipher == NULL || context == NULL ||
        EVP_CipherInit_ex2(context, cipher,
                           seal->secrets.keys[sense].encryption, initial_vector,
                           sense == TOKEN_SENT, params) != 1) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    EVP_CIPHER_free(cipher);
    return context;
}

static EVP_MAC_CTX *
new_mac(const struct seal_openssl *seal, const uint8_t *key)
{
    const struct token_profile *profile = seal->secrets.profile;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         (char *)profile->digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    if (context != NULL &&
        EVP_MAC_init(context, key, profile->mac_key_size, params) != 1) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(mac);
    return context;
}

static bool
crypt_texts(struct seal_openssl *seal, enum token_sense sense,
            const struct text_span *texts, size_t count)
{
    EVP_CIPHER_CTX **context = &seal->ciphers[sense];
    int size;

    if (*context == NULL)
        *context = new_cipher(seal, sense);
    if (*context == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (texts[i].size > INT_MAX ||
            EVP_CipherInit_ex2(*context, NULL, NULL, initial_vector, -1,
                               NULL) != 1 ||
            EVP_CipherUpdate(*context, texts[i].bytes, &size, texts[i].bytes,
                             (int)texts[i].size) != 1 ||
            (size_t)size != texts[i].size)
            return false;
    }
    return true;
}

/* A context that is begun without a key goes on with the one it has. */
static bool
mac_parts(struct seal_openssl *seal, EVP_MAC_CTX *context,
          const struct text_span *parts, size_t count, uint8_t *mac)
{
    uint8_t whole[EVP_MAX_MD_SIZE];
    size_t size;
    bool ok = context != NULL && EVP_MAC_init(context, NULL, 0, NULL) == 1;

    for (size_t i = 0; i < count && ok; i++)
        ok = EVP_MAC_update(context, parts[i].bytes, parts[i].size) == 1;
    if (!ok || EVP_MAC_final(context, whole, &size, sizeof whole) != 1)
        return false;
    memcpy(mac, whole, seal->secrets.profile->mac_size);
    return true;
}

static bool
openssl_encrypt(struct seal *seal, const struct text_span *texts, size_t count,
                struct error *err)
{
    if (crypt_texts((struct seal_openssl *)seal, TOKEN_SENT, texts, count))
        return true;
    openssl_error(err, "cannot encrypt");
    return false;
}

static bool
openssl_decrypt(struct seal *seal, const struct text_span *texts, size_t count,
                struct error *err)
{
    if (crypt_texts((struct seal_openssl *)seal, TOKEN_RECEIVED, texts, count))
        return true;
    openssl_error(err, "cannot decrypt");
    return false;
}

static bool
openssl_mac(struct seal *self, enum token_sense sense,
            const struct text_span *texts, uint8_t *const *macs, size_t count,
            struct error *err)
{
    struct seal_openssl *seal = (struct seal_openssl *)self;
    EVP_MAC_CTX **context = &seal->integrity[sense];

    if (*context == NULL)
        *context = new_mac(seal, seal->secrets.keys[sense].integrity);
    for (size_t i = 0; i < count; i++) {
        if (!mac_parts(seal, *context, &texts[i], 1, macs[i])) {
            openssl_error(err, "cannot compute a checksum");
            return false;
        }
    }
    return true;
}

static EVP_MAC_CTX *
new_checksum(const struct seal_openssl *seal, enum token_sense sense,
             struct error *err)
{
    EVP_MAC_CTX *context = NULL;
    uint8_t key[TOKEN_KEY_MAX];

    if (token_keys_checksum(seal->secrets.profile, &seal->secrets.keys[sense],
                            key, err)) {
        context = new_mac(seal, key);
        if (context == NULL)
            openssl_error(err, "cannot compute a checksum");
    }
    OPENSSL_cleanse(key, sizeof key);
    return context;
}

static bool
openssl_sign(struct seal *self, enum token_sense sense,
             const struct text_span parts[2], uint8_t *mac, struct error *err)
{
    struct seal_openssl *seal = (struct seal_openssl *)self;
    EVP_MAC_CTX **context = &seal->checksum[sense];

    if (*context == NULL)
        *context = new_checksum(seal, sense, err);
    if (*context == NULL)
        return false;
    if (mac_parts(seal, *context, parts, 2, mac))
        return true;
    openssl_error(err, "cannot compute a checksum");
    return false;
}

/* OpenSSL wipes what it frees of keys. */
static void
openssl_free(struct seal *self)
{
    struct seal_openssl *seal = (struct seal_openssl *)self;

    for (int sense = TOKEN_SENT; sense <= TOKEN_RECEIVED; sense++) {
        EVP_CIPHER_CTX_free(seal->ciphers[sense]);
        EVP_MAC_CTX_free(seal->integrity[sense]);
        EVP_MAC_CTX_free(seal->checksum[sense]);
    }
    OPENSSL_cleanse(seal, sizeof *seal);
    free(seal);
}

static const struct seal_ops openssl_ops = {
    .name = "openssl",
    .batch_max = BATCH_MAX,
    .lanes = 1,
    .encrypt = openssl_encrypt,
    .decrypt = openssl_decrypt,
    .mac = openssl_mac,
    .sign = openssl_sign,
    .free = openssl_free,
};

bool
seal_openssl_new(const struct seal_secrets *secrets, struct seal **seal_out,
                 struct error *err)
{
    struct seal_openssl *seal = calloc(1, sizeof *seal);

    if (seal == NULL) {
        error_set(err, "cannot make a channel: out of memory");
        return false;
    }
    seal->seal.ops = &openssl_ops;
    seal->secrets = *secrets;
    *seal_out = &seal->seal;
    return true;
}

/* Found out once: the configuration of OpenSSL is not read again. */
static pthread_once_t looked = PTHREAD_ONCE_INIT;
static bool available;

static void
look(void)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC-CTS", NULL);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KRB5KDF", NULL);
    EVP_KDF *counter_kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);

    available = cipher != NULL && mac != NULL && kdf != NULL &&
                counter_kdf != NULL;
    EVP_CIPHER_free(cipher);
    EVP_MAC_free(mac);
    EVP_KDF_free(kdf);
    EVP_KDF_free(counter_kdf);
    ERR_clear_error();
}

bool
seal_openssl_check(struct error *err)
{
    if (pthread_once(&looked, look) == 0 && available)
        return true;
    error_set(err, "cannot use the engine openssl: this OpenSSL, as it is "
                   "configured, lacks Kerberos' key derivation (KRB5KDF); use "
                   "gssapi");
    return false;
}
