/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens by libipsec-mb, in bursts of one kind of job each.  The library knows
 * CBC but no ciphertext stealing, so that the last two blocks are done by hand.
 * For a processor with VAES and SHA instructions but without AVX-512 it has CBC
 * without the former, and the latter for two texts: there code of ours takes its
 * place.
 * What it does not take (long texts, signed tokens, for which the bytes to hash
 * are not in one piece) OpenSSL does.
 */
#include "gss/seal_multibuffer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#include "gss/multibuffer_sha1.h"
#include "gss/multibuffer_stealing.h"
#include "gss/multibuffer_thread.h"
#include "gss/multibuffer_vaes.h"
#include "gss/seal_openssl.h"

enum {
    BATCH_MAX = 256 * 1024,
    LANES = 16,
    /* The library's own limits. */
    CIPHER_MAX = 65520,
    HASH_MAX = 65534,
    HASH_BLOCK_MAX = 128,
    HASH_STATE_MAX = 64,
};

/* The state of the hash after the key, at the front of each of HMAC's two. */
struct hmac_key {
    uint8_t inner[HASH_STATE_MAX];
    uint8_t outer[HASH_STATE_MAX];
};

struct seal_multibuffer {
    struct seal seal; /* first */
    /* plain */
    struct aes_schedule encryption; /* of sent tokens */
    struct aes_schedule decryption; /* of received ones */
    struct hmac_key integrity[2];   /* by enum token_sense */
    bool expanded;                  /* those three are set */
    struct seal_secrets secrets;
    /* owned */
    struct seal *openssl; /* NULL until needed */
};

/* By enum token_hash. */
static const struct {
    IMB_HASH_ALG algorithm;
    enum multibuffer_work work;
} hashes[] = {
    [TOKEN_SHA1] = {IMB_AUTH_HMAC_SHA_1, MULTIBUFFER_SHA1},
    [TOKEN_SHA256] = {IMB_AUTH_HMAC_SHA_256, MULTIBUFFER_SHA256},
    [TOKEN_SHA384] = {IMB_AUTH_HMAC_SHA_384, MULTIBUFFER_SHA384},
};

static struct seal *
openssl_of(struct seal_multibuffer *self, struct error *err)
{
    if (self->openssl == NULL &&
        !seal_openssl_new(&self->secrets, &self->openssl, err))
        return NULL;
    return self->openssl;
}

/* One of HMAC's two states: that of the hash after a block of the key. */
static void
hash_block(IMB_MGR *manager, enum token_hash hash, const uint8_t *key,
           size_t size, uint8_t pad, uint8_t state[HASH_STATE_MAX])
{
    uint8_t block[HASH_BLOCK_MAX];

    memset(block, pad, sizeof block);
    for (size_t i = 0; i < size; i++)
        block[i] ^= key[i];
    switch (hash) {
    case TOKEN_SHA1:
        IMB_SHA1_ONE_BLOCK(manager, block, state);
        break;
    case TOKEN_SHA256:
        IMB_SHA256_ONE_BLOCK(manager, block, state);
        break;
    case TOKEN_SHA384:
        IMB_SHA384_ONE_BLOCK(manager, block, state);
        break;
    }
    OPENSSL_cleanse(block, sizeof block);
}

static void
expand_keys(struct seal_multibuffer *self, IMB_MGR *manager)
{
    const struct token_profile *profile = self->secrets.profile;
    struct aes_schedule unused;
    void (*expand)(const void *, void *, void *) = profile->key_size == 16
                                                       ? manager->keyexp_128
                                                       : manager->keyexp_256;

    self->encryption.rounds = self->decryption.rounds = profile->key_size / 4 +
                                                        6;
    expand(self->secrets.keys[TOKEN_SENT].encryption, self->encryption.bytes,
           unused.bytes);
    expand(self->secrets.keys[TOKEN_RECEIVED].encryption, unused.bytes,
           self->decryption.bytes);
    OPENSSL_cleanse(&unused, sizeof unused);
    for (int sense = TOKEN_SENT; sense <= TOKEN_RECEIVED; sense++) {
        const uint8_t *key = self->secrets.keys[sense].integrity;
        hash_block(manager, profile->hash, key, profile->mac_key_size, 0x36,
                   self->integrity[sense].inner);
        hash_block(manager, profile->hash, key, profile->mac_key_size, 0x5c,
                   self->integrity[sense].outer);
    }
}

/* The thread's managers, if they can do this.  The keys are expanded by the first
 * thread that needs them: it has managers, which the one that makes a channel
 * need not have. */
static const struct multibuffer *
ready(struct seal_multibuffer *self, const struct text_span *texts,
      size_t count, size_t most)
{
    const struct multibuffer *managers;

    for (size_t i = 0; i < count; i++) {
        if (texts[i].size > most)
            return NULL;
    }
    managers = multibuffer_thread();
    if (managers != NULL && !self->expanded) {
        expand_keys(self, managers->wide);
        self->expanded = true;
    }
    return managers;
}

static void
fill_cipher_job(const struct seal_multibuffer *self, IMB_JOB *job,
                const struct text_span *text)
{
    static const uint8_t initial_vector[TOKEN_BLOCK_SIZE];

    memset(job, 0, sizeof *job);
    job->enc_keys = self->encryption.bytes;
    job->dec_keys = self->decryption.bytes;
    job->key_len_in_bytes = self->secrets.profile->key_size;
    job->src = job->dst = text->bytes;
    job->msg_len_to_cipher_in_bytes = stealing_head(text);
    job->iv = initial_vector;
    job->iv_len_in_bytes = sizeof initial_vector;
}

/* done: what the library says it did. */
static bool
check_jobs(const IMB_JOB *jobs, size_t count, size_t done, struct error *err)
{
    bool ok = done == count;

    for (size_t i = 0; i < count; i++)
        ok = ok && jobs[i].status == IMB_STATUS_COMPLETED;
    if (!ok)
        error_set(err, "cannot seal: libipsec-mb left a job undone");
    return ok;
}

/* CBC over the heads. */
static bool
crypt_heads(const struct seal_multibuffer *self,
            const struct multibuffer *managers, IMB_CIPHER_DIRECTION direction,
            const struct text_span *texts, size_t count, struct error *err)
{
    enum multibuffer_work work = direction == IMB_DIR_ENCRYPT
                                     ? MULTIBUFFER_ENCRYPTION
                                     : MULTIBUFFER_DECRYPTION;
    IMB_MGR *manager = multibuffer_pick(managers, work, count);
    IMB_JOB jobs[SEAL_COUNT_MAX];
    uint32_t done;

    if (managers->vaes) {
        if (direction == IMB_DIR_ENCRYPT)
            vaes_encrypt_heads(&self->encryption, texts, count);
        else
            vaes_decrypt_heads(&self->decryption, texts, count);
        return true;
    }
    for (size_t i = 0; i < count; i++)
        fill_cipher_job(self, &jobs[i], &texts[i]);
    done = IMB_SUBMIT_CIPHER_BURST(
        manager, jobs, (uint32_t)count, IMB_CIPHER_CBC, direction,
        (IMB_KEY_SIZE_BYTES)self->secrets.profile->key_size);
    return check_jobs(jobs, count, done, err);
}

static bool
multibuffer_encrypt(struct seal *seal, const struct text_span *texts,
                    size_t count, struct error *err)
{
    struct seal_multibuffer *self = (struct seal_multibuffer *)seal;
    const struct multibuffer *managers = ready(self, texts, count, CIPHER_MAX);

    if (managers == NULL) {
        struct seal *openssl = openssl_of(self, err);
        return openssl != NULL &&
               openssl->ops->encrypt(openssl, texts, count, err);
    }
    if (!crypt_heads(self, managers, IMB_DIR_ENCRYPT, texts, count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        stealing_encrypt(&self->encryption, &texts[i]);
    return true;
}

static bool
multibuffer_decrypt(struct seal *seal, const struct text_span *texts,
                    size_t count, struct error *err)
{
    struct seal_multibuffer *self = (struct seal_multibuffer *)seal;
    const struct multibuffer *managers = ready(self, texts, count, CIPHER_MAX);

    if (managers == NULL) {
        struct seal *openssl = openssl_of(self, err);
        return openssl != NULL &&
               openssl->ops->decrypt(openssl, texts, count, err);
    }
    for (size_t i = 0; i < count; i++)
        stealing_decrypt(&self->decryption, &texts[i]);
    return crypt_heads(self, managers, IMB_DIR_DECRYPT, texts, count, err);
}

static void
fill_hash_job(const struct seal_multibuffer *self, enum token_sense sense,
              IMB_JOB *job, const struct text_span *text, uint8_t *mac)
{
    memset(job, 0, sizeof *job);
    job->src = text->bytes;
    job->msg_len_to_hash_in_bytes = text->size;
    job->u.HMAC._hashed_auth_key_xor_ipad = self->integrity[sense].inner;
    job->u.HMAC._hashed_auth_key_xor_opad = self->integrity[sense].outer;
    job->auth_tag_output = mac;
    job->auth_tag_output_len_in_bytes = self->secrets.profile->mac_size;
}

static bool
multibuffer_mac(struct seal *seal, enum token_sense sense,
                const struct text_span *texts, uint8_t *const *macs,
                size_t count, struct error *err)
{
    struct seal_multibuffer *self = (struct seal_multibuffer *)seal;
    const struct multibuffer *managers = ready(self, texts, count, HASH_MAX);
    enum token_hash hash = self->secrets.profile->hash;
    IMB_JOB jobs[SEAL_COUNT_MAX];
    IMB_MGR *manager;
    uint32_t done;

    if (managers == NULL) {
        struct seal *openssl = openssl_of(self, err);
        return openssl != NULL &&
               openssl->ops->mac(openssl, sense, texts, macs, count, err);
    }
    if (managers->vaes && hash == TOKEN_SHA1 && count >= SHA1_COUNT_LEAST) {
        sha1_hmac(self->integrity[sense].inner, self->integrity[sense].outer,
                  texts, macs, self->secrets.profile->mac_size, count);
        return true;
    }
    for (size_t i = 0; i < count; i++)
        fill_hash_job(self, sense, &jobs[i], &texts[i], macs[i]);
    manager = multibuffer_pick(managers, hashes[hash].work, count);
    done = IMB_SUBMIT_HASH_BURST(manager, jobs, (uint32_t)count,
                                 hashes[hash].algorithm);
    return check_jobs(jobs, count, done, err);
}

static bool
multibuffer_sign(struct seal *seal, enum token_sense sense,
                 const struct text_span parts[2], uint8_t *mac,
                 struct error *err)
{
    struct seal *openssl = openssl_of((struct seal_multibuffer *)seal, err);

    return openssl != NULL &&
           openssl->ops->sign(openssl, sense, parts, mac, err);
}

static void
multibuffer_free(struct seal *seal)
{
    struct seal_multibuffer *self = (struct seal_multibuffer *)seal;

    if (self->openssl != NULL)
        self->openssl->ops->free(self->openssl);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
}

static const struct seal_ops multibuffer_ops = {
    .name = "multibuffer",
    .batch_max = BATCH_MAX,
    .lanes = LANES,
    .encrypt = multibuffer_encrypt,
    .decrypt = multibuffer_decrypt,
    .mac = multibuffer_mac,
    .sign = multibuffer_sign,
    .free = multibuffer_free,
};

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static bool available;

/* Once only: a virtual machine leaves its processor for each question. */
static void
look(void)
{
    available = (imb_get_feature_flags() & IMB_CPUFLAGS_SSE) ==
                IMB_CPUFLAGS_SSE;
}

bool
seal_multibuffer_check(struct error *err)
{
    if (pthread_once(&looked, look) == 0 && available)
        return true;
    error_set(err, "cannot use the engine multibuffer: this processor lacks "
                   "the AES instructions; use auto or openssl");
    return false;
}

bool
seal_multibuffer_new(const struct seal_secrets *secrets, struct seal **seal_out,
                     struct error *err)
{
    struct seal_multibuffer *self = aligned_alloc(
        _Alignof(struct seal_multibuffer), sizeof *self);

    if (self == NULL) {
        error_set(err, "cannot make a channel: out of memory");
        return false;
    }
    memset(self, 0, sizeof *self);
    self->seal.ops = &multibuffer_ops;
    self->secrets = *secrets;
    *seal_out = &self->seal;
    return true;
}
