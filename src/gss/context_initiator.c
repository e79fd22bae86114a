/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The initiator's side: AP-REQ out, AP-REP in.  A step only ever uses tickets
 * that are there: it looks first, and asks to be fetched for if there is none.
 */
#include "gss/context.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <gssapi/gssapi_krb5.h>

#include "gss/apreq.h"
#include "gss/establishment.h"
#include "gss/reason.h"

enum {
    WHOSE_SIZE = 512,
    PEER_SIZE = 2048,
};

static struct establishment *
of(struct context *context)
{
    return (struct establishment *)context;
}

static OM_uint32
init(struct establishment *side, const struct worker *worker,
     gss_buffer_t input, gss_buffer_t output, OM_uint32 *flags,
     OM_uint32 *minor)
{
    return gss_init_sec_context(
        minor, worker->handle, &side->gss, side->target->name,
        (gss_OID)gss_mech_krb5, ESTABLISHMENT_FLAGS, 0,
        GSS_C_NO_CHANNEL_BINDINGS, input, NULL, output, flags, NULL);
}

/* Both the ticket and the key in it, before anything is sent. */
static bool
check_ticket(struct establishment *side, const struct ticket_facts *facts,
             struct error *err)
{
    char whose[WHOSE_SIZE];
    const char *ignored;

    snprintf(whose, sizeof whose, "the ticket for %s", side->target->text);
    side->peer.endtime = facts->endtime;
    side->ticket_number = facts->number;
    memcpy(side->realm, facts->realm, sizeof side->realm);
    return establishment_check_enctype(facts->enctype, whose,
                                       &side->peer.ticket_enctype, err) &&
           establishment_check_enctype(facts->session_enctype,
                                       "the ticket's session key", &ignored,
                                       err);
}

static enum context_status
make_request(struct establishment *side, struct worker *worker,
             struct tickets *tickets, struct context_output *out)
{
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    OM_uint32 major, minor, flags, ignored;
    enum context_status status = CONTEXT_FAILED;

    if (!worker_initiator_handle(side->credential, worker, tickets,
                                 &out->error))
        return CONTEXT_FAILED;
    major = init(side, worker, GSS_C_NO_BUFFER, &token, &flags, &minor);
    if (major != GSS_S_CONTINUE_NEEDED)
        reason_gss(&out->error, REASON_INIT, major, minor,
                   "cannot ask %s to authenticate", side->target->text);
    else if (establishment_give_token(&token, out))
        status = CONTEXT_CONTINUE;
    gss_release_buffer(&ignored, &token);
    return status;
}

static enum context_status
begin(struct establishment *side, struct worker *worker,
      struct context_output *out)
{
    struct ticket_facts facts;
    struct tickets *tickets;
    enum context_status status = CONTEXT_FAILED;

    if (side->target == NULL)
        return CONTEXT_NEED_TICKET;
    if (!credential_find(side->credential, worker, side->target, &tickets,
                         &facts)) {
        if (!side->fetched)
            return CONTEXT_NEED_TICKET;
        error_set(&out->error,
                  "cannot use the ticket for %s: the KDC gave one that is for "
                  "another name or already at its end",
                  side->target->text);
        return CONTEXT_FAILED;
    }
    if (check_ticket(side, &facts, &out->error))
        status = make_request(side, worker, tickets, out);
    credential_drop_tickets(side->credential, worker->context, tickets);
    return status;
}

/*
 * Anybody can send an error token, so it is hearsay: it is passed on as such,
 * and at most makes us get a new ticket, and try once more with it.
 */
static void
hear_refusal(struct establishment *side, krb5_error_code code,
             struct context_output *out)
{
    reason_krb5(&out->error, REASON_REFUSED, NULL, code,
                "%s refused us, says an answer that nothing proves",
                side->target->text);
    switch (code) {
    case KRB5KRB_AP_ERR_BADKEYVER:
    case KRB5KRB_AP_ERR_NOKEY:
    case KRB5KRB_AP_ERR_MODIFIED:
    case KRB5KRB_AP_ERR_BAD_INTEGRITY:
    case KRB5KRB_AP_ERR_NOT_US:
    case KRB5KRB_AP_WRONG_PRINC:
    case KRB5KRB_AP_ERR_TKT_EXPIRED:
        out->stale = credential_distrust(side->credential, side->target,
                                         side->ticket_number);
        break;
    default:
        break;
    }
}

/* The name that was proved; its realm may be known by the ticket only. */
static bool
finish_as_named(struct establishment *side, OM_uint32 flags, struct error *err)
{
    bool referred = side->target->server->realm.length == 0;
    char peer[PEER_SIZE];

    snprintf(peer, sizeof peer, "%s%s", side->target->text,
             referred ? side->realm : "");
    return establishment_finish(side, flags, peer, err);
}

static enum context_status
verify_answer(struct establishment *side, struct worker *worker,
              const uint8_t *bytes, size_t size, struct context_output *out)
{
    gss_buffer_desc input = {size, (void *)bytes};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    enum token_kind kind = token_kind(bytes, size);
    OM_uint32 major, minor, flags = 0, ignored;
    bool one_answer;

    if (kind != TOKEN_AP_REP && kind != TOKEN_KRB_ERROR) {
        error_set(&out->error,
                  "cannot authenticate %s: its answer is not Kerberos",
                  side->target->text);
        return CONTEXT_FAILED;
    }
    major = init(side, worker, &input, &token, &flags, &minor);
    one_answer = token.length == 0;
    gss_release_buffer(&ignored, &token);
    if (major == GSS_S_COMPLETE && one_answer)
        return finish_as_named(side, flags, &out->error) ? CONTEXT_DONE
                                                         : CONTEXT_FAILED;
    if (kind == TOKEN_KRB_ERROR)
        hear_refusal(side, (krb5_error_code)minor, out);
    else if (GSS_ERROR(major))
        reason_gss(&out->error, REASON_INIT, major, minor,
                   "cannot authenticate %s", side->target->text);
    else
        error_set(&out->error,
                  "cannot authenticate %s: it wants more than one answer",
                  side->target->text);
    return CONTEXT_FAILED;
}

/* A handle for the second step, which asks nobody and needs no ticket; without
 * one the library would take the ambient credential. */
static enum context_status
finish(struct establishment *side, struct worker *worker, const uint8_t *bytes,
       size_t size, struct context_output *out)
{
    struct tickets *tickets = credential_tickets(side->credential);
    enum context_status status = CONTEXT_FAILED;

    if (worker_initiator_handle(side->credential, worker, tickets, &out->error))
        status = verify_answer(side, worker, bytes, size, out);
    credential_drop_tickets(side->credential, worker->context, tickets);
    return status;
}

static enum context_status
initiator_step(struct context *context, const uint8_t *token, size_t token_size,
               struct context_output *out)
{
    struct establishment *side = of(context);
    enum context_status status = CONTEXT_FAILED;
    struct worker spare, *worker;

    *out = (struct context_output){0};
    assert(side->state ==
           (token == NULL ? ESTABLISHMENT_NEW : ESTABLISHMENT_ASKED));
    if (worker_enter(side->credential, &spare, &worker, &out->error)) {
        status = token == NULL ? begin(side, worker, out)
                               : finish(side, worker, token, token_size, out);
        worker_leave(side->credential, worker, &spare);
    }
    if (status == CONTEXT_CONTINUE)
        side->state = ESTABLISHMENT_ASKED;
    else if (status == CONTEXT_DONE)
        side->state = ESTABLISHMENT_DONE;
    else if (status == CONTEXT_FAILED)
        side->state = ESTABLISHMENT_FAILED;
    return status;
}

static bool
initiator_fetch(struct context *context, struct error *err)
{
    struct establishment *side = of(context);

    side->fetched = (side->target != NULL ||
                     credential_target(side->credential, side->asked,
                                       &side->target, err)) &&
                    credential_fetch(side->credential, side->target, err);
    return side->fetched;
}

static const struct context_ops initiator_ops = {
    .step = initiator_step,
    .fetch = initiator_fetch,
    .peer = establishment_peer,
    .channel = establishment_channel,
    .free = establishment_free,
};

/* Somebody else's cache has not told yet who we are.  It may be locked: it is
 * read where tickets are fetched, not here. */
static bool
take_target_later(struct establishment *side, const char *target,
                  struct error *err)
{
    side->asked = strdup(target);
    if (side->asked == NULL)
        error_set(err, "cannot begin to authenticate: out of memory");
    credential_lane(side->credential, side->context.lane,
                    sizeof side->context.lane);
    return side->asked != NULL;
}

static bool
take_target(struct establishment *side, const char *target, struct error *err)
{
    if (credential_name(side->credential)[0] == '\0')
        return take_target_later(side, target, err);
    if (!credential_target(side->credential, target, &side->target, err))
        return false;
    memcpy(side->context.lane, side->target->lane, sizeof side->context.lane);
    return true;
}

struct context *
context_new_initiator(struct credential *credential, const char *target,
                      struct error *err)
{
    struct establishment *side;

    assert(credential->initiator);
    if (!establishment_new(&initiator_ops, credential, &side, err))
        return NULL;
    if (take_target(side, target, err))
        return &side->context;
    context_free(&side->context);
    return NULL;
}
