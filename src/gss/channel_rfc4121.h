/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel that makes and opens RFC 4121's tokens itself, with keys taken out
 * of a context and an engine for the cryptography.  Private to src/gss.
 */
#ifndef GSS_CHANNEL_RFC4121_H
#define GSS_CHANNEL_RFC4121_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gss/channel.h"
#include "gss/seal.h"

/* What an established context consists of, once it can do without GSSAPI. */
struct channel_state {
    const struct token_profile *profile;
    bool initiator;             /* which end we are */
    uint8_t key[TOKEN_KEY_MAX]; /* the acceptor's subkey */
    uint64_t sequence[2];       /* the next, by enum token_sense */
};

/* An engine: makes its part of a channel. */
typedef bool seal_new(const struct seal_secrets *secrets,
                      struct seal **seal_out, struct error *err);

/* state is copied; the caller wipes its own. */
MUST_CHECK bool channel_rfc4121_new(const struct channel_state *state,
                                    seal_new *engine,
                                    struct channel **channel_out,
                                    struct error *err);

#endif
