/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What initiator and acceptor credentials have in common: references, and a
 * worker for each pool thread.
 */
#include "gss/credential.h"

#include <stdlib.h>

#include "gss/acceptor_keys.h"
#include "gss/credential_private.h"
#include "gss/reason.h"
#include "gss/ticket_clients.h"

bool
credential_new(bool initiator, unsigned workers,
               struct credential **credential_out, struct error *err)
{
    struct credential *credential = calloc(1, sizeof *credential);
    krb5_error_code code;

    if (credential != NULL)
        credential->workers = calloc(workers, sizeof *credential->workers);
    if (credential == NULL || (credential->workers == NULL && workers > 0)) {
        free(credential);
        error_set(err, "cannot keep a credential: out of memory");
        return false;
    }
    code = krb5_init_context(&credential->context);
    if (code != 0) {
        reason_krb5(err, REASON_KEYTAB, NULL, code,
                    "cannot begin to use Kerberos (is krb5.conf sound?)");
        free(credential->workers);
        free(credential);
        return false;
    }
    credential->initiator = initiator;
    credential->worker_count = workers;
    credential->references = 1;
    pthread_mutex_init(&credential->mutex, NULL);
    flight_init(&credential->renewal);
    *credential_out = credential;
    return true;
}

static void
credential_free(struct credential *credential)
{
    krb5_context context = credential->context;

    for (unsigned i = 0; i < credential->worker_count; i++)
        worker_clear(credential, &credential->workers[i]);
    free(credential->workers);
    while (credential->targets != NULL) {
        struct target *next = credential->targets->next;

        target_free(context, credential->targets);
        credential->targets = next;
    }
    tickets_free(context, credential->tickets);
    acceptor_keys_free(context, credential->keys);
    krb5_free_principal(context, credential->client);
    krb5_free_context(context);
    flight_clear(&credential->renewal);
    pthread_mutex_destroy(&credential->mutex);
    free(credential->keytab);
    free(credential->source);
    free(credential->replay_path);
    free(credential->replay_cache);
    free(credential->service_class);
    ticket_clients_free(credential->clients);
    free(credential->name);
    free(credential);
}

struct credential *
credential_hold(struct credential *credential)
{
    pthread_mutex_lock(&credential->mutex);
    credential->references++;
    pthread_mutex_unlock(&credential->mutex);
    return credential;
}

void
credential_release(struct credential *credential)
{
    if (credential == NULL)
        return;
    pthread_mutex_lock(&credential->mutex);
    bool last = --credential->references == 0;
    pthread_mutex_unlock(&credential->mutex);
    if (last)
        credential_free(credential);
}

const char *
credential_name(const struct credential *credential)
{
    struct credential *writable = (struct credential *)credential;

    /* Whoever sees it set may go on using it: it is set once. */
    pthread_mutex_lock(&writable->mutex);
    const char *name = credential->name;
    pthread_mutex_unlock(&writable->mutex);
    return name != NULL ? name : "";
}
