/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By the library's own means, gss_krb5_export_lucid_sec_context: version 1 is
 * the only one there is, and CFX its name for RFC 4121.
 */
#include "gss/lucid.h"

#include <string.h>
#include <gssapi/gssapi_krb5.h>

#include "gss/reason.h"

enum {
    VERSION = 1,
    PROTOCOL_CFX = 1,
};

static bool
take(const gss_krb5_lucid_context_v1_t *lucid, bool initiator,
     struct channel_state *state, struct error *err)
{
    const gss_krb5_lucid_key_t *key = &lucid->cfx_kd.acceptor_subkey;

    if (lucid->protocol != PROTOCOL_CFX ||
        lucid->cfx_kd.have_acceptor_subkey == 0) {
        error_set(err, "cannot trust the peer: its context is without the "
                       "acceptor's subkey");
        return false;
    }
    state->profile = token_profile((int32_t)key->type);
    if ((lucid->initiate != 0) != initiator || state->profile == NULL ||
        key->length != state->profile->key_size) {
        error_set(err, "cannot use the context: the key that the Kerberos "
                       "library exported is not what was agreed");
        return false;
    }
    memcpy(state->key, key->data, key->length);
    state->initiator = initiator;
    state->sequence[TOKEN_SENT] = lucid->send_seq;
    state->sequence[TOKEN_RECEIVED] = lucid->recv_seq;
    return true;
}

bool
lucid_export(gss_ctx_id_t *context, bool initiator,
             struct channel_state *state_out, struct error *err)
{
    OM_uint32 major, minor, ignored;
    void *lucid = NULL;
    bool ok;

    major = gss_krb5_export_lucid_sec_context(&minor, context, VERSION, &lucid);
    if (major != GSS_S_COMPLETE) {
        reason_gss(err, REASON_CHANNEL, major, minor,
                   "cannot take the keys out of the context");
        return false;
    }
    ok = take(lucid, initiator, state_out, err);
    /* Wipes the keys. */
    gss_krb5_free_lucid_sec_context(&ignored, lucid);
    return ok;
}
