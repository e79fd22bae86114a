/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks without which there is no channel; docs/protocol.md section 3.
 * Each is made here for both roles, whatever the library may have promised.
 */
#include "gss/establishment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "gss/enctype.h"
#include "gss/engine_private.h"
#include "gss/reason.h"

bool
establishment_new(const struct context_ops *ops, struct credential *credential,
                  struct establishment **establishment_out, struct error *err)
{
    struct establishment *establishment = calloc(1, sizeof *establishment);

    if (establishment == NULL) {
        error_set(err, "cannot begin to authenticate: out of memory");
        return false;
    }
    establishment->context.ops = ops;
    establishment->credential = credential_hold(credential);
    *establishment_out = establishment;
    return true;
}

void
establishment_free(struct context *context)
{
    struct establishment *establishment = (struct establishment *)context;
    OM_uint32 ignored;

    gss_delete_sec_context(&ignored, &establishment->gss, GSS_C_NO_BUFFER);
    channel_free(establishment->channel);
    principal_clear(&establishment->peer.principal);
    free(establishment->peer.display);
    free(establishment->asked);
    credential_drop_target(establishment->credential, establishment->target);
    credential_release(establishment->credential);
    free(establishment);
}

const struct context_peer *
establishment_peer(const struct context *context)
{
    const struct establishment *establishment =
        (const struct establishment *)context;

    assert(establishment->state == ESTABLISHMENT_DONE);
    return &establishment->peer;
}

struct channel *
establishment_channel(struct context *context)
{
    struct establishment *establishment = (struct establishment *)context;
    struct channel *channel = establishment->channel;

    assert(establishment->state == ESTABLISHMENT_DONE && channel != NULL);
    establishment->channel = NULL;
    return channel;
}

bool
establishment_give_token(const gss_buffer_desc *token,
                         struct context_output *out)
{
    if (token->length == 0)
        return true;
    out->token = malloc(token->length);
    if (out->token == NULL) {
        error_set(&out->error, "cannot authenticate: out of memory");
        return false;
    }
    memcpy(out->token, token->value, token->length);
    out->token_size = token->length;
    return true;
}

bool
establishment_check_enctype(int32_t enctype, const char *whose,
                            const char **name_out, struct error *err)
{
    char name[ENCTYPE_NAME_SIZE];

    *name_out = enctype_aes_name(enctype);
    if (*name_out != NULL)
        return true;
    enctype_describe(enctype, name);
    error_set(err,
              "cannot use %s: it is of type %s, only AES is allowed; give the "
              "service's account AES keys (msDS-SupportedEncryptionTypes 24), "
              "export its keytab and get new tickets",
              whose, name);
    return false;
}

static const struct {
    OM_uint32 flag;
    const char *text;
} required[] = {
    {GSS_C_MUTUAL_FLAG, "mutual authentication"},
    {GSS_C_REPLAY_FLAG, "replay detection"},
    {GSS_C_SEQUENCE_FLAG, "sequence detection"},
    {GSS_C_CONF_FLAG, "confidentiality"},
    {GSS_C_INTEG_FLAG, "integrity"},
};

static bool
check_flags(OM_uint32 flags, struct error *err)
{
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if ((flags & required[i].flag) == 0) {
            error_set(err, "cannot trust the peer: its context is without %s",
                      required[i].text);
            return false;
        }
    }
    if ((flags & (GSS_C_ANON_FLAG | GSS_C_DCE_STYLE)) != 0) {
        error_set(err, "cannot trust the peer: its context is %s",
                  (flags & GSS_C_ANON_FLAG) != 0 ? "anonymous"
                                                 : "of DCE's three-leg kind");
        return false;
    }
    return true;
}

/*
 * The type of the key that records are made with.  The library tells it as the
 * last arc of an object identifier, behind the key itself, which is wiped.
 */
static bool
key_enctype(gss_ctx_id_t context, int32_t *enctype_out, struct error *err)
{
    gss_buffer_set_t answer = GSS_C_NO_BUFFER_SET;
    OM_uint32 major, minor;
    int32_t enctype = 0;
    size_t at;

    major = gss_inquire_sec_context_by_oid(&minor, context,
                                           GSS_C_INQ_SSPI_SESSION_KEY, &answer);
    if (major != GSS_S_COMPLETE || answer->count != 2) {
        reason_gss(err, REASON_CHANNEL, major, minor,
                   "cannot learn the encryption type of the session");
        gss_release_buffer_set(&minor, &answer);
        return false;
    }
    explicit_bzero(answer->elements[0].value, answer->elements[0].length);

    /* Seven bits a byte, the high bit in all but the last. */
    const uint8_t *oid = answer->elements[1].value;
    for (at = answer->elements[1].length; at > 1; at--) {
        if (oid[at - 2] < 0x80)
            break;
    }
    for (at = at > 0 ? at - 1 : 0; at < answer->elements[1].length; at++)
        enctype = (int32_t)((uint32_t)enctype << 7 | (oid[at] & 0x7fU));
    gss_release_buffer_set(&minor, &answer);
    *enctype_out = enctype;
    return true;
}

static bool
take_peer(struct establishment *establishment, const char *peer,
          struct error *err)
{
    struct principal *principal = &establishment->peer.principal;

    if (!principal_parse(peer, principal, err))
        return false;
    if (principal->count == 2 &&
        strcasecmp(principal->components[0], "WELLKNOWN") == 0 &&
        strcasecmp(principal->components[1], "ANONYMOUS") == 0) {
        error_set(err, "cannot trust the peer: it is anonymous");
        return false;
    }
    establishment->peer.display = strdup(peer);
    if (establishment->peer.display == NULL) {
        error_set(err, "cannot authenticate: out of memory");
        return false;
    }
    return true;
}

bool
establishment_finish(struct establishment *establishment, OM_uint32 flags,
                     const char *peer, struct error *err)
{
    int32_t enctype;

    return check_flags(flags, err) &&
           key_enctype(establishment->gss, &enctype, err) &&
           establishment_check_enctype(enctype, "the session key",
                                       &establishment->peer.enctype, err) &&
           take_peer(establishment, peer, err) &&
           engine_open(
               &establishment->gss, establishment->credential->initiator,
               establishment->context.engine, &establishment->channel, err);
}
