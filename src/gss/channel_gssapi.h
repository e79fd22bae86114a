/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine that is always there: GSSAPI's own calls.  Private to src/gss. */
#ifndef GSS_CHANNEL_GSSAPI_H
#define GSS_CHANNEL_GSSAPI_H

#include <stdbool.h>
#include <gssapi/gssapi.h>

#include "base/error.h"
#include "gss/channel.h"

/* Takes an established krb5 context over and empties *context; on failure it
 * stays the caller's.  initiator: which end of it we are. */
MUST_CHECK bool channel_gssapi_new(gss_ctx_id_t *context, bool initiator,
                                   struct channel **channel_out,
                                   struct error *err);

#endif
