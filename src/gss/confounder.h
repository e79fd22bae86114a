/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes for the front of tokens, fetched in bulk.  Private to src/gss. */
#ifndef GSS_CONFOUNDER_H
#define GSS_CONFOUNDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gss/rfc4121.h"

/* Each call gives other bytes; none is kept. */
MUST_CHECK bool confounder_take(uint8_t bytes[TOKEN_CONFOUNDER_SIZE],
                                struct error *err);

#endif
