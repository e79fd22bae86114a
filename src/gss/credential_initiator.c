/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An initiator's credential: where its tickets come from and when they are got
 * again.  A renewal makes a new generation beside the old one, which serves
 * until the moment the new one takes its place.
 */
#include "gss/credential.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gss/credential_private.h"
#include "gss/reason.h"
#include "gss/service_tickets.h"

enum {
    /* Somebody else's cache is looked at this often. */
    SOURCE_CHECK_SECONDS = 60,
};

static bool
set_client(struct credential *credential, krb5_const_principal client,
           struct error *err)
{
    krb5_context context = credential->context;
    char *text = NULL;

    if (krb5_copy_principal(context, client, &credential->client) == 0 &&
        krb5_unparse_name(context, client, &text) == 0) {
        credential->name = strdup(text);
        krb5_free_unparsed_name(context, text);
    }
    if (credential->name != NULL)
        return true;
    krb5_free_principal(context, credential->client);
    credential->client = NULL;
    error_set(err, "cannot keep a credential: out of memory");
    return false;
}

/* Parses the principal and sees that the keytab has a key of it. */
static bool
check_client_keytab(struct credential *credential, const char *principal,
                    struct error *err)
{
    krb5_context context = credential->context;
    krb5_principal client = NULL;
    krb5_keytab keytab = NULL;
    krb5_keytab_entry entry;
    krb5_error_code code;
    bool ok = false;

    code = krb5_parse_name(context, principal, &client);
    if (code != 0) {
        reason_krb5(err, REASON_TGT, context, code, "cannot use principal %s",
                    principal);
        return false;
    }
    code = krb5_kt_resolve(context, credential->keytab, &keytab);
    if (code == 0)
        code = krb5_kt_get_entry(context, keytab, client, 0, 0, &entry);
    if (code == 0)
        krb5_kt_free_entry(context, &entry);
    else
        reason_krb5(err, REASON_KEYTAB, context, code,
                    "cannot use keytab %s for %s", credential->keytab,
                    principal);
    if (code == 0)
        ok = set_client(credential, client, err);
    if (keytab != NULL)
        krb5_kt_close(context, keytab);
    krb5_free_principal(context, client);
    return ok;
}

bool
credential_new_initiator(const struct initiator_settings *set, unsigned workers,
                         struct credential **credential_out, struct error *err)
{
    struct credential *credential;
    bool ok;

    assert((set->keytab == NULL) != (set->ccache == NULL));
    if (!credential_new(true, workers, &credential, err))
        return false;
    if (set->keytab != NULL)
        ok = (credential->keytab = strdup(set->keytab)) != NULL;
    else
        ok = (credential->source = strdup(set->ccache)) != NULL;
    if (!ok)
        error_set(err, "cannot keep a credential: out of memory");
    else if (set->keytab != NULL)
        ok = check_client_keytab(credential, set->principal, err);
    if (!ok) {
        credential_release(credential);
        return false;
    }
    *credential_out = credential;
    return true;
}

void
credential_learn_name(struct credential *credential)
{
    struct error ignored;

    if (credential->source != NULL && credential_name(credential)[0] == '\0')
        (void)!credential_renew_now(credential, false, &ignored);
}

struct tickets *
credential_tickets(struct credential *credential)
{
    pthread_mutex_lock(&credential->mutex);
    struct tickets *tickets = credential->tickets;

    if (tickets != NULL)
        tickets->references++;
    pthread_mutex_unlock(&credential->mutex);
    return tickets;
}

void
credential_drop_tickets(struct credential *credential, krb5_context context,
                        struct tickets *tickets)
{
    if (tickets == NULL)
        return;
    pthread_mutex_lock(&credential->mutex);
    bool last = --tickets->references == 0;
    pthread_mutex_unlock(&credential->mutex);
    if (last)
        tickets_free(context, tickets);
}

/* fresh, which is given away, takes the place of the newest tickets. */
static bool
publish(struct credential *credential, krb5_context context,
        struct tickets *fresh, struct error *err)
{
    struct tickets *old;
    bool ok = true;

    pthread_mutex_lock(&credential->mutex);
    if (credential->client == NULL)
        ok = set_client(credential, fresh->client, err);
    old = ok ? credential->tickets : NULL;
    if (ok) {
        fresh->references = 1;
        credential->tickets = fresh;
    }
    pthread_mutex_unlock(&credential->mutex);
    if (!ok)
        tickets_free(context, fresh);
    credential_drop_tickets(credential, context, old);
    return ok;
}

/*
 * Service tickets are carried over twice: before the new generation is seen, so
 * that nobody has to wait for a ticket that was there, and after, for those
 * that were fetched into the old one meanwhile.
 */
static bool
replace(struct credential *credential, krb5_context context,
        const struct tickets *old, struct tickets *fresh, struct error *err)
{
    if (old != NULL)
        service_tickets_copy(credential, context, old, fresh);
    if (!publish(credential, context, fresh, err))
        return false;
    if (old != NULL)
        service_tickets_copy(credential, context, old, fresh);
    return true;
}

static bool
renew_with_keytab(struct credential *credential, krb5_context context,
                  const struct tickets *old, bool force, struct error *err)
{
    struct tickets *fresh;

    if (!force && old != NULL && tickets_can_ask(old) &&
        (int64_t)time(NULL) < old->renew_at)
        return true;
    return tickets_from_keytab(context, credential->client, credential->keytab,
                               &fresh, err) &&
           replace(credential, context, old, fresh, err);
}

/* Are these the tickets that we copied the last time? */
static bool
is_unchanged(const struct tickets *old, const struct tickets *fresh)
{
    return old != NULL && old->tgt_end != 0 && old->tgt_end == fresh->tgt_end &&
           old->tgt_start == fresh->tgt_start;
}

static bool
renew_from_source(struct credential *credential, krb5_context context,
                  const struct tickets *old, struct error *err)
{
    struct tickets *fresh;

    if (!tickets_from_cache(context, credential->source, &fresh, err))
        return false;
    if (credential->client != NULL &&
        !krb5_principal_compare(context, credential->client, fresh->client)) {
        error_set(err,
                  "cannot use credential cache %s: it now belongs to %s, "
                  "before it was %s; restart to use it",
                  credential->source, fresh->client_text, credential->name);
    } else if (fresh->tgt_end != 0 && !tickets_can_ask(fresh)) {
        error_set(err,
                  "cannot use credential cache %s: the tickets of %s have "
                  "expired; run kinit for it",
                  credential->source, fresh->client_text);
    } else if (is_unchanged(old, fresh)) {
        tickets_free(context, fresh);
        return true;
    } else {
        return replace(credential, context, old, fresh, err);
    }
    tickets_free(context, fresh);
    return false;
}

bool
credential_renew_now(struct credential *credential, bool force,
                     struct error *err)
{
    struct error why = {.text = ""};
    struct worker spare, *worker;
    struct tickets *old;
    bool ok = false;

    if (!flight_lead(&credential->renewal, &ok, err))
        return ok;
    if (worker_enter(credential, &spare, &worker, &why)) {
        old = credential_tickets(credential);
        if (credential->keytab != NULL)
            ok = renew_with_keytab(credential, worker->context, old, force,
                                   &why);
        else
            ok = renew_from_source(credential, worker->context, old, &why);
        credential_drop_tickets(credential, worker->context, old);
        worker_leave(credential, worker, &spare);
    }
    flight_land(&credential->renewal, ok, &why);
    if (!ok)
        error_copy(err, &why);
    return ok;
}

/* The service tickets come last and outside of the flight: whoever waits for
 * the ticket-granting ticket does not wait for them. */
bool
credential_renew(struct credential *credential, struct error *err)
{
    struct worker spare, *worker;
    struct tickets *before, *after;

    if (!worker_enter(credential, &spare, &worker, err))
        return false;
    before = credential_tickets(credential);
    bool ok = credential_renew_now(credential, false, err);
    after = credential_tickets(credential);
    if (ok)
        ok = service_tickets_fetch(credential, worker->context, after != before,
                                   err);
    credential_drop_tickets(credential, worker->context, before);
    credential_drop_tickets(credential, worker->context, after);
    worker_leave(credential, worker, &spare);
    return ok;
}

void
credential_lane(const struct credential *credential, char *lane, size_t size)
{
    static const krb5_data unknown = {.length = 0, .data = NULL};
    bool known = credential_name(credential)[0] != '\0';

    lane_of_realm(known ? &credential->client->realm : &unknown, lane, size);
}

int64_t
credential_expires(struct credential *credential)
{
    pthread_mutex_lock(&credential->mutex);
    const struct tickets *tickets = credential->tickets;
    int64_t end = tickets != NULL ? tickets->tgt_end : 0;
    pthread_mutex_unlock(&credential->mutex);
    return end;
}

int64_t
credential_renew_in(struct credential *credential)
{
    int64_t now = (int64_t)time(NULL), due = 0;

    pthread_mutex_lock(&credential->mutex);
    const struct tickets *tickets = credential->tickets;
    if (tickets != NULL)
        due = service_tickets_due(credential, credential->keytab != NULL
                                                  ? tickets->renew_at
                                                  : now + SOURCE_CHECK_SECONDS);
    pthread_mutex_unlock(&credential->mutex);
    return due > now ? due - now : 0;
}
