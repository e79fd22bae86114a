/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection as JSON, for `kerbwrap status`.
 */
#include "proxy/connection_parts.h"
#include "base/json.h"

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

void
connection_describe(const struct connection *conn, struct evbuffer *out)
{
    const struct service_settings *service = connection_service(conn);
    struct relay_progress progress = conn->relay != NULL
                                         ? relay_progress(conn->relay)
                                         : conn->progress;
    char from[ADDRESS_TEXT_SIZE], to[ENDPOINT_TEXT_SIZE];
    const char *enctype = "";

    address_format(&conn->arrival->peer, from, sizeof from);
    connection_format_to(conn, to);
    if (conn->context != NULL)
        enctype = conn->context->ops->peer(conn->context)->enctype;
    json_open(out, '{');
    json_number(out, "id", conn->arrival->id);
    json_number(out, "peer_id", conn->peer_id);
    json_text(out, "service", service->name);
    json_text(out, "role", role_name(service->role));
    json_text(out, "state", stage(conn));
    json_text(out, "principal", connection_peer(conn));
    json_text(out, "target", connection_target(conn));
    json_text(out, "from", from);
    json_text(out, "to", to);
    json_number(out, "received", progress.to_app);
    json_number(out, "sent", progress.from_app);
    json_seconds(out, "age", loop_now_ms() - conn->started_ms);
    json_text(out, "enctype", enctype);
    json_text(out, "engine",
              conn->relay != NULL ? relay_engine(conn->relay) : "");
    json_close(out, '}');
}
