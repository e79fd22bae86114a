/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the krb5 implementations of struct context have in common: the object,
 * and the checks at the end.  Private to src/gss.
 */
#ifndef GSS_ESTABLISHMENT_H
#define GSS_ESTABLISHMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <gssapi/gssapi.h>

#include "gss/context.h"
#include "gss/credential_private.h"

enum establishment_state {
    ESTABLISHMENT_NEW,
    ESTABLISHMENT_ASKED, /* initiator: the AP-REQ is out */
    ESTABLISHMENT_DONE,
    ESTABLISHMENT_FAILED,
};

struct establishment {
    struct context context; /* first */
    /* owned */
    struct credential *credential; /* held */
    struct target *target;         /* held; initiator */
    char *asked;                   /* its name, while it is not known yet */
    gss_ctx_id_t gss;
    struct channel *channel; /* once done */
    struct context_peer peer;
    /* plain */
    enum establishment_state state;
    bool fetched; /* initiator: a ticket was got for this very context */
    /* initiator: of the ticket in use */
    unsigned long ticket_number;
    char realm[TICKET_REALM_SIZE];
};

/* What must have been agreed on, each of them. */
#define ESTABLISHMENT_FLAGS                                                    \
    (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |             \
     GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG)

MUST_CHECK bool establishment_new(const struct context_ops *ops,
                                  struct credential *credential,
                                  struct establishment **establishment_out,
                                  struct error *err);
void establishment_free(struct context *context);
const struct context_peer *establishment_peer(const struct context *context);
struct channel *establishment_channel(struct context *context);

/*
 * The GSS context is complete: checks flags, the enctype of its key and the
 * peer's name (display form), and makes the channel.
 */
MUST_CHECK bool establishment_finish(struct establishment *establishment,
                                     OM_uint32 flags, const char *peer,
                                     struct error *err);

/* Refuses what is not AES; whose: "the ticket for X", "the session key". */
MUST_CHECK bool establishment_check_enctype(int32_t enctype, const char *whose,
                                            const char **name_out,
                                            struct error *err);

/* Copies a token of the library into out. */
MUST_CHECK bool establishment_give_token(const gss_buffer_desc *token,
                                         struct context_output *out);

#endif
