/* SPDX-License-Identifier: BSD-2-Clause */
/* Making tokens: a group's headers, its cryptography over all of it, and the
 * headers put where they belong. */
#include <string.h>

#include "gss/channel_rfc4121_parts.h"
#include "gss/confounder.h"

/*
 * RFC 8009 hashes the initial vector, which is zero, and the ciphertext.  To
 * have both in one piece, zeros stand where the header will be or was.
 */
void
token_group_add(struct token_group *group, const struct channel_rfc4121 *self,
                const struct token_header *header, uint8_t *token,
                size_t text_size)
{
    size_t i = group->count++;
    uint8_t *text = token + TOKEN_HEADER_SIZE;
    struct token_header unrotated = *header;

    unrotated.rotation = 0;
    token_header_encode(&unrotated, group->headers[i]);
    group->texts[i] = (struct text_span){text, text_size};
    group->hashed[i] = group->texts[i];
    group->macs[i] = text + text_size;
    if (self->profile->encrypt_then_mac) {
        memset(token, 0, TOKEN_HEADER_SIZE);
        group->hashed[i] = (struct text_span){token,
                                              TOKEN_HEADER_SIZE + text_size};
    }
}

static bool
lay_out(struct channel_rfc4121 *self, const struct seal_record *record,
        struct token_group *group, struct error *err)
{
    uint8_t *token = record->token;
    uint8_t *copy = token + TOKEN_SEALED_BEFORE + record->plain_size;
    struct token_header header = {
        .flags = self->flags[TOKEN_SENT] | TOKEN_SEALED,
        .sequence = self->sequence[TOKEN_SENT]++,
    };

    token_header_encode(&header, copy);
    token_group_add(group, self, &header, token,
                    TOKEN_CONFOUNDER_SIZE + record->plain_size +
                        TOKEN_SEALED_BEHIND);
    return confounder_take(token + TOKEN_HEADER_SIZE, err);
}

static bool
protect(struct channel_rfc4121 *self, const struct token_group *group,
        struct error *err)
{
    struct seal *seal = self->seal;

    if (self->profile->encrypt_then_mac)
        return seal->ops->encrypt(seal, group->texts, group->count, err) &&
               seal->ops->mac(seal, TOKEN_SENT, group->hashed, group->macs,
                              group->count, err);
    return seal->ops->mac(seal, TOKEN_SENT, group->hashed, group->macs,
                          group->count, err) &&
           seal->ops->encrypt(seal, group->texts, group->count, err);
}

bool
token_seal_group(struct channel_rfc4121 *self,
                 const struct seal_record *records, size_t count,
                 struct error *err)
{
    struct token_group group;

    group.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!lay_out(self, &records[i], &group, err))
            return false;
    }
    if (!protect(self, &group, err))
        return false;
    for (size_t i = 0; i < count; i++)
        memcpy(records[i].token, group.headers[i], TOKEN_HEADER_SIZE);
    return true;
}

bool
token_sign(struct channel_rfc4121 *self, enum token_sense sense,
           struct token_header header, struct text_span plain, uint8_t *mac,
           struct error *err)
{
    uint8_t bytes[TOKEN_HEADER_SIZE];
    struct text_span parts[2] = {plain, {bytes, sizeof bytes}};

    /* Neither is known when a token is signed, says RFC 4121. */
    header.extra_count = header.rotation = 0;
    token_header_encode(&header, bytes);
    return self->seal->ops->sign(self->seal, sense, parts, mac, err);
}

bool
token_sign_group(struct channel_rfc4121 *self,
                 const struct seal_record *records, size_t count,
                 struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct text_span plain = {records[i].token + TOKEN_HEADER_SIZE,
                                  records[i].plain_size};
        struct token_header header = {
            .flags = self->flags[TOKEN_SENT],
            .extra_count = (uint16_t)self->profile->mac_size,
            .sequence = self->sequence[TOKEN_SENT]++,
        };
        token_header_encode(&header, records[i].token);
        if (!token_sign(self, TOKEN_SENT, header, plain,
                        plain.bytes + plain.size, err))
            return false;
    }
    return true;
}
