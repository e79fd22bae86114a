/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The acceptor's side: one AP-REQ in, one AP-REP or error out.  Anything that
 * is not an AP-REQ of the krb5 mechanism is refused before the library sees it,
 * anything that would need a third token after.
 */
#include "gss/context.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gss/acceptor_keys.h"
#include "gss/apreq.h"
#include "gss/establishment.h"
#include "gss/reason.h"
#include "gss/ticket_clients.h"

/* One AP-REQ on its way. */
struct request {
    gss_buffer_desc token;
    uint8_t ticket[TICKET_DIGEST_SIZE];
    bool told; /* whose ticket it is can be looked up, and kept, by it */
    /* owned: the client, the one way or the other */
    char *known; /* from an earlier time */
    gss_name_t client;
    /* once accepted */
    OM_uint32 flags;
    OM_uint32 lifetime;
};

/* The name as libkrb5 writes it, which escapes what could be mistaken. */
static char *
display_name(gss_name_t name, struct error *err)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 major, minor, ignored;
    char *copy = NULL;

    major = gss_display_name(&minor, name, &text, NULL);
    if (major != GSS_S_COMPLETE) {
        reason_gss(err, REASON_ACCEPT, major, minor,
                   "cannot read the client's name");
    } else if (memchr(text.value, '\0', text.length) != NULL) {
        error_set(err, "cannot use the client's name: it holds a NUL");
    } else {
        copy = strndup(text.value, text.length);
        if (copy == NULL)
            error_set(err, "cannot read the client's name: out of memory");
    }
    gss_release_buffer(&ignored, &text);
    return copy;
}

static void
look_up_client(const struct establishment *side, struct request *request)
{
    const uint8_t *ticket;
    size_t size;

    request->told = apreq_ticket(request->token.value, request->token.length,
                                 &ticket, &size) &&
                    ticket_digest(ticket, size, request->ticket);
    if (request->told)
        request->known = ticket_clients_find(side->credential->clients,
                                             request->ticket);
}

/* NULL, and err: there is none that can be used. */
static const char *
client_name(const struct establishment *side, struct request *request,
            struct error *err)
{
    if (request->known != NULL)
        return request->known;
    request->known = display_name(request->client, err);
    if (request->known != NULL && request->told)
        ticket_clients_keep(side->credential->clients, request->ticket,
                            request->known);
    return request->known;
}

/* lifetime counts the clock skew that the library forgives, which is taken off
 * again: both ends see the ticket's own end. */
static bool
check_client(struct establishment *side, const struct worker *worker,
             struct request *request, struct error *err)
{
    const char *name = client_name(side, request, err);

    if (name == NULL)
        return false;
    if (request->lifetime != GSS_C_INDEFINITE)
        side->peer.endtime = (int64_t)time(NULL) + request->lifetime -
                             worker->clock_skew;
    return establishment_finish(side, request->flags, name, err);
}

/* Such a failure may be about one of our own files: no key is found in a keytab
 * that is not there. */
static bool
may_be_ours(krb5_error_code code)
{
    return code == KRB5KRB_AP_ERR_NOKEY || code == KRB5_KT_NOTFOUND ||
           reason_advice(REASON_ACCEPT, code) == NULL;
}

static void
explain(const struct establishment *side, const struct worker *worker,
        OM_uint32 major, OM_uint32 minor, struct error *err)
{
    bool ours = !worker->keys->usable || may_be_ours((krb5_error_code)minor);

    if (ours && !acceptor_check_files(side->credential, worker, err))
        error_prefix(err, "cannot accept the client");
    else
        reason_gss(err, REASON_ACCEPT, major, minor,
                   "cannot accept the client");
}

static enum context_status
accept_request(struct establishment *side, const struct worker *worker,
               struct request *request, struct context_output *out)
{
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    OM_uint32 major, minor, ignored;
    bool ok = false;

    look_up_client(side, request);
    /* Nowhere to put a delegated credential: one that comes is dropped. */
    major = gss_accept_sec_context(
        &minor, &side->gss, worker->handle, &request->token,
        GSS_C_NO_CHANNEL_BINDINGS,
        request->known != NULL ? NULL : &request->client, NULL, &token,
        &request->flags, &request->lifetime, NULL);
    if (major == GSS_S_COMPLETE)
        ok = check_client(side, worker, request, &out->error);
    else if (GSS_ERROR(major))
        explain(side, worker, major, minor, &out->error);
    else
        error_set(&out->error, "cannot accept the client: it wants a third "
                               "token (DCE style), which is not spoken here");
    /* An error token tells the client why; half an answer would not. */
    if (ok || GSS_ERROR(major))
        ok = establishment_give_token(&token, out) && ok;
    gss_release_buffer(&ignored, &token);
    if (request->client != GSS_C_NO_NAME)
        gss_release_name(&ignored, &request->client);
    free(request->known);
    return ok ? CONTEXT_DONE : CONTEXT_FAILED;
}

static enum context_status
accept_with(struct establishment *side, struct worker *worker,
            const uint8_t *bytes, size_t size, struct context_output *out)
{
    struct request request = {
        .token = {size, (void *)bytes},
        .client = GSS_C_NO_NAME,
    };
    int32_t enctype;

    if (!apreq_ticket_enctype(bytes, size, &enctype, &out->error) ||
        !establishment_check_enctype(enctype, "the client's ticket",
                                     &side->peer.ticket_enctype, &out->error) ||
        !worker_acceptor_handle(side->credential, worker, &out->error))
        return CONTEXT_FAILED;
    return accept_request(side, worker, &request, out);
}

static enum context_status
acceptor_step(struct context *context, const uint8_t *token, size_t token_size,
              struct context_output *out)
{
    struct establishment *side = (struct establishment *)context;
    enum context_status status = CONTEXT_FAILED;
    struct worker spare, *worker;

    *out = (struct context_output){0};
    assert(side->state == ESTABLISHMENT_NEW && token != NULL);
    if (worker_enter(side->credential, &spare, &worker, &out->error)) {
        status = accept_with(side, worker, token, token_size, out);
        worker_leave(side->credential, worker, &spare);
    }
    side->state = status == CONTEXT_DONE ? ESTABLISHMENT_DONE
                                         : ESTABLISHMENT_FAILED;
    return status;
}

/* An acceptor needs no ticket, and never asks for this. */
static bool
acceptor_fetch(struct context *context, struct error *err)
{
    (void)context;
    error_set(err, "cannot get a ticket: the acceptor needs none");
    return false;
}

static const struct context_ops acceptor_ops = {
    .step = acceptor_step,
    .fetch = acceptor_fetch,
    .peer = establishment_peer,
    .channel = establishment_channel,
    .free = establishment_free,
};

struct context *
context_new_acceptor(struct credential *credential, struct error *err)
{
    struct establishment *side;

    assert(!credential->initiator);
    if (!establishment_new(&acceptor_ops, credential, &side, err))
        return NULL;
    return &side->context;
}
