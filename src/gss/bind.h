/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A credential lent to another library's GSSAPI client (SASL's), as an opaque
 * handle over the credential's own cache: never an ambient one.
 */
#ifndef GSS_BIND_H
#define GSS_BIND_H

#include "base/error.h"
#include "gss/credential.h"

/*
 * Gets the ticket for SERVICE@HOST into the credential's cache, host as given.
 * The only call here that may wait for a KDC: runs in credential_lane.
 */
MUST_CHECK bool bind_ticket(struct credential *credential, const char *service,
                            const char *host, struct error *err);

/* The handle is a gss_cred_id_t of the caller's own, to be released before the
 * credential is. */
MUST_CHECK bool bind_handle_acquire(struct credential *credential,
                                    void **handle_out, struct error *err);
void bind_handle_release(void *handle); /* NULL is fine */

#endif
