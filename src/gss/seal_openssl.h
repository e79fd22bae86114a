/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens by OpenSSL, one after the other, on any processor. */
#ifndef GSS_SEAL_OPENSSL_H
#define GSS_SEAL_OPENSSL_H

#include "gss/seal.h"

/* Has this OpenSSL what is needed, with the providers that it loads?  Says why
 * not, else. */
MUST_CHECK bool seal_openssl_check(struct error *err);

/* secrets are copied. */
MUST_CHECK bool seal_openssl_new(const struct seal_secrets *secrets,
                                 struct seal **seal_out, struct error *err);

#endif
