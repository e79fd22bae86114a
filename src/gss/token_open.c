/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening tokens.  Nothing of a record is shown before its checksum, the header
 * inside it and its number were found right, and those of all before it; what
 * was decrypted and is not shown is wiped.
 */
#include <openssl/crypto.h>

#include "gss/channel_rfc4121_parts.h"

/* What must be there before there can be any plaintext. */
static bool
check_size(const struct channel_rfc4121 *self, size_t token_size,
           const struct token_header *header, struct error *err)
{
    size_t least = TOKEN_HEADER_SIZE + self->profile->mac_size;
    bool sealed = (header->flags & TOKEN_SEALED) != 0;

    if (sealed)
        least += (size_t)header->extra_count + TOKEN_CONFOUNDER_SIZE +
                 TOKEN_SEALED_BEHIND;
    if (token_size >= least &&
        (sealed || header->extra_count == self->profile->mac_size))
        return true;
    error_set(err, "cannot unseal a record: its size is not what its header "
                   "says");
    return false;
}

/* As many as are well-formed and of the first one's kind. */
static size_t
read_headers(const struct channel_rfc4121 *self,
             const struct unseal_record *records, size_t count,
             struct token_header *headers, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *token = records[i].token;
        size_t size = records[i].token_size;
        if (!token_header_parse(token, size,
                                self->flags[TOKEN_RECEIVED] & TOKEN_BY_ACCEPTOR,
                                &headers[i], err) ||
            !check_size(self, size, &headers[i], err) ||
            ((headers[i].flags ^ headers[0].flags) & TOKEN_SEALED) != 0)
            return i;
        token_unrotate(token + TOKEN_HEADER_SIZE, size - TOKEN_HEADER_SIZE,
                       headers[i].rotation);
    }
    return count;
}

static bool
check_mac(const struct channel_rfc4121 *self, const uint8_t *mac,
          const uint8_t *received, struct error *err)
{
    if (CRYPTO_memcmp(mac, received, self->profile->mac_size) == 0)
        return true;
    error_set(err, "cannot unseal a record: its checksum is wrong, it was "
                   "damaged or forged on the way");
    return false;
}

static bool
check_sequence(struct channel_rfc4121 *self, const struct token_header *header,
               struct error *err)
{
    uint64_t *expected = &self->sequence[TOKEN_RECEIVED];

    if (header->sequence == *expected) {
        (*expected)++;
        return true;
    }
    error_set(err, "cannot unseal a record: %s",
              token_sequence_fault(header->sequence, *expected));
    return false;
}

static size_t
open_signed(struct channel_rfc4121 *self, struct unseal_record *records,
            const struct token_header *headers, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct unseal_record *record = &records[i];
        uint8_t mac[TOKEN_MAC_MAX];
        struct text_span plain = {
            record->token + TOKEN_HEADER_SIZE,
            record->token_size - TOKEN_HEADER_SIZE - self->profile->mac_size,
        };
        if (!token_sign(self, TOKEN_RECEIVED, headers[i], plain, mac, err) ||
            !check_mac(self, mac, plain.bytes + plain.size, err) ||
            !check_sequence(self, &headers[i], err))
            return i;
        record->plain = plain.bytes;
        record->plain_size = plain.size;
        record->confidential = false;
    }
    return count;
}

/* The engine computes the checksums; how many, from the first on, are those
 * that came. */
static size_t
verify(struct channel_rfc4121 *self, const struct token_group *group,
       struct error *err)
{
    uint8_t macs[SEAL_COUNT_MAX][TOKEN_MAC_MAX];
    uint8_t *pointers[SEAL_COUNT_MAX];
    size_t good = 0;

    for (size_t i = 0; i < group->count; i++)
        pointers[i] = macs[i];
    if (!self->seal->ops->mac(self->seal, TOKEN_RECEIVED, group->hashed,
                              pointers, group->count, err))
        return 0;
    while (good < group->count &&
           check_mac(self, macs[good], group->macs[good], err))
        good++;
    return good;
}

/* How many are decrypted and verified. */
static size_t
unprotect(struct channel_rfc4121 *self, const struct token_group *group,
          struct error *err)
{
    struct seal *seal = self->seal;

    if (!self->profile->encrypt_then_mac)
        return seal->ops->decrypt(seal, group->texts, group->count, err)
                   ? verify(self, group, err)
                   : 0;
    size_t good = verify(self, group, err);
    return seal->ops->decrypt(seal, group->texts, good, err) ? good : 0;
}

/* The header inside vouches for the one outside. */
static bool
take_plain(struct channel_rfc4121 *self, const struct token_header *header,
           const struct text_span *text, const uint8_t *outer,
           struct unseal_record *record, struct error *err)
{
    const uint8_t *inner = text->bytes + text->size - TOKEN_SEALED_BEHIND;

    if (CRYPTO_memcmp(inner, outer, TOKEN_HEADER_SIZE) != 0) {
        error_set(err, "cannot unseal a record: its header was changed on the "
                       "way");
        return false;
    }
    if (!check_sequence(self, header, err))
        return false;
    record->plain = text->bytes + TOKEN_CONFOUNDER_SIZE;
    record->plain_size = text->size - TOKEN_CONFOUNDER_SIZE -
                         header->extra_count - TOKEN_SEALED_BEHIND;
    record->confidential = true;
    return true;
}

static size_t
open_sealed(struct channel_rfc4121 *self, struct unseal_record *records,
            const struct token_header *headers, size_t count, struct error *err)
{
    struct token_group group;
    size_t opened = 0, good;

    group.count = 0;
    for (size_t i = 0; i < count; i++)
        token_group_add(&group, self, &headers[i], records[i].token,
                        records[i].token_size - TOKEN_HEADER_SIZE -
                            self->profile->mac_size);
    good = unprotect(self, &group, err);
    while (opened < good &&
           take_plain(self, &headers[opened], &group.texts[opened],
                      group.headers[opened], &records[opened], err))
        opened++;
    for (size_t i = opened; i < count; i++)
        OPENSSL_cleanse(group.texts[i].bytes, group.texts[i].size);
    return opened;
}

size_t
token_open_group(struct channel_rfc4121 *self, struct unseal_record *records,
                 size_t count, size_t *opened_out, struct error *err)
{
    struct token_header headers[SEAL_COUNT_MAX];
    size_t size = read_headers(self, records, count, headers, err);

    if (size == 0)
        return 0;
    *opened_out = (headers[0].flags & TOKEN_SEALED) != 0
                      ? open_sealed(self, records, headers, size, err)
                      : open_signed(self, records, headers, size, err);
    return size;
}
