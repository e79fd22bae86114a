/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one thread works with: a krb5_context and a GSSAPI handle, neither of
 * which two threads may use at once.  The library holds a handle's lock through
 * everything it does with it, KDC exchanges included.  Private to src/gss.
 */
#ifndef GSS_WORKER_H
#define GSS_WORKER_H

#include <stdbool.h>
#include <gssapi/gssapi.h>
#include <krb5.h>

#include "base/error.h"

struct acceptor_keys;
struct credential;
struct tickets;

struct worker {
    krb5_context context;       /* owned */
    int clock_skew;             /* seconds that libkrb5 forgives */
    gss_cred_id_t handle;       /* owned; made on first use */
    struct tickets *tickets;    /* held: those that handle was made from */
    struct acceptor_keys *keys; /* the same, at an acceptor */
};

/* The calling thread's worker: a slot of credential in a pool thread, else
 * spare.  Every enter that succeeds is left with the same spare. */
MUST_CHECK bool worker_enter(struct credential *credential,
                             struct worker *spare, struct worker **worker_out,
                             struct error *err);
void worker_leave(struct credential *credential, struct worker *worker,
                  struct worker *spare);
void worker_clear(struct credential *credential, struct worker *worker);

/*
 * Sees to it that worker has a handle: on these tickets, or on the keytab as it
 * is now and the replay cache.  Everything that the library would else take from
 * the environment is given to it.
 */
MUST_CHECK bool worker_initiator_handle(struct credential *credential,
                                        struct worker *worker,
                                        struct tickets *tickets,
                                        struct error *err);
MUST_CHECK bool worker_acceptor_handle(struct credential *credential,
                                       struct worker *worker,
                                       struct error *err);

#endif
