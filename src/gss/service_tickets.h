/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service tickets that were asked for lately, carried over a renewal.
 * Private to src/gss.
 */
#ifndef GSS_SERVICE_TICKETS_H
#define GSS_SERVICE_TICKETS_H

#include <stddef.h>
#include <krb5.h>

#include "gss/credential_private.h"

struct service_tickets {
    struct target **targets; /* owned array of held targets */
    size_t count;
};

/* Those of the last hour; targets that nobody needs any more are forgotten. */
void service_tickets_list(struct credential *credential,
                          struct service_tickets *services_out);
void service_tickets_clear(struct service_tickets *services,
                           struct credential *credential);

/* What is usable in from, so that nobody waits while new ones are got. */
void service_tickets_copy(const struct service_tickets *services,
                          krb5_context context, const struct tickets *from,
                          struct tickets *to);

/* Gets each anew.  A failure is not one yet: what was copied still serves. */
void service_tickets_fetch(const struct service_tickets *services,
                           struct credential *credential, krb5_context context);

#endif
