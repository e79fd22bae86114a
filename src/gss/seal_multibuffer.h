/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens by libipsec-mb, side by side: amd64 with AES instructions, where the
 * build has the library. */
#ifndef GSS_SEAL_MULTIBUFFER_H
#define GSS_SEAL_MULTIBUFFER_H

#include "gss/seal.h"

/* Code for which processors? */
enum multibuffer_form {
    MULTIBUFFER_BEST, /* for this one */
    MULTIBUFFER_SSE,
    MULTIBUFFER_AVX2,
    MULTIBUFFER_VAES, /* with VAES and SHA instructions */
    MULTIBUFFER_AVX512,
};

/* Says why it cannot be used, when it cannot. */
MUST_CHECK bool seal_multibuffer_check(struct error *err);

/* secrets are copied. */
MUST_CHECK bool seal_multibuffer_new(const struct seal_secrets *secrets,
                                     struct seal **seal_out, struct error *err);

/* What the calling thread seals from now on, it seals by code of that form.
 * False: the processor cannot, and nothing changed. */
bool seal_multibuffer_use(enum multibuffer_form form);

#endif
