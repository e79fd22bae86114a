/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An established context as a machine for arrays of records: seal and unseal,
 * in place, many at a time, so that an engine may work on them in parallel.
 * No sockets.  A channel is used by one thread at a time.
 *
 * Tokens are RFC 4121 section 4.2.4 with RRC 0 as sent (any RRC is taken).
 */
#ifndef GSS_CHANNEL_H
#define GSS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What a token puts around its plaintext; constant for one context. */
struct token_shape {
    size_t header;
    size_t trailer;
};

/*
 * In: the plaintext lies at token + shape.header, with room for the trailer
 * behind it.  Out: the token is [token, token + header + plain_size + trailer).
 */
struct seal_record {
    uint8_t *token;
    size_t plain_size;
};

/* In: token, token_size.  Out: plain (inside the token), plain_size and whether
 * it was encrypted. */
struct unseal_record {
    uint8_t *token;
    size_t token_size;
    uint8_t *plain;
    size_t plain_size;
    bool confidential;
};

struct channel {
    const struct channel_ops *ops;
};

struct channel_ops {
    const char *engine; /* "gssapi", ... */
    size_t batch_max;   /* bytes of records worth giving it at once */
    size_t lanes;       /* records it works on side by side; 0 or 1: none */
    void (*shape)(const struct channel *channel, bool confidential,
                  struct token_shape *shape_out);
    /* All or nothing; after a failure the channel is dead. */
    bool (*seal)(struct channel *channel, bool confidential,
                 struct seal_record *records, size_t count, struct error *err);
    /*
     * How many records, from the first on, verified in order.  Fewer than count:
     * err says why, the records before the bad one may be used, none after, and
     * the channel is dead.  Duplicate, old, out-of-sequence and missing tokens,
     * a token without the acceptor's subkey and one that we made are bad.
     */
    size_t (*unseal)(struct channel *channel, struct unseal_record *records,
                     size_t count, struct error *err);
    void (*free)(struct channel *channel); /* wipes what it holds */
};

static inline void
channel_free(struct channel *channel)
{
    if (channel != NULL)
        channel->ops->free(channel);
}

#endif
