/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side of an establishment, token by token, and the checks without which
 * no channel is made (docs/protocol.md section 3).  The handshake sees only
 * struct context and its ops, so that tests bring their own.  step and fetch
 * run in a pool thread, one at a time.
 */
#ifndef GSS_CONTEXT_H
#define GSS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pool.h"
#include "gss/access.h"
#include "gss/channel.h"
#include "gss/credential.h"
#include "gss/engine.h"

enum context_status {
    CONTEXT_DONE,        /* established and checked; token to send may be set */
    CONTEXT_CONTINUE,    /* send token, step again with the answer */
    CONTEXT_NEED_TICKET, /* initiator: run fetch in the context's lane, then
                            step again with the same input */
    CONTEXT_FAILED,      /* error says why; token, if set, tells the peer */
};

struct context_output {
    uint8_t *token; /* owned by the caller: free() */
    size_t token_size;
    struct error error;
    bool stale; /* initiator, FAILED: the server refuses the ticket, and another
                   is to be had: a context anew may do */
};

/* Who the other side proved to be; owned by the context. */
struct context_peer {
    struct principal principal;
    char *display;              /* raw: sanitise */
    const char *enctype;        /* of the context, "aes256-cts-hmac-sha1-96" */
    const char *ticket_enctype; /* of the ticket */
    int64_t endtime; /* since 1970, 0 unknown; acceptor: plus clock skew */
};

struct context {
    const struct context_ops *ops;
    char lane[LANE_NAME_SIZE]; /* where fetch belongs: one per KDC realm */
    enum engine_choice engine; /* wished for; set before the first step */
};

struct context_ops {
    /* token is NULL for the initiator's first step. Never waits for a KDC. */
    enum context_status (*step)(struct context *context, const uint8_t *token,
                                size_t token_size, struct context_output *out);
    /* Initiator: gets the service ticket; may wait for a KDC for half a minute. */
    bool (*fetch)(struct context *context, struct error *err);
    /* After DONE; valid as long as the context. */
    const struct context_peer *(*peer)(const struct context *context);
    /* After DONE, once; never NULL.  The channel outlives this object. */
    struct channel *(*channel)(struct context *context);
    void (*free)(struct context *context);
};

/*
 * The krb5 implementations.  They hold a reference on credential.  target is a
 * principal name (CLASS/HOST..., backslash escapes, @REALM optional), imported
 * without canonicalisation.
 */
MUST_CHECK struct context *context_new_initiator(struct credential *credential,
                                                 const char *target,
                                                 struct error *err);
MUST_CHECK struct context *context_new_acceptor(struct credential *credential,
                                                struct error *err);

static inline void
context_free(struct context *context)
{
    if (context != NULL)
        context->ops->free(context);
}

#endif
