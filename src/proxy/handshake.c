/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side of the opening.  The state is the function that the next frame or
 * GSS step goes to; the static functions stand in protocol order.
 */
#include "proxy/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/exchange.h"
#include "proxy/handshake_check.h"
#include "proxy/step.h"
#include "wire/frame.h"

/* Of every frame after the context is established. */
enum {
    SEALED_MAX = PLAINTEXT_MAX + TOKEN_OVERHEAD_MAX
};

struct handshake {
    /* owned */
    struct step *step;       /* while the pool works; it has the context then */
    struct context *context; /* else it is here */
    struct channel *channel;
    struct exchange exchange;
    /* borrowed */
    struct handshake_settings settings;
    void *arg;
    /* plain */
    handshake_done *done;
    bool stale;
    struct hello theirs;
};

static void on_initiator_stepped(struct handshake *hs,
                                 enum context_status status,
                                 const struct context_output *output);
static void on_acceptor_stepped(struct handshake *hs,
                                enum context_status status,
                                const struct context_output *output);
static void on_ap_rep(void *arg, uint8_t *token, size_t size);
static void on_acceptor_hello(void *arg, uint8_t *token, size_t size);
static void on_hello_sent(void *arg);
static void on_ready_message(void *arg, uint8_t *token, size_t size);
static void on_initiator_hello(void *arg, uint8_t *token, size_t size);

/* The end. */

static void
finish(struct handshake *hs, enum handshake_outcome outcome,
       const struct error *error, struct bytes *farewell)
{
    struct handshake_result result = {.outcome = outcome, .stale = hs->stale};
    handshake_done *done = hs->done;
    void *arg = hs->arg;

    if (error != NULL)
        result.error = *error;
    if (farewell != NULL)
        result.farewell = *farewell;
    if (hs->channel != NULL) {
        result.context = hs->context;
        hs->context = NULL;
    }
    result.hello = hs->theirs;
    if (outcome == HANDSHAKE_DONE) {
        result.channel = hs->channel;
        hs->channel = NULL;
    }
    handshake_cancel(hs);
    done(&result, arg);
    channel_free(result.channel);
    context_free(result.context);
    bytes_clear(&result.farewell);
}

static void
fail(struct handshake *hs, const struct error *error)
{
    finish(hs, HANDSHAKE_FAILED, error, NULL);
}

/* We end it, and the peer, proven by now, is told why. */
static void
refuse(struct handshake *hs, enum reset_code code, const struct error *error)
{
    struct bytes farewell = {0};
    struct error ignored, told;

    if (!sealed_append_reset(&farewell, hs->channel, code, error->text,
                             &ignored))
        bytes_clear(&farewell);
    told = *error;
    error_label(&told, reset_name((uint8_t)code));
    finish(hs, reset_is_retryable(code) ? HANDSHAKE_FAILED : HANDSHAKE_REFUSED,
           &told, &farewell);
}

/* The peer ended it. */
static void
on_reset_message(struct handshake *hs, const struct unseal_record *record)
{
    const struct service_settings *service = hs->settings.service;
    struct reset reset;
    struct error error;

    if (!reset_take(record, service, &reset, &error))
        refuse(hs, RESET_PROTOCOL, &error);
    else if (service->role == ROLE_SERVER && reset.code == RESET_SHUTDOWN)
        /* In place of its HELLO: nobody was dialled for it. */
        finish(hs, HANDSHAKE_PROBE, &error, NULL);
    else
        finish(hs, reset.retryable ? HANDSHAKE_FAILED : HANDSHAKE_REFUSED,
               &error, NULL);
}

static void
on_exchange_ended(void *arg, enum exchange_end end, const struct error *error)
{
    struct handshake *hs = arg;
    bool probe = end == EXCHANGE_SILENT &&
                 hs->settings.service->role == ROLE_SERVER;

    struct error closed = *error;

    error_label(&closed, "closed");
    finish(hs, probe ? HANDSHAKE_PROBE : HANDSHAKE_FAILED, &closed, NULL);
}

/* Messages. */

/* NULL: the handshake has ended. */
static const struct unseal_record *
open_message(struct handshake *hs, uint8_t *token, size_t size,
             struct unseal_record *record)
{
    struct error error;

    if (!sealed_open(hs->channel, token, size, record, &error)) {
        fail(hs, &error);
        return NULL;
    }
    if (record->plain_size == 0) {
        error_set(&error, "the peer broke the protocol: an empty message");
        refuse(hs, RESET_PROTOCOL, &error);
        return NULL;
    }
    if (record->plain[0] == MESSAGE_RESET && record->confidential) {
        on_reset_message(hs, record);
        return NULL;
    }
    return record;
}

/* False: the handshake has ended. */
static bool
take_hello(struct handshake *hs, uint8_t *token, size_t size)
{
    struct unseal_record record;
    struct error error;

    if (open_message(hs, token, size, &record) == NULL)
        return false;
    int code = hello_take(&record, hs->settings.service, &hs->theirs, &error);
    if (code != 0) {
        refuse(hs, (enum reset_code)code, &error);
        return false;
    }
    return true;
}

/* False: the handshake has ended. */
static bool
add_hello(struct handshake *hs)
{
    struct hello ours;
    struct error error;
    const char *target = hs->settings.service->role == ROLE_CLIENT
                             ? hs->settings.target
                             : "";

    hello_fill(&ours, hs->settings.service, target, hs->settings.connection_id);
    if (!sealed_append_hello(&hs->exchange.out, hs->channel, &ours, &error)) {
        fail(hs, &error);
        return false;
    }
    return true;
}

/* GSS steps. */

static void
on_step_done(struct step_result *result, void *arg)
{
    struct handshake *hs = arg;

    hs->step = NULL;
    hs->context = result->context;
    if (hs->settings.service->role == ROLE_CLIENT)
        on_initiator_stepped(hs, result->status, result->output);
    else
        on_acceptor_stepped(hs, result->status, result->output);
}

static bool
start_step(struct handshake *hs, const struct bytes *token, const char *stage)
{
    hs->step = step_start(hs->settings.loop, hs->settings.pool, hs->context,
                          token, on_step_done, hs);
    if (hs->step == NULL)
        return false;
    hs->context = NULL;
    exchange_rest(&hs->exchange, stage);
    return true;
}

static void
step_with_token(struct handshake *hs, uint8_t *token, size_t size,
                const char *stage)
{
    struct error error;
    struct bytes bytes = {.data = token, .size = size};

    if (start_step(hs, &bytes, stage))
        return;
    error_set(&error, "cannot take a GSS step: out of memory");
    fail(hs, &error);
}

/* A token becomes a frame to send.  False: no memory. */
static bool
add_frame(struct handshake *hs, const uint8_t *token, size_t size)
{
    uint8_t header[FRAME_HEADER_SIZE];

    frame_encode(header, size);
    return bytes_append(&hs->exchange.out, header, sizeof header) &&
           bytes_append(&hs->exchange.out, token, size);
}

/* False: the handshake has ended. */
static bool
add_token(struct handshake *hs, const struct context_output *output)
{
    struct error error;

    if (output->token_size == 0 ||
        add_frame(hs, output->token, output->token_size))
        return true;
    error_set(&error, "cannot send a GSS token: out of memory");
    fail(hs, &error);
    return false;
}

/* A failed step: its error token, if any, is our farewell. */
static void
step_failed(struct handshake *hs, const struct context_output *output)
{
    struct bytes farewell = {0};

    hs->stale = output->stale;
    if (!add_token(hs, output))
        return;
    farewell = hs->exchange.out;
    hs->exchange.out = (struct bytes){0};
    finish(hs, HANDSHAKE_FAILED, &output->error, &farewell);
}

/* False: the handshake has ended. */
static bool
take_channel(struct handshake *hs)
{
    struct error error;

    hs->channel = hs->context->ops->channel(hs->context);
    if (hs->channel != NULL)
        return true;
    error_set(&error, "cannot make a channel: out of memory");
    fail(hs, &error);
    return false;
}

/* I1 to I4: AP-REQ, AP-REP, HELLO, HELLO, READY. */

static void
on_ap_req_sent(void *arg)
{
    struct handshake *hs = arg;

    exchange_await(&hs->exchange, "the server's AP-REP", FRAME_HANDSHAKE_MAX,
                   on_ap_rep);
}

static void
on_ap_rep(void *arg, uint8_t *token, size_t size)
{
    step_with_token(arg, token, size, "the check of the server's AP-REP");
}

static void
on_initiator_stepped(struct handshake *hs, enum context_status status,
                     const struct context_output *output)
{
    if (status == CONTEXT_FAILED) {
        step_failed(hs, output);
    } else if (status == CONTEXT_CONTINUE) {
        if (add_token(hs, output))
            exchange_send(&hs->exchange, "the sending of the AP-REQ",
                          on_ap_req_sent);
    } else if (take_channel(hs)) {
        exchange_await(&hs->exchange, "the server's HELLO", SEALED_MAX,
                       on_acceptor_hello);
    }
}

/* Our HELLO would make the server dial its application. */
static void
end_trial(struct handshake *hs)
{
    struct bytes farewell = {0};
    struct error ignored;

    if (!sealed_append_reset(&farewell, hs->channel, RESET_SHUTDOWN,
                             "only tried whether it would work", &ignored))
        bytes_clear(&farewell);
    finish(hs, HANDSHAKE_DONE, NULL, &farewell);
}

static void
on_acceptor_hello(void *arg, uint8_t *token, size_t size)
{
    struct handshake *hs = arg;

    if (!take_hello(hs, token, size))
        return;
    if (hs->settings.trial) {
        end_trial(hs);
        return;
    }
    if (!add_hello(hs))
        return;
    exchange_send(&hs->exchange, "the sending of our HELLO", on_hello_sent);
}

static void
on_hello_sent(void *arg)
{
    struct handshake *hs = arg;

    if (hs->settings.wait_ready)
        exchange_await(&hs->exchange, "the server's READY", SEALED_MAX,
                       on_ready_message);
    else
        finish(hs, HANDSHAKE_DONE, NULL, NULL);
}

static void
on_ready_message(void *arg, uint8_t *token, size_t size)
{
    struct handshake *hs = arg;
    struct unseal_record record;
    struct error error;

    if (open_message(hs, token, size, &record) == NULL)
        return;
    if (ready_check(&record, hs->settings.service, &error))
        finish(hs, HANDSHAKE_DONE, NULL, NULL);
    else
        refuse(hs, RESET_PROTOCOL, &error);
}

/* A1 to A3: AP-REQ, AP-REP with HELLO, HELLO. */

static void
on_ap_req(void *arg, uint8_t *token, size_t size)
{
    step_with_token(arg, token, size, "the check of the client's AP-REQ");
}

static void
on_ap_rep_sent(void *arg)
{
    struct handshake *hs = arg;

    exchange_await(&hs->exchange, "the client's HELLO", SEALED_MAX,
                   on_initiator_hello);
}

static void
on_acceptor_stepped(struct handshake *hs, enum context_status status,
                    const struct context_output *output)
{
    if (status != CONTEXT_DONE) {
        step_failed(hs, output);
        return;
    }
    if (!take_channel(hs) || !add_token(hs, output) || !add_hello(hs))
        return;
    exchange_send(&hs->exchange, "the sending of the AP-REP", on_ap_rep_sent);
}

static void
on_initiator_hello(void *arg, uint8_t *token, size_t size)
{
    struct handshake *hs = arg;

    if (take_hello(hs, token, size))
        finish(hs, HANDSHAKE_DONE, NULL, NULL);
}

/* Life. */

/* The first step was taken before there was a server to send it to. */
static struct handshake *
send_request(struct handshake *hs, const struct bytes *request)
{
    if (!add_frame(hs, request->data, request->size)) {
        handshake_cancel(hs);
        return NULL;
    }
    exchange_send(&hs->exchange, "the sending of the AP-REQ", on_ap_req_sent);
    return hs;
}

struct handshake *
handshake_start(const struct handshake_settings *settings,
                struct context *context, handshake_done *done, void *arg)
{
    struct handshake *hs = calloc(1, sizeof *hs);
    if (hs == NULL) {
        context_free(context);
        return NULL;
    }
    hs->settings = *settings;
    hs->context = context;
    hs->done = done;
    hs->arg = arg;
    if (!exchange_init(&hs->exchange, settings->loop, settings->fd,
                       on_exchange_ended, hs)) {
        handshake_cancel(hs);
        return NULL;
    }
    if (settings->service->role == ROLE_SERVER) {
        exchange_await(&hs->exchange, "the client's AP-REQ",
                       FRAME_HANDSHAKE_MAX, on_ap_req);
        return hs;
    }
    if (settings->request != NULL)
        return send_request(hs, settings->request);
    struct bytes nothing = {0};
    if (!start_step(hs, &nothing, "the making of the AP-REQ")) {
        handshake_cancel(hs);
        return NULL;
    }
    return hs;
}

void
handshake_cancel(struct handshake *hs)
{
    if (hs == NULL)
        return;
    exchange_clear(&hs->exchange);
    step_cancel(hs->step);
    context_free(hs->context);
    channel_free(hs->channel);
    free(hs);
}

void
handshake_last_words(struct handshake *hs, const char *sentence,
                     struct bytes *bytes)
{
    struct error ignored;

    if (hs->channel != NULL &&
        !sealed_append_reset(bytes, hs->channel, RESET_TIMEOUT, sentence,
                             &ignored))
        bytes_clear(bytes);
}

bool
handshake_is_unheard(const struct handshake *hs)
{
    return hs->exchange.on_frame == on_ap_req;
}

const char *
handshake_stage(const struct handshake *hs)
{
    if (hs->step != NULL && step_is_fetching(hs->step))
        return "the Kerberos service ticket from the KDC";
    return hs->exchange.stage;
}
