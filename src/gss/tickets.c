/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tickets come in by three ways only: an AS exchange with a named keytab, a
 * copy of a named cache, and TGS exchanges with what came in by the first two.
 * Nothing here looks at the environment, but for the cache called "default".
 */
#include "gss/tickets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/jitter.h"
#include "gss/reason.h"

/* libkrb5's 32 bits are unsigned by convention, which carries them to 2106. */
static int64_t
seconds(krb5_timestamp time)
{
    return (int64_t)(uint32_t)time;
}

static krb5_timestamp
stamp(int64_t seconds_since_1970)
{
    return (krb5_timestamp)(uint32_t)seconds_since_1970;
}

void
tickets_free(krb5_context context, struct tickets *tickets)
{
    if (tickets == NULL)
        return;
    if (tickets->cache != NULL)
        krb5_cc_destroy(context, tickets->cache);
    krb5_free_principal(context, tickets->client);
    free(tickets->name);
    free(tickets->client_text);
    free(tickets);
}

static char *
unparsed(krb5_context context, krb5_principal principal)
{
    char *text = NULL, *copy;

    if (krb5_unparse_name(context, principal, &text) != 0)
        return NULL;
    copy = strdup(text);
    krb5_free_unparsed_name(context, text);
    return copy;
}

static char *
full_name(krb5_context context, krb5_ccache cache)
{
    char *text = NULL, *copy;

    if (krb5_cc_get_full_name(context, cache, &text) != 0)
        return NULL;
    copy = strdup(text);
    krb5_free_string(context, text);
    return copy;
}

/* An empty generation. */
static bool
tickets_new(krb5_context context, krb5_principal client,
            struct tickets **tickets_out, struct error *err)
{
    struct tickets *tickets = calloc(1, sizeof *tickets);

    if (tickets != NULL &&
        krb5_copy_principal(context, client, &tickets->client) == 0 &&
        krb5_cc_new_unique(context, "MEMORY", NULL, &tickets->cache) == 0 &&
        krb5_cc_initialize(context, tickets->cache, client) == 0) {
        tickets->name = full_name(context, tickets->cache);
        tickets->client_text = unparsed(context, client);
    }
    if (tickets == NULL || tickets->name == NULL ||
        tickets->client_text == NULL) {
        tickets_free(context, tickets);
        error_set(err, "cannot keep tickets: out of memory");
        return false;
    }
    *tickets_out = tickets;
    return true;
}

/* Is this the ticket-granting ticket of the client's own realm? */
static bool
is_tgt(krb5_const_principal server, krb5_const_principal client)
{
    static const char tgs[] = KRB5_TGS_NAME;
    const krb5_data *realm = &client->realm;

    return server->length == 2 && server->data[0].length == sizeof tgs - 1 &&
           memcmp(server->data[0].data, tgs, sizeof tgs - 1) == 0 &&
           server->data[1].length == realm->length &&
           memcmp(server->data[1].data, realm->data, realm->length) == 0;
}

/* A ticket that is valid at once need not say since when. */
static int64_t
start_of(const krb5_ticket_times *times)
{
    return seconds(times->starttime != 0 ? times->starttime : times->authtime);
}

/* After three eighths to a half of its life: many who got theirs together do
 * not come again together. */
static int64_t
moment_to_renew(const krb5_ticket_times *times)
{
    int64_t life = seconds(times->endtime) - start_of(times);

    return start_of(times) +
           (int64_t)with_jitter(life > 0 ? (uint64_t)life / 2 : 0);
}

static krb5_error_code
store(krb5_context context, struct tickets *tickets, krb5_creds *creds)
{
    const krb5_ticket_times *times = &creds->times;

    if (is_tgt(creds->server, tickets->client) &&
        seconds(times->endtime) > tickets->tgt_end) {
        tickets->tgt_end = seconds(times->endtime);
        tickets->tgt_start = start_of(times);
        tickets->renew_at = moment_to_renew(times);
    }
    return krb5_cc_store_cred(context, tickets->cache, creds);
}

static krb5_error_code
ask_with_keytab(krb5_context context, krb5_principal client,
                const char *keytab_path, krb5_creds *creds)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_keytab keytab = NULL;
    krb5_error_code code;

    code = krb5_kt_resolve(context, keytab_path, &keytab);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(context, &options);
    if (code == 0) {
        /* Nobody is ever given these tickets. */
        krb5_get_init_creds_opt_set_forwardable(options, 0);
        krb5_get_init_creds_opt_set_proxiable(options, 0);
        code = krb5_get_init_creds_keytab(context, creds, client, keytab, 0,
                                          NULL, options);
    }
    if (options != NULL)
        krb5_get_init_creds_opt_free(context, options);
    if (keytab != NULL)
        krb5_kt_close(context, keytab);
    return code;
}

bool
tickets_from_keytab(krb5_context context, krb5_principal client,
                    const char *keytab, struct tickets **tickets_out,
                    struct error *err)
{
    struct tickets *tickets = NULL;
    krb5_creds creds = {0};
    krb5_error_code code;

    if (!tickets_new(context, client, &tickets, err))
        return false;
    code = ask_with_keytab(context, client, keytab, &creds);
    if (code == 0)
        code = store(context, tickets, &creds);
    krb5_free_cred_contents(context, &creds);
    if (code != 0) {
        reason_krb5(err, REASON_TGT, context, code,
                    "cannot get a ticket for %s with keytab %s",
                    tickets->client_text, keytab);
        tickets_free(context, tickets);
        return false;
    }
    *tickets_out = tickets;
    return true;
}

static krb5_error_code
open_source(krb5_context context, const char *source, krb5_ccache *cache_out)
{
    if (strcmp(source, "default") == 0)
        return krb5_cc_default(context, cache_out);
    return krb5_cc_resolve(context, source, cache_out);
}

/* All but the notes that libkrb5 keeps among the tickets. */
static krb5_error_code
copy_all(krb5_context context, krb5_ccache source, struct tickets *tickets,
         size_t *count_out)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_error_code code, result = 0;
    size_t count = 0;

    code = krb5_cc_start_seq_get(context, source, &cursor);
    if (code != 0)
        return code;
    while (result == 0 &&
           (code = krb5_cc_next_cred(context, source, &cursor, &creds)) == 0) {
        if (!krb5_is_config_principal(context, creds.server)) {
            result = store(context, tickets, &creds);
            count++;
        }
        krb5_free_cred_contents(context, &creds);
    }
    krb5_cc_end_seq_get(context, source, &cursor);
    *count_out = count;
    if (result == 0 && code != KRB5_CC_END)
        result = code;
    return result;
}

bool
tickets_from_cache(krb5_context context, const char *source,
                   struct tickets **tickets_out, struct error *err)
{
    struct tickets *tickets = NULL;
    krb5_principal client = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code code;
    size_t count = 0;
    bool ok = false;

    code = open_source(context, source, &cache);
    if (code == 0)
        code = krb5_cc_get_principal(context, cache, &client);
    if (code == 0 && !tickets_new(context, client, &tickets, err))
        goto out;
    if (code == 0)
        code = copy_all(context, cache, tickets, &count);
    if (code == 0 && count == 0)
        code = KRB5_CC_NOTFOUND;
    if (code != 0) {
        reason_krb5(err, REASON_CACHE, context, code,
                    "cannot use credential cache %s", source);
        goto out;
    }
    *tickets_out = tickets;
    tickets = NULL;
    ok = true;
out:
    tickets_free(context, tickets);
    krb5_free_principal(context, client);
    if (cache != NULL)
        krb5_cc_close(context, cache);
    return ok;
}

bool
tickets_can_ask(const struct tickets *tickets)
{
    return tickets->tgt_end > (int64_t)time(NULL) + TICKET_SPARE_SECONDS;
}

/* The usable ticket that is here; krb5_free_creds'd by the caller. */
static krb5_error_code
find(krb5_context context, const struct tickets *tickets, krb5_principal server,
     krb5_creds **creds_out)
{
    krb5_creds wanted = {
        .client = tickets->client,
        .server = server,
        .times.endtime = stamp((int64_t)time(NULL) + TICKET_SPARE_SECONDS),
    };

    return krb5_get_credentials(context, KRB5_GC_CACHED, tickets->cache,
                                &wanted, creds_out);
}

bool
tickets_find(krb5_context context, const struct tickets *tickets,
             krb5_principal server, struct ticket_facts *facts_out)
{
    krb5_creds *creds;
    krb5_ticket *ticket;
    bool ok;

    if (find(context, tickets, server, &creds) != 0)
        return false;
    ok = krb5_decode_ticket(&creds->ticket, &ticket) == 0;
    if (ok) {
        const krb5_data *realm = &ticket->server->realm;
        snprintf(facts_out->realm, sizeof facts_out->realm, "%.*s",
                 (int)realm->length, realm->data);
        facts_out->endtime = seconds(creds->times.endtime);
        facts_out->enctype = ticket->enc_part.enctype;
        facts_out->kvno = ticket->enc_part.kvno;
        facts_out->session_enctype = creds->keyblock.enctype;
        krb5_free_ticket(context, ticket);
    }
    krb5_free_creds(context, creds);
    return ok;
}

/* Sealed with the same key?  Then one serves as well as the other. */
static bool
is_same_key(krb5_context context, const krb5_creds *one,
            const krb5_creds *other)
{
    krb5_ticket *tickets[2] = {NULL, NULL};
    bool same = false;

    if (krb5_decode_ticket(&one->ticket, &tickets[0]) == 0 &&
        krb5_decode_ticket(&other->ticket, &tickets[1]) == 0)
        same = tickets[0]->enc_part.kvno == tickets[1]->enc_part.kvno;
    krb5_free_ticket(context, tickets[0]);
    krb5_free_ticket(context, tickets[1]);
    return same;
}

static bool
is_same_time(const krb5_creds *one, const krb5_creds *other)
{
    return memcmp(&one->times, &other->times, sizeof one->times) == 0;
}

/* Takes out tickets like pattern up to the first that is of creds' time. */
static void
remove_older(krb5_context context, krb5_ccache cache, krb5_creds *pattern,
             const krb5_creds *creds)
{
    krb5_creds old;
    bool more = true;

    while (more &&
           krb5_cc_retrieve_cred(context, cache, 0, pattern, &old) == 0) {
        more = !is_same_time(&old, creds) &&
               krb5_cc_remove_cred(context, cache, KRB5_TC_MATCH_TIMES_EXACT,
                                   &old) == 0;
        krb5_free_cred_contents(context, &old);
    }
}

/*
 * Others look while this happens, so the new one comes before the old ones go.
 * What tells them apart are their times: of two of the same second and key one
 * will do, and only a key that was changed within that second leaves a moment
 * without any.  What fails here, for lack of memory, is asked for again.
 */
static void
replace(krb5_context context, struct tickets *tickets, krb5_principal server,
        krb5_creds *creds)
{
    krb5_creds pattern = {.client = tickets->client, .server = server};
    krb5_creds old;
    bool needed = true;

    if (krb5_cc_retrieve_cred(context, tickets->cache, 0, &pattern, &old) ==
        0) {
        needed = !is_same_time(&old, creds) ||
                 !is_same_key(context, &old, creds);
        if (needed && is_same_time(&old, creds))
            (void)krb5_cc_remove_cred(context, tickets->cache, 0, &pattern);
        krb5_free_cred_contents(context, &old);
    }
    if (needed)
        (void)store(context, tickets, creds);
    remove_older(context, tickets->cache, &pattern, creds);
}

bool
tickets_fetch(krb5_context context, struct tickets *tickets,
              krb5_principal server, struct ticket_answer *answer_out,
              struct error *err)
{
    /* No ticket outlasts the one that it is got with, so that asking for more
     * than that is never answered from the cache; the KDC gives what it may. */
    krb5_creds wanted = {
        .client = tickets->client,
        .server = server,
        .times.endtime = stamp(tickets->tgt_end + 1),
    };
    krb5_creds *creds = NULL;
    char *name;

    *answer_out = (struct ticket_answer){.code = KRB5_CC_NOTFOUND};
    if (tickets_can_ask(tickets))
        answer_out->code = krb5_get_credentials(
            context, KRB5_GC_NO_STORE, tickets->cache, &wanted, &creds);
    if (answer_out->code == 0 && creds != NULL) {
        answer_out->renew_at = moment_to_renew(&creds->times);
        replace(context, tickets, server, creds);
        krb5_free_creds(context, creds);
        return true;
    }
    name = unparsed(context, server);
    reason_krb5(err, REASON_TICKET, context, answer_out->code,
                "cannot get a ticket for %s as %s",
                name != NULL ? name : "the service", tickets->client_text);
    free(name);
    return false;
}

void
tickets_copy(krb5_context context, const struct tickets *from,
             struct tickets *to, krb5_principal server)
{
    struct ticket_facts ignored;
    krb5_creds *creds;

    if (tickets_find(context, to, server, &ignored) ||
        find(context, from, server, &creds) != 0)
        return;
    /* Without it the ticket is asked for anew when it is needed. */
    (void)store(context, to, creds);
    krb5_free_creds(context, creds);
}
