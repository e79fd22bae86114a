/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening tokens.  The first byte says of which type, by which engine, and
 * whether what follows is a token as it stands, or a header and a text to be
 * encrypted and signed with the right keys first: so that what only a peer with
 * the keys could send is tried, too.  What is accepted lies in the token.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <krb5.h>

#include "gss/channel_rfc4121.h"
#include "gss/rfc4121.h"
#include "gss/seal_multibuffer.h"
#include "gss/seal_openssl.h"

enum {
    LONGEST = 4096,
    TYPE_BITS = 0x03,
    MULTIBUFFER_BIT = 0x04,
    MAKE_BIT = 0x08,
    PARTS_BIT = 0x10, /* so many tokens in one call */
    PARTS = 4,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const int32_t enctypes[] = {
    ENCTYPE_AES128_CTS_HMAC_SHA1_96,
    ENCTYPE_AES256_CTS_HMAC_SHA1_96,
    ENCTYPE_AES128_CTS_HMAC_SHA256_128,
    ENCTYPE_AES256_CTS_HMAC_SHA384_192,
};

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* What the peer, an initiator, would have made of header and text.  Returns the
 * token's size. */
static size_t
make_token(const struct channel_state *state, uint8_t *token, size_t size)
{
    struct seal_secrets secrets = {.profile = state->profile};
    struct text_span text = {token + 16, size - 16};
    struct text_span hashed = {token, size};
    uint8_t header[16], *mac = token + size;
    bool late = state->profile->encrypt_then_mac;
    struct seal *seal;

    must(token_keys_derive(state->profile, state->key, USAGE_INITIATOR_SEAL,
                           &secrets.keys[TOKEN_SENT], NULL));
    must(seal_openssl_new(&secrets, &seal, NULL));
    memcpy(header, token, sizeof header);
    if (late)
        memset(token, 0, sizeof header);
    else
        must(seal->ops->mac(seal, TOKEN_SENT, &text, &mac, 1, NULL));
    must(seal->ops->encrypt(seal, &text, 1, NULL));
    if (late)
        must(seal->ops->mac(seal, TOKEN_SENT, &hashed, &mac, 1, NULL));
    memcpy(token, header, sizeof header);
    seal->ops->free(seal);
    return size + state->profile->mac_size;
}

static void
check_opened(const struct unseal_record *record)
{
    const uint8_t *end = record->token + record->token_size;

    must(record->plain >= record->token + TOKEN_HEADER_SIZE);
    must(record->plain <= end);
    must(record->plain_size <= (size_t)(end - record->plain));
}

static void
unseal(struct channel *channel, uint8_t *token, size_t size, size_t count)
{
    struct unseal_record records[PARTS];
    struct error err = {.text = ""};

    for (size_t i = 0; i < count; i++) {
        uint8_t *end = token + (i + 1) * size / count;
        records[i].token = token + i * size / count;
        records[i].token_size = (size_t)(end - records[i].token);
    }
    size_t good = channel->ops->unseal(channel, records, count, &err);

    must(good <= count && (good == count || err.text[0] != '\0'));
    for (size_t i = 0; i < good; i++)
        check_opened(&records[i]);
    if (good < count)
        must(channel->ops->unseal(channel, records, 1, &err) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct channel_state state = {.key = "thirty-two bytes that are a key"};
    seal_new *engine = seal_openssl_new;
    struct channel *channel;

    if (size < 1 || size > LONGEST)
        return -1;
    state.profile = token_profile(enctypes[bytes[0] & TYPE_BITS]);
    if ((bytes[0] & MULTIBUFFER_BIT) != 0 && seal_multibuffer_check(NULL))
        engine = seal_multibuffer_new;
    must(channel_rfc4121_new(&state, engine, &channel, NULL));

    /* Of the very size, so that reading past the end shows. */
    size_t token_size = size - 1;
    bool make = (bytes[0] & MAKE_BIT) != 0 && token_size > 32;
    size_t room = token_size + (make ? state.profile->mac_size : 0);
    uint8_t *token = malloc(room > 0 ? room : 1);
    must(token != NULL);
    memcpy(token, bytes + 1, token_size);
    if (make)
        token_size = make_token(&state, token, token_size);
    unseal(channel, token, token_size, (bytes[0] & PARTS_BIT) != 0 ? PARTS : 1);
    free(token);
    channel_free(channel);
    return 0;
}
