/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's opening: the client proves itself, is judged by the rules, and
 * only then is the application dialled.  docs/protocol.md section 3.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/admission.h"
#include "proxy/connection_parts.h"
#include "wire/proxyheader.h"

/* Tells the application who connects, as its first bytes.  A socket that was
 * just connected takes a header whole, or something is wrong with it. */
static bool
introduce(const struct connection *conn, int fd, struct error *err)
{
    uint8_t header[PROXYHEADER_MAX];
    struct address here;
    size_t size;

    if (!socket_local_address(conn->tunnel_fd, &here, err) ||
        !proxyheader_encode(&conn->arrival->peer, &here, connection_peer(conn),
                            header, &size, err))
        return false;
    ssize_t sent = send(fd, header, size, MSG_NOSIGNAL);
    if (sent == (ssize_t)size)
        return true;
    error_set_errno(err, sent < 0 ? errno : ENOBUFS,
                    "cannot send the PROXY header");
    return false;
}

static void dial_application(struct connection *conn, const struct error *last);

/* This one did not work out. */
static void
next_application(struct connection *conn, const struct error *error)
{
    uint64_t spent = loop_now_ms() - conn->stage_ms;

    snapshot_penalise(conn->arrival->snapshot, conn->order[conn->attempt]);
    conn->connect_left -= conn->connect_left > spent ? spent
                                                     : conn->connect_left;
    conn->attempt++;
    dial_application(conn, error);
}

static void
on_dialled(int fd, const struct address *address, const struct error *err,
           void *arg)
{
    struct connection *conn = arg;
    struct error error;

    conn->dial = NULL;
    if (fd < 0) {
        next_application(conn, err);
        return;
    }
    if (connection_service(conn)->proxy_protocol == PROXY_V2 &&
        !introduce(conn, fd, &error)) {
        socket_reset(fd);
        next_application(conn, &error);
        return;
    }
    snapshot_absolve(conn->arrival->snapshot, conn->order[conn->attempt]);
    conn->app_fd = fd;
    conn->remote = *address;
    socket_tune(fd);
    connection_relay(conn, RELAY_SENDS_READY);
}

static void
dial_application(struct connection *conn, const struct error *last)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    size_t left = snapshot->destination_count - conn->attempt;
    struct error error = *last;

    if (left > 0) {
        conn->stage_ms = loop_now_ms();
        conn->dial = dial_start(
            conn->worker->loop, conn->worker->pool,
            &snapshot->destinations[conn->order[conn->attempt]].endpoint,
            conn->connect_left / left, on_dialled, conn);
        if (conn->dial != NULL) {
            dial_arm_reset(conn->dial);
            return;
        }
        error_set(&error, "out of memory");
    }
    error_prefix(&error, "the application cannot be reached");
    connection_refuse(conn, EVENT_FAILED, RESET_UNREACHABLE, error.text);
}

static void
on_handshake(struct handshake_result *result, void *arg)
{
    struct connection *conn = arg;

    conn->handshake = NULL;
    timer_stop(&conn->deadline);
    if (result->outcome != HANDSHAKE_DONE) {
        struct ending ending = {
            .event = result->outcome == HANDSHAKE_PROBE ? EVENT_PROBE
                                                        : EVENT_FAILED,
            .reason = result->error.text,
            .label = result->error.label,
            .farewell = result->farewell,
            .goodbye = result->farewell.size > 0,
        };
        conn->context = result->context;
        result->context = NULL;
        result->farewell = (struct bytes){0};
        connection_end(conn, &ending);
        return;
    }
    connection_prove(conn, result);
    loop_post(conn->arrival->main_loop, &conn->arrival->proved);
    conn->target = strdup(result->hello.target);
    connection_vet(conn);
}

void
acceptor_go_on(struct connection *conn)
{
    struct error none;

    if (connection_service(conn)->exec.count > 0) {
        connection_execute(conn);
        return;
    }
    error_set(&none, "no address is configured");
    dial_application(conn, &none);
}

/* A quarter of handshake_timeout is over.  A client sends its first token at
 * once: who has not by now is in the way of those who wait for a place. */
static void
on_handshake_quarter(void *arg)
{
    struct connection *conn = arg;
    uint64_t quarter = connection_service(conn)->handshake_timeout / 4;
    bool crowded = handshake_is_unheard(conn->handshake) &&
                   admission_is_crowded(conn->arrival);
    struct error error;
    struct ending ending = {
        .event = EVENT_FAILED,
        .reason = error.text,
        .label = "timeout",
    };

    conn->handshake_left -= quarter;
    if (conn->handshake_left > quarter / 2 && !crowded) {
        timer_start(&conn->deadline, quarter);
        return;
    }
    error_set(&error, "no time left while waiting for %s%s",
              handshake_stage(conn->handshake),
              crowded ? ": others wait for a place among the handshakes" : "");
    connection_end(conn, &ending);
}

void
acceptor_open(struct connection *conn)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    struct handshake_settings settings = {
        .loop = conn->worker->loop,
        .pool = conn->worker->pool,
        .service = snapshot->service,
        .fd = conn->tunnel_fd,
        .connection_id = conn->arrival->id,
    };
    struct error error;
    struct ending ending = {.event = EVENT_FAILED, .reason = error.text};
    struct context *context = context_new_acceptor(snapshot->credential,
                                                   &error);

    if (context != NULL) {
        context->engine = snapshot->config->global.engine;
        conn->handshake = handshake_start(&settings, context, on_handshake,
                                          conn);
        error_set(&error, "cannot begin a handshake: out of memory");
    }
    if (conn->handshake == NULL) {
        connection_end(conn, &ending);
        return;
    }
    timer_init(&conn->deadline, settings.loop, on_handshake_quarter, conn);
    timer_start(&conn->deadline, conn->handshake_left / 4);
}
