/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The choice of the engine.  What was wished for and is not there was refused
 * when the configuration was read; here it gives way to the next best.
 */
#include "gss/engine_private.h"

#include <openssl/crypto.h>

#include "gss/channel_gssapi.h"
#include "gss/channel_rfc4121.h"
#include "gss/lucid.h"
#include "gss/seal_multibuffer.h"
#include "gss/seal_openssl.h"

bool
engine_check(enum engine_choice choice, struct error *err)
{
    switch (choice) {
    case ENGINE_AUTO:
    case ENGINE_GSSAPI:
        break;
    case ENGINE_OPENSSL:
        return seal_openssl_check(err);
    case ENGINE_MULTIBUFFER:
        return seal_openssl_check(err) && seal_multibuffer_check(err);
    }
    return true;
}

/* NULL: the library's own calls. */
static seal_new *
choose(enum engine_choice choice)
{
    if (choice == ENGINE_GSSAPI || !engine_check(ENGINE_OPENSSL, NULL))
        return NULL;
    if (choice == ENGINE_OPENSSL || !engine_check(ENGINE_MULTIBUFFER, NULL))
        return seal_openssl_new;
    return seal_multibuffer_new;
}

bool
engine_open(gss_ctx_id_t *context, bool initiator, enum engine_choice choice,
            struct channel **channel_out, struct error *err)
{
    seal_new *engine = choose(choice);
    struct channel_state state;
    bool ok = false;

    if (engine != NULL && lucid_export(context, initiator, &state, err))
        ok = channel_rfc4121_new(&state, engine, channel_out, err);
    else if (*context != GSS_C_NO_CONTEXT)
        ok = channel_gssapi_new(context, initiator, channel_out, err);
    OPENSSL_cleanse(&state, sizeof state);
    return ok;
}
