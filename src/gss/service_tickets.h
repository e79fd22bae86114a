/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service tickets that were asked for in the last hour, carried over a
 * renewal.
 * Private to src/gss.
 */
#ifndef GSS_SERVICE_TICKETS_H
#define GSS_SERVICE_TICKETS_H

#include <krb5.h>

#include "gss/credential_private.h"

/* What is usable in from and missing in to. */
void service_tickets_copy(struct credential *credential, krb5_context context,
                          const struct tickets *from, struct tickets *to);

/* Gets each anew, or those only whose time has come.  What is here serves on
 * when that fails; err is about the last of them.  Forgets targets that nobody
 * needs any more. */
MUST_CHECK bool service_tickets_fetch(struct credential *credential,
                                      krb5_context context, bool all,
                                      struct error *err);

/* When the first of them is to be got anew, or before, whichever is earlier;
 * seconds since 1970.  The credential's mutex is held. */
int64_t service_tickets_due(const struct credential *credential,
                            int64_t before);

#endif
