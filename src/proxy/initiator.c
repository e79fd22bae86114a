/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's opening: one destination after the other is dialled and made to prove
 * itself, the remaining time divided among those left, until one says READY or
 * none is left.  The application's bytes stay in its socket meanwhile.
 */
#include <stdlib.h>
#include <unistd.h>

#include "proxy/connection_parts.h"

static void try_destination(struct connection *conn, const struct error *last);

static size_t
destinations_left(const struct connection *conn)
{
    return connection_snapshot(conn)->destination_count - conn->attempt;
}

static void
begin_stage(struct connection *conn)
{
    conn->stage_ms = loop_now_ms();
}

static void
spend(const struct connection *conn, uint64_t *left)
{
    uint64_t spent = loop_now_ms() - conn->stage_ms;
    *left = *left > spent ? *left - spent : 0;
}

static void
give_up(struct connection *conn, enum log_event event,
        const struct error *error, struct bytes *farewell)
{
    struct ending ending = {
        .event = event,
        .reason = error->text,
        .label = error->label,
        .farewell = *farewell,
        .goodbye = farewell->size > 0,
    };
    *farewell = (struct bytes){0};
    connection_end(conn, &ending);
}

static void
log_candidate(const struct connection *conn, const char *reason)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    char to[ADDRESS_TEXT_SIZE];

    endpoint_format(
        &snapshot->destinations[conn->order[conn->attempt]].endpoint, to,
        sizeof to);
    log_event(EVENT_CANDIDATE, LOG_TEXT("service", snapshot->service->name),
              LOG_NUMBER("id", conn->arrival->id), LOG_TEXT("to", to),
              LOG_TEXT("target", connection_target(conn)),
              LOG_TEXT("reason", reason));
}

/* farewell is sent as far as the socket takes it. */
static void
leave(struct connection *conn, struct bytes *farewell)
{
    if (conn->tunnel_fd >= 0) {
        if (farewell->size > 0)
            (void)send(conn->tunnel_fd, farewell->data, farewell->size,
                       MSG_NOSIGNAL);
        close(conn->tunnel_fd);
        conn->tunnel_fd = -1;
    }
    bytes_clear(farewell);
    bytes_clear(&conn->request);
    context_free(conn->asked);
    conn->asked = NULL;
}

/* This one did not work out. */
static void
next_destination(struct connection *conn, const struct error *error,
                 struct bytes *farewell)
{
    if (destinations_left(conn) == 1) {
        give_up(conn, EVENT_FAILED, error, farewell);
        return;
    }
    log_candidate(conn, error->text);
    account_failover(conn, error->label);
    snapshot_penalise(conn->arrival->snapshot, conn->order[conn->attempt]);
    leave(conn, farewell);
    conn->attempt++;
    try_destination(conn, error);
}

/* So it is after the server's key was changed.  Nothing has been carried yet, and
 * the time of this one goes on. */
static void
retry_with_new_ticket(struct connection *conn, struct handshake_result *result)
{
    struct error error = result->error;

    conn->retried = true;
    error_prefix(&error, "trying once more with a new ticket");
    log_candidate(conn, error.text);
    leave(conn, &result->farewell);
    try_destination(conn, &result->error);
}

static void
on_handshake(struct handshake_result *result, void *arg)
{
    struct connection *conn = arg;
    enum relay_opening opening = destinations_left(conn) > 1
                                     ? RELAY_OPEN
                                     : RELAY_AWAITS_READY;

    conn->handshake = NULL;
    timer_stop(&conn->deadline);
    spend(conn, &conn->handshake_left);
    if (result->outcome == HANDSHAKE_FAILED ||
        result->outcome == HANDSHAKE_PROBE) {
        if (result->stale && !conn->retried)
            retry_with_new_ticket(conn, result);
        else
            next_destination(conn, &result->error, &result->farewell);
        return;
    }
    if (result->outcome == HANDSHAKE_REFUSED) {
        conn->context = result->context;
        result->context = NULL;
        give_up(conn, EVENT_REFUSED, &result->error, &result->farewell);
        return;
    }
    connection_prove(conn, result);
    snapshot_absolve(conn->arrival->snapshot, conn->order[conn->attempt]);
    connection_relay(conn, opening);
}

static void
on_handshake_late(void *arg)
{
    struct connection *conn = arg;
    struct error error;
    struct bytes farewell = {0};

    error_set(&error, "no time left while waiting for %s",
              handshake_stage(conn->handshake));
    error_label(&error, "timeout");
    handshake_last_words(conn->handshake, error.text, &farewell);
    handshake_cancel(conn->handshake);
    conn->handshake = NULL;
    spend(conn, &conn->handshake_left);
    next_destination(conn, &error, &farewell);
}

static void
start_handshake(struct connection *conn)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    const struct handshake_settings settings = {
        .loop = conn->worker->loop,
        .pool = conn->worker->pool,
        .service = snapshot->service,
        .target = connection_target(conn),
        .request = &conn->request,
        .fd = conn->tunnel_fd,
        .connection_id = conn->arrival->id,
        .wait_ready = destinations_left(conn) > 1,
    };
    struct bytes nothing = {0};
    struct error error;
    struct context *context = conn->asked;

    conn->asked = NULL;
    conn->handshake = handshake_start(&settings, context, on_handshake, conn);
    bytes_clear(&conn->request);
    if (conn->handshake == NULL) {
        error_set(&error, "cannot begin a handshake: out of memory");
        next_destination(conn, &error, &nothing);
        return;
    }
    begin_stage(conn);
    timer_init(&conn->deadline, settings.loop, on_handshake_late, conn);
    timer_start(&conn->deadline,
                conn->handshake_left / destinations_left(conn));
}

static void
on_dialled(int fd, const struct address *address, const struct error *err,
           void *arg)
{
    struct connection *conn = arg;
    struct bytes nothing = {0};

    conn->dial = NULL;
    spend(conn, &conn->connect_left);
    if (fd < 0) {
        struct error error = *err;
        error_label(&error, "unreachable");
        next_destination(conn, &error, &nothing);
        return;
    }
    conn->tunnel_fd = fd;
    conn->remote = *address;
    socket_tune(fd);
    start_handshake(conn);
}

static void
dial_destination(struct connection *conn)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    struct bytes nothing = {0};
    struct error error;

    begin_stage(conn);
    conn->dial = dial_start(
        conn->worker->loop, conn->worker->pool,
        &snapshot->destinations[conn->order[conn->attempt]].endpoint,
        conn->connect_left / destinations_left(conn), on_dialled, conn);
    if (conn->dial == NULL) {
        error_set(&error, "cannot dial: out of memory");
        give_up(conn, EVENT_FAILED, &error, &nothing);
    } else if (snapshot->addresses != NULL) {
        dial_go_by(conn->dial, snapshot->addresses);
    }
}

static void
on_asked(struct step_result *result, void *arg)
{
    struct connection *conn = arg;
    struct bytes nothing = {0};

    conn->asking = NULL;
    timer_stop(&conn->deadline);
    spend(conn, &conn->handshake_left);
    if (result->status != CONTEXT_CONTINUE) {
        context_free(result->context);
        next_destination(conn, &result->output->error, &nothing);
        return;
    }
    conn->asked = result->context;
    conn->request.data = result->output->token;
    conn->request.size = result->output->token_size;
    result->output->token = NULL;
    dial_destination(conn);
}

static void
on_asked_late(void *arg)
{
    struct connection *conn = arg;
    struct bytes nothing = {0};
    struct error error;

    error_set(&error, "no time left while waiting for %s",
              step_is_fetching(conn->asking)
                  ? "the Kerberos service ticket from the KDC"
                  : "the making of the AP-REQ");
    error_label(&error, "timeout");
    step_cancel(conn->asking);
    conn->asking = NULL;
    spend(conn, &conn->handshake_left);
    next_destination(conn, &error, &nothing);
}

/* The ticket and the AP-REQ come first: who waits for a KDC must not take up a
 * place among the server's handshakes. */
static void
try_destination(struct connection *conn, const struct error *last)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    struct bytes nothing = {0};
    struct error error = *last;

    if (destinations_left(conn) == 0) {
        give_up(conn, EVENT_FAILED, &error, &nothing);
        return;
    }
    struct context *context = context_new_initiator(
        snapshot->credential, connection_target(conn), &error);
    if (context == NULL) {
        next_destination(conn, &error, &nothing);
        return;
    }
    context->engine = snapshot->config->global.engine;
    conn->asking = step_start(conn->worker->loop, conn->worker->pool, context,
                              &nothing, on_asked, conn);
    if (conn->asking == NULL) {
        context_free(context);
        error_set(&error, "cannot take a GSS step: out of memory");
        next_destination(conn, &error, &nothing);
        return;
    }
    begin_stage(conn);
    timer_init(&conn->deadline, conn->worker->loop, on_asked_late, conn);
    timer_start(&conn->deadline,
                conn->handshake_left / destinations_left(conn));
}

void
initiator_open(struct connection *conn)
{
    struct error none;

    error_set(&none, "no server is known: %s",
              connection_snapshot(conn)->why_empty != NULL
                  ? connection_snapshot(conn)->why_empty
                  : "none is configured");
    error_label(&none, "no_server");
    try_destination(conn, &none);
}
