/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The targets of a credential and their tickets.  The list is short (one entry
 * a service that is dialled) and guarded by the credential's mutex, which is
 * never held while a KDC is asked.
 */
#include "gss/service_tickets.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"

enum {
    REMEMBERED_MS = 3600 * 1000,
    DISTRUST_MS = 60 * 1000,
    /* A ticket that is younger is refused for another reason than its age. */
    YOUNG_MS = 60 * 1000,
};

static struct target *
find_target(struct credential *credential, const char *asked)
{
    struct target *target = credential->targets;

    while (target != NULL && strcmp(target->asked, asked) != 0)
        target = target->next;
    return target;
}

bool
credential_target(struct credential *credential, const char *asked,
                  struct target **target_out, struct error *err)
{
    struct target *target;
    bool ok = true;

    /* Somebody else's cache may have come since, and costs no KDC. */
    if (credential_name(credential)[0] == '\0' &&
        !credential_renew_now(credential, false, err))
        return false;
    pthread_mutex_lock(&credential->mutex);
    target = find_target(credential, asked);
    if (target == NULL) {
        ok = target_new(credential->context, asked, credential->client, &target,
                        err);
        if (ok) {
            target->next = credential->targets;
            credential->targets = target;
        }
    }
    if (ok) {
        target->references++;
        target->asked_ms = loop_now_ms();
        *target_out = target;
    }
    pthread_mutex_unlock(&credential->mutex);
    return ok;
}

void
credential_drop_target(struct credential *credential, struct target *target)
{
    if (target == NULL)
        return;
    pthread_mutex_lock(&credential->mutex);
    target->references--;
    pthread_mutex_unlock(&credential->mutex);
}

/* Under mutex: takes out what nobody holds nor asked for lately. */
static size_t
prune(struct credential *credential)
{
    uint64_t now = loop_now_ms();
    struct target **link = &credential->targets;
    size_t left = 0;

    while (*link != NULL) {
        struct target *target = *link;

        if (target->references == 0 && now - target->asked_ms > REMEMBERED_MS) {
            *link = target->next;
            target_free(credential->context, target);
        } else {
            link = &target->next;
            left++;
        }
    }
    return left;
}

/* All targets, held, in an array of their own; NULL for none. */
static struct target **
list(struct credential *credential, size_t *count_out)
{
    struct target **targets = NULL;
    size_t count, taken = 0;

    pthread_mutex_lock(&credential->mutex);
    count = prune(credential);
    if (count > 0)
        targets = calloc(count, sizeof(struct target *));
    /* Without memory for the list tickets are got when they are needed. */
    for (struct target *target = credential->targets;
         target != NULL && targets != NULL; target = target->next) {
        target->references++;
        targets[taken++] = target;
    }
    pthread_mutex_unlock(&credential->mutex);
    *count_out = taken;
    return targets;
}

static void
drop(struct credential *credential, struct target **targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        credential_drop_target(credential, targets[i]);
    free(targets);
}

void
service_tickets_copy(struct credential *credential, krb5_context context,
                     const struct tickets *from, struct tickets *to)
{
    size_t count;
    struct target **targets = list(credential, &count);

    for (size_t i = 0; i < count; i++)
        tickets_copy(context, from, to, targets[i]->server);
    drop(credential, targets, count);
}

static int64_t
renew_at(struct credential *credential, const struct target *target)
{
    pthread_mutex_lock(&credential->mutex);
    int64_t at = target->renew_at;
    pthread_mutex_unlock(&credential->mutex);
    return at;
}

int64_t
service_tickets_due(const struct credential *credential, int64_t before)
{
    for (const struct target *target = credential->targets; target != NULL;
         target = target->next) {
        if (target->renew_at != 0 && target->renew_at < before)
            before = target->renew_at;
    }
    return before;
}

bool
credential_find(struct credential *credential, struct worker *worker,
                struct target *target, struct tickets **tickets_out,
                struct ticket_facts *facts_out)
{
    struct tickets *tickets;

    pthread_mutex_lock(&credential->mutex);
    unsigned long number = target->fetched;
    tickets = target->distrusted ? NULL : credential->tickets;
    if (tickets != NULL)
        tickets->references++;
    pthread_mutex_unlock(&credential->mutex);
    if (tickets == NULL)
        return false;
    if (!tickets_find(worker->context, tickets, target->server, facts_out)) {
        credential_drop_tickets(credential, worker->context, tickets);
        return false;
    }
    facts_out->number = number;
    *tickets_out = tickets;
    return true;
}

bool
credential_distrust(struct credential *credential, struct target *target,
                    unsigned long number)
{
    uint64_t now = loop_now_ms();

    pthread_mutex_lock(&credential->mutex);
    bool replaced = target->fetched != number;
    if (!replaced && (target->distrusted_ms == 0 ||
                      now - target->distrusted_ms >= DISTRUST_MS)) {
        target->distrusted_ms = now;
        target->distrusted = true;
    }
    bool stale = replaced ||
                 (target->distrusted && now - target->fetched_ms >= YOUNG_MS);
    pthread_mutex_unlock(&credential->mutex);
    return stale;
}

/* Does the KDC find fault with what we ask with, rather than with the question?
 * So it is after the realm's own key was changed. */
static bool
is_about_tgt(krb5_error_code code)
{
    return code == KRB5KRB_AP_ERR_TKT_EXPIRED ||
           code == KRB5KRB_AP_ERR_BAD_INTEGRITY ||
           code == KRB5KRB_AP_ERR_MODIFIED ||
           code == KRB5KRB_AP_ERR_BADKEYVER || code == KRB5KRB_AP_ERR_NOKEY ||
           code == KRB5KDC_ERR_TGT_REVOKED;
}

/* Drops tickets, for which the one for target was got.  Another generation may
 * have come meanwhile: then it belongs there too. */
static void
pass_on(struct credential *credential, krb5_context context,
        struct tickets *tickets, const struct target *target)
{
    struct tickets *newest = credential_tickets(credential);

    while (newest != tickets) {
        tickets_copy(context, tickets, newest, target->server);
        credential_drop_tickets(credential, context, tickets);
        tickets = newest;
        newest = credential_tickets(credential);
    }
    credential_drop_tickets(credential, context, newest);
    credential_drop_tickets(credential, context, tickets);
}

static void
note_ticket(struct credential *credential, struct target *target,
            const struct ticket_answer *answer)
{
    pthread_mutex_lock(&credential->mutex);
    target->renew_at = answer->renew_at;
    target->fetched++;
    target->fetched_ms = loop_now_ms();
    target->distrusted = false;
    pthread_mutex_unlock(&credential->mutex);
}

static bool
ask(struct credential *credential, krb5_context context, struct target *target,
    krb5_error_code *code_out, struct error *err)
{
    struct tickets *tickets = credential_tickets(credential);
    struct ticket_answer answer;
    bool ok = tickets_fetch(context, tickets, target->server, &answer, err);

    *code_out = answer.code;
    if (ok) {
        pass_on(credential, context, tickets, target);
        note_ticket(credential, target, &answer);
    } else {
        credential_drop_tickets(credential, context, tickets);
    }
    return ok;
}

/* From the KDC, whatever is here. */
static bool
get_anew(struct credential *credential, krb5_context context,
         struct target *target, krb5_error_code *code_out, struct error *err)
{
    if (ask(credential, context, target, code_out, err))
        return true;
    return is_about_tgt(*code_out) &&
           credential_renew_now(credential, true, err) &&
           ask(credential, context, target, code_out, err);
}

/* Before anybody asks: who does meanwhile waits for the same answer, and this
 * one for who did before. */
static bool
prefetch(struct credential *credential, krb5_context context,
         struct target *target, krb5_error_code *code_out, struct error *err)
{
    struct error why = {.text = ""};
    bool ok = false;

    *code_out = 0;
    if (!flight_lead(&target->flight, &ok, err))
        return ok;
    ok = get_anew(credential, context, target, code_out, &why);
    flight_land(&target->flight, ok, &why);
    if (!ok)
        error_copy(err, &why);
    return ok;
}

bool
service_tickets_fetch(struct credential *credential, krb5_context context,
                      bool all, struct error *err)
{
    krb5_error_code code = 0;
    int64_t now = (int64_t)time(NULL);
    bool ok = true;
    size_t count;
    struct target **targets = list(credential, &count);

    /* One realm's silence costs half a minute: do not collect more of it. */
    for (size_t i = 0; i < count && code != KRB5_KDC_UNREACH; i++) {
        int64_t due = renew_at(credential, targets[i]);
        bool had_one = due != 0;

        if (!all && (!had_one || due > now))
            continue;
        if (!prefetch(credential, context, targets[i], &code,
                      had_one ? err : NULL) &&
            had_one)
            ok = false;
    }
    drop(credential, targets, count);
    return ok;
}

static bool
is_here(struct credential *credential, struct worker *worker,
        struct target *target)
{
    struct tickets *tickets;
    struct ticket_facts ignored;

    if (!credential_find(credential, worker, target, &tickets, &ignored))
        return false;
    credential_drop_tickets(credential, worker->context, tickets);
    return true;
}

static bool
can_ask(struct credential *credential, struct worker *worker)
{
    struct tickets *tickets = credential_tickets(credential);
    bool can = tickets != NULL && tickets_can_ask(tickets);

    credential_drop_tickets(credential, worker->context, tickets);
    return can;
}

static bool
fetch(struct credential *credential, struct worker *worker,
      struct target *target, struct error *err)
{
    krb5_error_code code;

    /* Another may have got it while this job stood in its lane. */
    if (is_here(credential, worker, target))
        return true;
    if (!can_ask(credential, worker)) {
        if (!credential_renew_now(credential, false, err))
            return false;
        /* A copied cache may bring the service's ticket along. */
        if (is_here(credential, worker, target))
            return true;
    }
    return get_anew(credential, worker->context, target, &code, err);
}

bool
credential_fetch(struct credential *credential, struct target *target,
                 struct error *err)
{
    struct error why = {.text = ""};
    struct worker spare, *worker;
    bool ok = false;

    if (!flight_lead(&target->flight, &ok, err))
        return ok;
    if (worker_enter(credential, &spare, &worker, &why)) {
        ok = fetch(credential, worker, target, &why);
        worker_leave(credential, worker, &spare);
    }
    flight_land(&target->flight, ok, &why);
    if (!ok)
        error_copy(err, &why);
    return ok;
}
