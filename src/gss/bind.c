/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lends the handle of the calling thread's worker.  Nobody else uses it
 * meanwhile, because the worker belongs to the thread and a job is not
 * interrupted by another.
 */
#include "gss/bind.h"

#include <stdio.h>
#include <stdlib.h>

#include "gss/credential_private.h"

enum {
    TARGET_SIZE = 300
};

struct bind_lease {
    /* owned */
    struct credential *credential;
    struct tickets *tickets;
    struct worker spare;
    /* borrowed: spare or the pool thread's */
    struct worker *worker;
};

bool
bind_ticket(struct credential *credential, const char *service,
            const char *host, struct error *err)
{
    char asked[TARGET_SIZE];
    struct target *target;

    int length = snprintf(asked, sizeof asked, "%s/%s", service, host);
    if (length < 0 || (size_t)length >= sizeof asked) {
        error_set(err,
                  "cannot get a ticket for %s at %.64s...: the host name "
                  "is too long",
                  service, host);
        return false;
    }
    if (!credential_target(credential, asked, &target, err))
        return false;
    bool ok = credential_fetch(credential, target, err);
    credential_drop_target(credential, target);
    return ok;
}

bool
bind_lease_take(struct credential *credential, struct bind_lease **lease_out,
                struct error *err)
{
    struct bind_lease *lease = calloc(1, sizeof *lease);

    if (lease == NULL) {
        error_set(err, "cannot lend a credential: out of memory");
        return false;
    }
    lease->credential = credential_hold(credential);
    lease->tickets = credential_tickets(credential);
    if (lease->tickets == NULL) {
        error_set(err, "cannot authenticate as %s: there is no ticket yet",
                  credential_name(credential));
    } else if (worker_enter(credential, &lease->spare, &lease->worker, err) &&
               worker_initiator_handle(credential, lease->worker,
                                       lease->tickets, err)) {
        *lease_out = lease;
        return true;
    }
    bind_lease_return(lease);
    return false;
}

void *
bind_lease_handle(const struct bind_lease *lease)
{
    return lease->worker->handle;
}

void
bind_lease_return(struct bind_lease *lease)
{
    if (lease == NULL)
        return;
    if (lease->worker != NULL) {
        credential_drop_tickets(lease->credential, lease->worker->context,
                                lease->tickets);
        worker_leave(lease->credential, lease->worker, &lease->spare);
    }
    credential_release(lease->credential);
    free(lease);
}
