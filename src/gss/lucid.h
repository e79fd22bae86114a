/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys and numbers out of an established context.  Private to src/gss. */
#ifndef GSS_LUCID_H
#define GSS_LUCID_H

#include <stdbool.h>
#include <gssapi/gssapi.h>

#include "base/error.h"
#include "gss/channel_rfc4121.h"

/*
 * Takes a context that has not wrapped or unwrapped anything.  On success
 * *context is empty, and state_out is the caller's to wipe.  On failure the
 * context is as it was if the library could not export it, else empty.
 */
MUST_CHECK bool lucid_export(gss_ctx_id_t *context, bool initiator,
                             struct channel_state *state_out,
                             struct error *err);

#endif
