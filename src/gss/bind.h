/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A credential lent to another library's GSSAPI client (SASL's): the ticket is
 * got first, in its lane, then an opaque handle is lent for as long as it
 * authenticates.  Never anything ambient.
 */
#ifndef GSS_BIND_H
#define GSS_BIND_H

#include "base/error.h"
#include "gss/credential.h"

/*
 * Gets the ticket for SERVICE/HOST into the credential's cache, host as given.
 * The only call here that may wait for a KDC: runs in credential_lane.
 */
MUST_CHECK bool bind_ticket(struct credential *credential, const char *service,
                            const char *host, struct error *err);

struct bind_lease;

/* Taken, used and returned by one thread within one job. */
MUST_CHECK bool bind_lease_take(struct credential *credential,
                                struct bind_lease **lease_out,
                                struct error *err);
/* A gss_cred_id_t, valid until the lease is returned. */
void *bind_lease_handle(const struct bind_lease *lease);
void bind_lease_return(struct bind_lease *lease); /* NULL is fine */

#endif
