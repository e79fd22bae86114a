/* SPDX-License-Identifier: BSD-2-Clause */
/* From an established context to a channel.  Private to src/gss. */
#ifndef GSS_ENGINE_PRIVATE_H
#define GSS_ENGINE_PRIVATE_H

#include <stdbool.h>
#include <gssapi/gssapi.h>

#include "base/error.h"
#include "gss/channel.h"
#include "gss/engine.h"

/* Right after establishment, before anything was wrapped or unwrapped.  Takes
 * the context over and empties *context; on failure it may be empty, too. */
MUST_CHECK bool engine_open(gss_ctx_id_t *context, bool initiator,
                            enum engine_choice choice,
                            struct channel **channel_out, struct error *err);

#endif
