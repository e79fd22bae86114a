/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection as JSON, for `kerbwrap status`.
 */
#include <time.h>

#include "base/json.h"
#include "proxy/connection_parts.h"

static const char *
stage(const struct connection *conn)
{
    if (conn->state == CONNECTION_RELAYING)
        return "up";
    if (conn->state >= CONNECTION_PARTING)
        return "closing";
    if (conn->asking != NULL)
        return "ticket";
    if (conn->vetting != NULL)
        return "groups";
    if (conn->program != NULL)
        return "starting";
    if (conn->dial != NULL)
        return "dialling";
    return conn->handshake != NULL ? "handshake" : "waiting for READY";
}

/* Until the ticket ends; 0: it has, or nobody knows. */
static uint64_t
seconds_left(const struct context_peer *peer)
{
    int64_t now = (int64_t)time(NULL);

    return peer->endtime > now ? (uint64_t)(peer->endtime - now) : 0;
}

static void
describe_peer(const struct connection *conn, struct evbuffer *out)
{
    const struct context_peer *peer;

    json_text(out, "principal", connection_peer(conn));
    if (conn->context == NULL) {
        json_text(out, "enctype", "");
        return;
    }
    peer = conn->context->ops->peer(conn->context);
    json_text(out, "enctype", peer->enctype);
    json_number(out, "ticket_seconds", seconds_left(peer));
}

static void
describe_traffic(struct connection *conn, struct evbuffer *out)
{
    struct rate *rate = &conn->account.rate;
    uint64_t now = loop_now_ms();

    connection_account(conn);
    rate_look(rate, now, conn->progress.to_app, conn->progress.from_app);
    json_number(out, "received", conn->progress.to_app);
    json_number(out, "sent", conn->progress.from_app);
    json_number(out, "received_rate", rate->received_rate);
    json_number(out, "sent_rate", rate->sent_rate);
    json_seconds(out, "age", now - conn->started_ms);
}

void
connection_describe(struct connection *conn, struct evbuffer *out)
{
    const struct service_settings *service = connection_service(conn);
    char from[ADDRESS_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];

    address_format(&conn->arrival->peer, from, sizeof from);
    connection_format_to(conn, to);
    json_open(out, '{');
    json_number(out, "id", conn->arrival->id);
    json_number(out, "peer_id", conn->peer_id);
    json_text(out, "service", service->name);
    json_text(out, "role", role_name(service->role));
    json_text(out, "state", stage(conn));
    describe_peer(conn, out);
    json_text(out, "target", connection_target(conn));
    json_text(out, "from", from);
    json_text(out, "to", to);
    describe_traffic(conn, out);
    json_text(out, "engine",
              conn->relay != NULL ? relay_engine(conn->relay) : "");
    json_close(out, '}');
}
