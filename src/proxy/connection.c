/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a connection, whichever role: it is opened, relays, and ends
 * once.  connection_end is the only function that ends one and the only one
 * that logs the end.
 */
#include "proxy/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "proxy/connection_parts.h"

enum {
    EXPIRY_LOOK_S = 60
};

static void
enter(struct connection *conn, enum connection_state next)
{
    static const enum connection_state latest_before[] = {
        [CONNECTION_OPENING] = CONNECTION_OPENING,
        [CONNECTION_RELAYING] = CONNECTION_OPENING,
        [CONNECTION_PARTING] = CONNECTION_RELAYING,
        [CONNECTION_GONE] = CONNECTION_PARTING,
    };
    (void)latest_before; /* where assertions are off */
    assert(conn->state <= latest_before[next]);
    conn->state = next;
}

const char *
connection_peer(const struct connection *conn)
{
    if (conn->context == NULL)
        return "";
    return conn->context->ops->peer(conn->context)->display;
}

const char *
connection_target(const struct connection *conn)
{
    const struct snapshot *snapshot = connection_snapshot(conn);

    if (snapshot->service->role == ROLE_SERVER)
        return conn->target != NULL ? conn->target : "";
    if (conn->attempt >= snapshot->destination_count)
        return "";
    return snapshot->destinations[conn->order[conn->attempt]].spn;
}

bool
connection_is_ending(const struct connection *conn)
{
    return conn->state >= CONNECTION_PARTING;
}

uint64_t
connection_id(const struct connection *conn)
{
    return conn->arrival->id;
}

struct connection *
connection_next(const struct connection *conn)
{
    return conn->next;
}

/* The end. */

static void
free_connection(struct connection *conn)
{
    if (conn->tunnel_fd >= 0)
        close(conn->tunnel_fd);
    if (conn->next != NULL)
        conn->next->link = conn->link;
    *conn->link = conn->next;
    if (conn->worker->connections == NULL)
        batch_store_rest(conn->worker->store);
    worker_forget(conn->worker, conn);
    channel_free(conn->channel);
    context_free(conn->context);
    free(conn->target);
    config_release(conn->rules);
    free(conn);
}

static void
depart(void *arg)
{
    struct connection *conn = arg;
    struct arrival *arrival = conn->arrival;

    conn->farewell = NULL;
    enter(conn, CONNECTION_GONE);
    free_connection(conn);
    arrival_leave(arrival);
}

void
connection_format_to(const struct connection *conn,
                     char text[ENDPOINT_TEXT_SIZE])
{
    const struct text_list *exec = &connection_service(conn)->exec;

    text[0] = '\0';
    if (exec->count > 0)
        snprintf(text, ENDPOINT_TEXT_SIZE, "exec:%s", exec->items[0]);
    else if (conn->remote.length > 0)
        address_format(&conn->remote, text, ENDPOINT_TEXT_SIZE);
}

/* An empty text is left out of the line. */
static const char *
known(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void
log_down(const struct connection *conn, const char *reason)
{
    log_event(EVENT_DOWN, LOG_TEXT("service", connection_service(conn)->name),
              LOG_NUMBER("id", conn->arrival->id),
              LOG_NUMBER("peer_id", conn->peer_id),
              LOG_TEXT("peer", known(connection_peer(conn))),
              LOG_TEXT("reason", reason),
              LOG_MS("duration", loop_now_ms() - conn->started_ms),
              LOG_NUMBER("received", conn->progress.to_app),
              LOG_NUMBER("sent", conn->progress.from_app));
}

static void
log_end(const struct connection *conn, const struct ending *ending)
{
    char from[ADDRESS_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];

    if (ending->event == EVENT_DOWN)
        log_down(conn, ending->reason);
    if (ending->event == EVENT_DOWN || !log_enabled(ending->event))
        return;
    address_format(&conn->arrival->peer, from, sizeof from);
    connection_format_to(conn, to);
    log_event(ending->event,
              LOG_TEXT("service", connection_service(conn)->name),
              LOG_NUMBER("id", conn->arrival->id),
              LOG_TEXT("peer", known(connection_peer(conn))),
              LOG_TEXT("from", from), LOG_TEXT("to", known(to)),
              LOG_TEXT("target", known(connection_target(conn))),
              LOG_TEXT("rule", conn->rule), LOG_TEXT("reason", ending->reason),
              LOG_MS("duration", loop_now_ms() - conn->started_ms));
}

/* Stops all that could still call back. */
static void
cancel_all(struct connection *conn)
{
    dial_cancel(conn->dial);
    step_cancel(conn->asking);
    context_free(conn->asked);
    bytes_clear(&conn->request);
    handshake_cancel(conn->handshake);
    vetting_cancel(conn->vetting);
    vetting_cancel(conn->vetting_again);
    relay_free(conn->relay);
    timer_stop(&conn->deadline);
    timer_stop(&conn->lifetime);
    timer_stop(&conn->expiry);
    timer_stop(&conn->vet_later);
    conn->dial = NULL;
    conn->asking = NULL;
    conn->asked = NULL;
    conn->handshake = NULL;
    conn->vetting = conn->vetting_again = NULL;
    conn->relay = NULL;
}

void
connection_end(struct connection *conn, struct ending *ending)
{
    if (conn->relay != NULL)
        conn->progress = relay_progress(conn->relay);
    enter(conn, CONNECTION_PARTING);
    log_end(conn, ending);
    account_end(conn, ending->event, ending->label);
    cancel_all(conn);
    if (conn->arrival->outcome != NULL) {
        conn->arrival->outcome->finished = ending->clean;
        error_set(&conn->arrival->outcome->reason, "%s", ending->reason);
    }
    if (conn->program != NULL)
        program_end(conn->program, conn->app_fd, ending->clean);
    else if (conn->app_fd >= 0 && ending->clean)
        socket_close(conn->app_fd);
    else
        socket_reset(conn->app_fd);
    conn->program = NULL;
    conn->app_fd = -1;

    if (ending->goodbye && conn->tunnel_fd >= 0)
        conn->farewell = farewell_start(
            conn->worker->loop, conn->tunnel_fd, &ending->farewell,
            connection_service(conn)->close_timeout, depart, conn);
    bytes_clear(&ending->farewell);
    if (conn->farewell == NULL)
        depart(conn);
}

void
connection_drop(struct connection *conn)
{
    cancel_all(conn);
    farewell_cancel(conn->farewell);
    if (conn->program != NULL)
        program_end(conn->program, conn->app_fd, false);
    else
        socket_reset(conn->app_fd);
    free_connection(conn);
}

void
connection_refuse(struct connection *conn, enum log_event event,
                  enum reset_code code, const char *reason)
{
    struct ending ending = {
        .event = event,
        .reason = reason,
        .label = reset_name((uint8_t)code),
    };
    struct error ignored;

    if (conn->relay != NULL) {
        relay_last_words(conn->relay, code, reason, &ending.farewell);
        ending.goodbye = true;
    } else if (conn->channel != NULL) {
        ending.goodbye = sealed_append_reset(&ending.farewell, conn->channel,
                                             code, reason, &ignored);
    }
    connection_end(conn, &ending);
}

void
connection_close(struct connection *conn, enum reset_code code,
                 const char *reason)
{
    if (conn->state < CONNECTION_PARTING)
        connection_refuse(conn,
                          conn->state == CONNECTION_RELAYING ? EVENT_DOWN
                                                             : EVENT_FAILED,
                          code, reason);
}

/* The relay. */

static void
log_up(struct connection *conn)
{
    const struct service_settings *service = connection_service(conn);
    const struct context_peer *peer = conn->context->ops->peer(conn->context);
    char from[ADDRESS_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];

    address_format(&conn->arrival->peer, from, sizeof from);
    connection_format_to(conn, to);
    log_event(EVENT_UP, LOG_TEXT("service", service->name),
              LOG_NUMBER("id", conn->arrival->id),
              LOG_NUMBER("peer_id", conn->peer_id),
              LOG_TEXT("peer", peer->display), LOG_TEXT("from", from),
              LOG_TEXT("to", to), LOG_TEXT("target", connection_target(conn)),
              LOG_TEXT("enctype", peer->enctype),
              LOG_TEXT("ticket_enctype", peer->ticket_enctype),
              LOG_TEXT("engine", relay_engine(conn->relay)),
              LOG_TEXT("protection", service->protection == PROTECTION_SEAL
                                         ? "seal"
                                         : "sign"),
              LOG_TEXT("rule", conn->rule));
}

/* The clock may be set meanwhile: it is looked at now and again. */
static void
on_expiry_look(void *arg)
{
    struct connection *conn = arg;
    int64_t endtime = conn->context->ops->peer(conn->context)->endtime;
    int64_t left = endtime - (int64_t)time(NULL);

    if (left <= 0)
        connection_close(conn, RESET_TIMEOUT,
                         "the Kerberos ticket has expired");
    else
        timer_start(&conn->expiry, left < EXPIRY_LOOK_S
                                       ? (uint64_t)left * 1000
                                       : EXPIRY_LOOK_S * UINT64_C(1000));
}

/* Not at once, as the caller goes on with conn. */
static void
watch_expiry(struct connection *conn)
{
    if (connection_service(conn)->on_ticket_expiry == EXPIRY_CLOSE &&
        conn->context->ops->peer(conn->context)->endtime != 0)
        timer_start(&conn->expiry, 0);
}

/* READY was sent, or heard. */
static void
on_opened(void *arg)
{
    struct connection *conn = arg;

    enter(conn, CONNECTION_RELAYING);
    timer_stop(&conn->deadline);
    account_opened(conn);
    log_up(conn);
    watch_expiry(conn);
}

static enum log_event
relay_event(const struct connection *conn, const struct relay_result *result)
{
    if (conn->state == CONNECTION_RELAYING)
        return EVENT_DOWN;
    return result->refused ? EVENT_REFUSED : EVENT_FAILED;
}

static void
on_relay_ended(const struct relay_result *result, void *arg)
{
    struct connection *conn = arg;
    struct ending ending = {
        .event = relay_event(conn, result),
        .reason = result->error.text,
        .label = result->error.label,
        .clean = result->end == RELAY_FINISHED,
        .goodbye = result->end == RELAY_FINISHED || result->reset != 0,
    };
    if (ending.goodbye)
        relay_last_words(conn->relay, result->reset, result->error.text,
                         &ending.farewell);
    connection_end(conn, &ending);
}

static void
on_ready_late(void *arg)
{
    connection_close(arg, RESET_TIMEOUT,
                     "the server proved itself, but sent no READY in time");
}

void
connection_prove(struct connection *conn, struct handshake_result *result)
{
    conn->context = result->context;
    conn->channel = result->channel;
    conn->peer_id = result->hello.connection_id;
    conn->peer_max_plaintext = result->hello.max_plaintext;
    account_proved(conn);
    result->context = NULL;
    result->channel = NULL;
}

void
connection_relay(struct connection *conn, enum relay_opening opening)
{
    const struct service_settings *service = connection_service(conn);
    struct relay_settings settings = {
        .loop = conn->worker->loop,
        .store = conn->worker->store,
        .arg = conn,
        .app_fd = conn->app_fd,
        .tunnel_fd = conn->tunnel_fd,
        .opening = opening,
        .protection = service->protection,
        .peer_max_plaintext = conn->peer_max_plaintext,
        .heartbeat = service->heartbeat,
        .idle_timeout = service->idle_timeout,
        .on_app_end = conn->program != NULL ? connection_app_end : NULL,
        .on_opened = on_opened,
        .on_ended = on_relay_ended,
    };
    struct channel *channel = conn->channel;

    conn->channel = NULL;
    conn->relay = relay_start(&settings, channel);
    if (conn->relay == NULL) {
        connection_close(conn, RESET_INTERNAL, "cannot relay: out of memory");
    } else if (opening == RELAY_AWAITS_READY) {
        timer_init(&conn->deadline, settings.loop, on_ready_late, conn);
        timer_start(&conn->deadline,
                    service->connect_timeout + service->handshake_timeout);
    } else {
        on_opened(conn);
    }
}

/* The beginning. */

static void
on_lifetime_over(void *arg)
{
    connection_close(arg, RESET_TIMEOUT, "max_lifetime is over");
}

static void
refuse_arrival(struct arrival *arrival)
{
    log_event(EVENT_ERROR,
              LOG_TEXT("service", arrival->snapshot->service->name),
              LOG_TEXT("reason", "cannot take a connection: out of memory"));
    socket_reset(arrival->fd);
    loop_post(arrival->main_loop, &arrival->closed);
}

static void
link_connection(struct connection *conn)
{
    struct worker *worker = conn->worker;

    conn->next = worker->connections;
    conn->link = &worker->connections;
    if (conn->next != NULL)
        conn->next->link = &conn->next;
    worker->connections = conn;
}

void
connection_open(struct arrival *arrival)
{
    const struct service_settings *service = arrival->snapshot->service;
    struct connection *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        refuse_arrival(arrival);
        return;
    }
    conn->arrival = arrival;
    arrival->parts = 1;
    conn->worker = arrival->worker;
    conn->started_ms = loop_now_ms();
    conn->account.started_us = loop_now_us();
    conn->account.rate.ms = conn->started_ms;
    conn->connect_left = service->connect_timeout;
    conn->handshake_left = service->handshake_timeout;
    conn->app_fd = service->role == ROLE_CLIENT ? arrival->fd : -1;
    conn->tunnel_fd = service->role == ROLE_SERVER ? arrival->fd : -1;
    snapshot_order(arrival->snapshot, conn->order);
    link_connection(conn);

    struct loop *loop = conn->worker->loop;
    timer_init(&conn->deadline, loop, on_ready_late, conn);
    timer_init(&conn->expiry, loop, on_expiry_look, conn);
    timer_init(&conn->vet_later, loop, connection_vet_later, conn);
    timer_init(&conn->lifetime, loop, on_lifetime_over, conn);
    if (service->max_lifetime != DURATION_OFF)
        timer_start(&conn->lifetime, service->max_lifetime);
    if (service->role == ROLE_CLIENT) {
        socket_arm_reset(conn->app_fd);
        initiator_open(conn);
    } else {
        acceptor_open(conn);
    }
}
