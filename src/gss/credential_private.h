/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of src/gss share of a credential.  Two rules keep a dead KDC
 * from stopping others: mutex is never held across anything that may wait, and
 * a GSSAPI handle or krb5_context belongs to one thread at a time.
 */
#ifndef GSS_CREDENTIAL_PRIVATE_H
#define GSS_CREDENTIAL_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <gssapi/gssapi.h>
#include <krb5.h>

#include "base/error.h"
#include "gss/credential.h"
#include "gss/flight.h"
#include "gss/target.h"
#include "gss/tickets.h"

/* What one thread works with. */
struct worker {
    krb5_context context;    /* owned */
    gss_cred_id_t handle;    /* owned; made on first use */
    struct tickets *tickets; /* held: those that handle was made from */
};

struct credential {
    /* owned; immutable */
    bool initiator;
    char *keytab;       /* path; NULL with source */
    char *source;       /* initiator: credential cache that is copied */
    char *replay_path;  /* acceptor: a file, or NULL for none */
    char *replay_cache; /* the same as libkrb5 calls it */
    unsigned worker_count;
    struct worker *workers; /* each is its pool thread's alone */
    /* guarded by itself */
    struct flight renewal;
    /* guarded by mutex */
    pthread_mutex_t mutex;
    unsigned references;
    krb5_context context;
    krb5_principal client; /* set once: then it, and name, may be read freely */
    char *name;
    struct tickets *tickets; /* the newest, or NULL */
    struct target *targets;
};

/* The bare object. */
MUST_CHECK bool credential_new(bool initiator, unsigned workers,
                               struct credential **credential_out,
                               struct error *err);

/* The calling thread's worker: a slot in a pool thread, else spare.  Every
 * enter that succeeds is left with the same spare. */
MUST_CHECK bool worker_enter(struct credential *credential,
                             struct worker *spare, struct worker **worker_out,
                             struct error *err);
void worker_leave(struct credential *credential, struct worker *worker,
                  struct worker *spare);

/* GSSAPI handles, made on demand; they stay the worker's. */
MUST_CHECK bool worker_initiator_handle(struct credential *credential,
                                        struct worker *worker,
                                        struct tickets *tickets,
                                        struct error *err);
MUST_CHECK bool worker_acceptor_handle(struct credential *credential,
                                       struct worker *worker,
                                       struct error *err);

/* Can the acceptor's files be used?  Asked after a failure, because the library
 * does not tell which file it is about. */
MUST_CHECK bool acceptor_check_files(const struct credential *credential,
                                     const struct worker *worker,
                                     struct error *err);

/* The newest tickets, held, or NULL. */
struct tickets *credential_tickets(struct credential *credential);
void credential_drop_tickets(struct credential *credential,
                             krb5_context context, struct tickets *tickets);

/* The target called asked, held. */
MUST_CHECK bool credential_target(struct credential *credential,
                                  const char *asked, struct target **target_out,
                                  struct error *err);
void credential_drop_target(struct credential *credential,
                            struct target *target);

/* As credential_renew; force: although the tickets look good. */
MUST_CHECK bool credential_renew_now(struct credential *credential, bool force,
                                     struct error *err);

/* Gets the ticket for target; may wait for KDCs. */
MUST_CHECK bool credential_fetch(struct credential *credential,
                                 struct target *target, struct error *err);

/* The facts of a ticket that can be used now, without asking anybody; tickets
 * held on success. */
bool credential_find(struct credential *credential, struct worker *worker,
                     struct target *target, struct tickets **tickets_out,
                     struct ticket_facts *facts_out);

/* The server says that it cannot use the ticket: a new one is got at the next
 * occasion, at most once a minute, because anybody could say so. */
void credential_distrust(struct credential *credential, struct target *target);

#endif
