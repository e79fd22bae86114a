/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POST /close: "id=NUMBER" or "principal=NAME" ends the connections it names.
 * Only over a Unix socket, whose mode says who may, and only with a header that
 * no foreign page can make a browser send.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "proxy/connection.h"
#include "proxy/status_parts.h"

struct closing {
    /* borrowed */
    struct status *status;
    /* plain */
    uint64_t call;
    uint64_t id;                      /* 0: by principal */
    char principal[REQUEST_BODY_MAX]; /* exactly as shown */
    char reason[80];
};

/* Writes the ids of those it has ended. */
static void
visit(struct connection *conn, struct evbuffer *out, const void *arg)
{
    const struct closing *closing = arg;

    if (connection_is_ending(conn))
        return;
    if (closing->id != 0
            ? connection_id(conn) != closing->id
            : strcmp(connection_peer(conn), closing->principal) != 0)
        return;
    evbuffer_add_printf(out, "%llu", (unsigned long long)connection_id(conn));
    connection_close(conn, RESET_SHUTDOWN, closing->reason);
}

static void
on_visited(struct evbuffer *closed, void *arg)
{
    struct closing *closing = arg;
    struct http_answer answer = {
        .status = 200,
        .type = "application/json",
        .body = evbuffer_new(),
    };

    if (answer.body != NULL) {
        json_open(answer.body, '{');
        json_open_member(answer.body, "closed", '[');
        json_values(answer.body, closed);
        json_close(answer.body, ']');
        json_close(answer.body, '}');
        evbuffer_add(answer.body, "\n", 1);
        http_reply(closing->status->http, closing->call, &answer);
        evbuffer_free(answer.body);
    }
    free(closing);
}

/* False: it names nothing. */
static bool
take_body(struct closing *closing, const struct request *request)
{
    static const char id[] = "id=", principal[] = "principal=";
    char body[REQUEST_BODY_MAX + 1];

    memcpy(body, request->body, request->body_size);
    body[request->body_size] = '\0';
    if (strlen(body) != request->body_size)
        return false;
    if (strncmp(body, id, sizeof id - 1) == 0)
        return number_parse(body + sizeof id - 1, 1, UINT64_MAX, &closing->id,
                            NULL);
    if (strncmp(body, principal, sizeof principal - 1) != 0)
        return false;
    strcpy(closing->principal, body + sizeof principal - 1);
    return closing->principal[0] != '\0';
}

void
status_close(struct status *status, const struct http_call *call)
{
    struct closing *closing;

    if (!call->local_user || !call->request->marked) {
        http_say(status->http, call->id, 403,
                 "connections are closed over a Unix socket only, with the "
                 "header Kerbwrap-Action");
        return;
    }
    closing = calloc(1, sizeof *closing);
    if (closing == NULL || !take_body(closing, call->request)) {
        http_say(status->http, call->id, closing == NULL ? 503 : 400,
                 "expected id=NUMBER or principal=NAME");
        free(closing);
        return;
    }
    closing->status = status;
    closing->call = call->id;
    snprintf(closing->reason, sizeof closing->reason,
             "closed by kerbwrap status --close (user id %u)",
             (unsigned)call->user);
    const struct tour tour = {
        .visit = visit,
        .arg = closing,
        .done = on_visited,
        .done_arg = closing,
    };
    if (!server_tour(status->server, &tour)) {
        http_say(status->http, call->id, 503, "out of memory");
        free(closing);
    }
}
