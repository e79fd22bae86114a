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

/* Gets each anew; a failure is not one yet, because what was copied still
 * serves.  Forgets targets that nobody needs any more. */
void service_tickets_fetch(struct credential *credential, krb5_context context);

#endif
