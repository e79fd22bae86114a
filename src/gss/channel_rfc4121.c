/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object, and its records in groups that an engine takes at once.  How a
 * group is sealed and opened stands in token_seal.c and token_open.c.  After a
 * failure the sequence is broken for good, so the channel is dead.
 */
#include "gss/channel_rfc4121.h"

#include <stdlib.h>
#include <openssl/crypto.h>

#include "gss/channel_rfc4121_parts.h"

static void
rfc4121_shape(const struct channel *channel, bool confidential,
              struct token_shape *shape_out)
{
    const struct channel_rfc4121 *self =
        (const struct channel_rfc4121 *)channel;

    shape_out->header = confidential ? TOKEN_SEALED_BEFORE : TOKEN_HEADER_SIZE;
    shape_out->trailer = self->profile->mac_size +
                         (confidential ? TOKEN_SEALED_BEHIND : 0);
}

static bool
check_alive(const struct channel_rfc4121 *self, const char *verb,
            struct error *err)
{
    if (self->dead)
        error_set(err, "cannot %s a record: an earlier one failed", verb);
    return !self->dead;
}

static size_t
group_size(size_t count)
{
    return count < SEAL_COUNT_MAX ? count : SEAL_COUNT_MAX;
}

static bool
rfc4121_seal(struct channel *channel, bool confidential,
             struct seal_record *records, size_t count, struct error *err)
{
    struct channel_rfc4121 *self = (struct channel_rfc4121 *)channel;

    if (!check_alive(self, "seal", err))
        return false;
    while (count > 0 && !self->dead) {
        size_t size = group_size(count);
        self->dead = confidential ? !token_seal_group(self, records, size, err)
                                  : !token_sign_group(self, records, size, err);
        records += size;
        count -= size;
    }
    return !self->dead;
}

static size_t
rfc4121_unseal(struct channel *channel, struct unseal_record *records,
               size_t count, struct error *err)
{
    struct channel_rfc4121 *self = (struct channel_rfc4121 *)channel;
    size_t done = 0;

    if (!check_alive(self, "unseal", err))
        return 0;
    while (done < count && !self->dead) {
        size_t opened = 0;
        size_t size = token_open_group(self, records + done,
                                       group_size(count - done), &opened, err);
        self->dead = size == 0 || opened < size;
        done += opened;
    }
    return done;
}

static void
rfc4121_free(struct channel *channel)
{
    struct channel_rfc4121 *self = (struct channel_rfc4121 *)channel;

    self->seal->ops->free(self->seal);
    free(self);
}

static const struct channel_ops rfc4121_ops = {
    .shape = rfc4121_shape,
    .seal = rfc4121_seal,
    .unseal = rfc4121_unseal,
    .free = rfc4121_free,
};

static bool
derive_secrets(const struct channel_state *state,
               struct seal_secrets *secrets_out, struct error *err)
{
    enum token_usage sent = USAGE_ACCEPTOR_SEAL;
    enum token_usage received = USAGE_INITIATOR_SEAL;

    if (state->initiator) {
        sent = USAGE_INITIATOR_SEAL;
        received = USAGE_ACCEPTOR_SEAL;
    }
    secrets_out->profile = state->profile;
    return token_keys_derive(state->profile, state->key, sent,
                             &secrets_out->keys[TOKEN_SENT], err) &&
           token_keys_derive(state->profile, state->key, received,
                             &secrets_out->keys[TOKEN_RECEIVED], err);
}

static void
fill_in(struct channel_rfc4121 *self, const struct channel_state *state)
{
    enum token_sense acceptor = state->initiator ? TOKEN_RECEIVED : TOKEN_SENT;

    self->ops = rfc4121_ops;
    self->ops.engine = self->seal->ops->name;
    self->ops.batch_max = self->seal->ops->batch_max;
    self->ops.lanes = self->seal->ops->lanes;
    self->channel.ops = &self->ops;
    self->profile = state->profile;
    self->flags[TOKEN_SENT] = TOKEN_ACCEPTOR_SUBKEY;
    self->flags[TOKEN_RECEIVED] = TOKEN_ACCEPTOR_SUBKEY;
    self->flags[acceptor] |= TOKEN_BY_ACCEPTOR;
    self->sequence[TOKEN_SENT] = state->sequence[TOKEN_SENT];
    self->sequence[TOKEN_RECEIVED] = state->sequence[TOKEN_RECEIVED];
}

bool
channel_rfc4121_new(const struct channel_state *state, seal_new *engine,
                    struct channel **channel_out, struct error *err)
{
    struct channel_rfc4121 *self = calloc(1, sizeof *self);
    struct seal_secrets secrets;
    bool ok;

    if (self == NULL) {
        error_set(err, "cannot make a channel: out of memory");
        return false;
    }
    ok = derive_secrets(state, &secrets, err) &&
         engine(&secrets, &self->seal, err);
    OPENSSL_cleanse(&secrets, sizeof secrets);
    if (!ok) {
        free(self);
        return false;
    }
    fill_in(self, state);
    *channel_out = &self->channel;
    return true;
}
