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
#include <krb5.h>

#include "base/error.h"
#include "gss/credential.h"
#include "gss/flight.h"
#include "gss/target.h"
#include "gss/tickets.h"
#include "gss/worker.h"

struct acceptor_keys;
struct ticket_clients;

struct credential {
    /* owned; immutable */
    bool initiator;
    char *keytab;        /* path; NULL with source */
    char *source;        /* initiator: credential cache that is copied */
    char *replay_path;   /* acceptor: a file, or NULL for none */
    char *replay_cache;  /* the same as libkrb5 calls it */
    char *service_class; /* acceptor: whose keys are tried first */
    unsigned worker_count;
    struct worker *workers; /* each is its pool thread's alone */
    /* guarded by themselves */
    struct ticket_clients *clients; /* owned; acceptor */
    struct flight renewal;
    /* guarded by mutex */
    pthread_mutex_t mutex;
    unsigned references;
    krb5_context context;
    krb5_principal client; /* set once: then it, and name, may be read freely */
    char *name;
    struct tickets *tickets; /* the newest, or NULL */
    struct target *targets;
    struct acceptor_keys *keys; /* the newest, or NULL */
};

/* The bare object. */
MUST_CHECK bool credential_new(bool initiator, unsigned workers,
                               struct credential **credential_out,
                               struct error *err);

/* After a failure, as the library does not tell which file it is about. */
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

/* Without service tickets; force: although the tickets look good. */
MUST_CHECK bool credential_renew_now(struct credential *credential, bool force,
                                     struct error *err);

/* Gets the ticket for target; may wait for KDCs. */
MUST_CHECK bool credential_fetch(struct credential *credential,
                                 struct target *target, struct error *err);

/* A ticket that can be used now, asking nobody; tickets are held on success. */
bool credential_find(struct credential *credential, struct worker *worker,
                     struct target *target, struct tickets **tickets_out,
                     struct ticket_facts *facts_out);

/* The server refused the ticket of that number (of struct ticket_facts): another
 * is got, at most once a minute.  True: it was not young, and the next use is of
 * another. */
bool credential_distrust(struct credential *credential, struct target *target,
                         unsigned long number);

#endif
