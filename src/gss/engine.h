/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What seals records.  Every engine makes the same tokens, so that the two ends
 * need not agree.
 */
#ifndef GSS_ENGINE_H
#define GSS_ENGINE_H

#include <stdbool.h>

#include "base/error.h"

enum engine_choice {
    ENGINE_AUTO,        /* the fastest that there is */
    ENGINE_GSSAPI,      /* the Kerberos library's own calls */
    ENGINE_OPENSSL,     /* records one after the other, by libcrypto */
    ENGINE_MULTIBUFFER, /* records side by side, by libipsec-mb */
};

/* Can this build use it on this processor?  The others always can: a context
 * that cannot do without the library stays with its calls. */
MUST_CHECK bool engine_check(enum engine_choice choice, struct error *err);

#endif
