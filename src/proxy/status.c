/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon says of itself: HTTP on the status socket.  The connections
 * are described by their own threads; this waits for nobody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proxy/connection.h"
#include "proxy/metrics.h"
#include "proxy/status_parts.h"

/* One answer that waits for the workers. */
struct query {
    /* borrowed */
    struct status *status;
    /* plain */
    uint64_t call;
    const char *type;
    /* gathered: what all visits wrote; out: the answer. */
    void (*compose)(struct server *server, struct evbuffer *gathered,
                    struct evbuffer *out);
};

static void
on_gathered(struct evbuffer *gathered, void *arg)
{
    struct query *query = arg;
    struct http_answer answer = {
        .status = 200,
        .type = query->type,
        .body = evbuffer_new(),
    };

    if (answer.body != NULL) {
        query->compose(query->status->server, gathered, answer.body);
        http_reply(query->status->http, query->call, &answer);
        evbuffer_free(answer.body);
    }
    free(query);
}

/* Answers once all loops have been round; visit may be NULL. */
static void
gather(const struct query *query, server_visit *visit)
{
    struct query *kept = malloc(sizeof *kept);
    const struct tour tour = {
        .visit = visit,
        .done = on_gathered,
        .done_arg = kept,
    };

    if (kept != NULL) {
        *kept = *query;
        if (server_tour(query->status->server, &tour))
            return;
    }
    http_say(query->status->http, query->call, 503, "out of memory");
    free(kept);
}

/* /status.json */

static void
describe(struct connection *conn, struct evbuffer *out, const void *arg)
{
    (void)arg;
    connection_describe(conn, out);
}

static void
serve_document(struct status *status, const struct http_call *call)
{
    const struct query query = {status, call->id, "application/json",
                                status_document};
    gather(&query, describe);
}

/* /metrics */

static void
account(struct connection *conn, struct evbuffer *out, const void *arg)
{
    (void)out;
    (void)arg;
    connection_account(conn);
}

static void
compose_metrics(struct server *server, struct evbuffer *gathered,
                struct evbuffer *out)
{
    (void)gathered;
    metrics_write(server, out);
}

static void
serve_metrics(struct status *status, const struct http_call *call)
{
    const struct query query = {status, call->id,
                                "text/plain; version=0.0.4; charset=utf-8",
                                compose_metrics};
    gather(&query, account);
}

/* /healthz: that this comes back is all that is asked. */

static void
compose_health(struct server *server, struct evbuffer *gathered,
               struct evbuffer *out)
{
    (void)server;
    (void)gathered;
    evbuffer_add_printf(out, "healthy\n");
}

static void
serve_health(struct status *status, const struct http_call *call)
{
    const struct query query = {status, call->id, "text/plain; charset=utf-8",
                                compose_health};
    gather(&query, NULL);
}

/* /readyz */

static void
serve_readiness(struct status *status, const struct http_call *call)
{
    const struct server *server = status->server;
    char reasons[4096] = "";
    size_t size = 0;

    if (server->stopping > 0)
        size += (size_t)snprintf(reasons, sizeof reasons, BEING_STOPPED "\n");
    for (size_t i = 0; i < server->service_count && size < sizeof reasons;
         i++) {
        const struct service *service = server->services[i];
        const char *why = service_why_not_ready(service);
        if (why != NULL)
            size += (size_t)snprintf(reasons + size, sizeof reasons - size,
                                     "[%s %s] %s\n",
                                     role_name(service_settings(service)->role),
                                     service_settings(service)->name, why);
    }
    if (reasons[0] == '\0') {
        http_say(status->http, call->id, 200, "ready");
        return;
    }
    reasons[strlen(reasons) - 1] = '\0';
    http_say(status->http, call->id, 503, "%s", reasons);
}

/* / */

static void
serve_page(struct status *status, const struct http_call *call)
{
    char nonce[33], policy[256];
    uint64_t random[2];
    struct http_answer answer = {
        .status = 200,
        .type = "text/html; charset=utf-8",
        .policy = policy,
        .body = evbuffer_new(),
    };

    if (answer.body == NULL ||
        getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        http_say(status->http, call->id, 503, "out of memory");
    } else {
        snprintf(nonce, sizeof nonce, "%016" PRIx64 "%016" PRIx64, random[0],
                 random[1]);
        snprintf(policy, sizeof policy,
                 "default-src 'none'; script-src 'nonce-%s'; style-src "
                 "'nonce-%s'; connect-src 'self'; img-src data:; base-uri "
                 "'none'; form-action 'none'",
                 nonce, nonce);
        status_page(nonce, answer.body);
        http_reply(status->http, call->id, &answer);
    }
    if (answer.body != NULL)
        evbuffer_free(answer.body);
}

/* What is served. */

static const struct route {
    const char *path;
    bool is_post;
    void (*serve)(struct status *status, const struct http_call *call);
} routes[] = {
    {"/", false, serve_page},
    {"/status.json", false, serve_document},
    {"/metrics", false, serve_metrics},
    {"/healthz", false, serve_health},
    {"/readyz", false, serve_readiness},
    {"/close", true, status_close},
};

static void
on_called(const struct http_call *call, void *arg)
{
    struct status *status = arg;
    bool is_post = call->request->method == REQUEST_POST;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, call->request->path) != 0)
            continue;
        if (routes[i].is_post == is_post)
            routes[i].serve(status, call);
        else
            http_say(status->http, call->id, 405, "use %s",
                     routes[i].is_post ? "POST" : "GET");
        return;
    }
    http_say(status->http, call->id, 404,
             "there are /, /status.json, /metrics, /healthz and /readyz");
}

struct status *
status_new(struct server *server, struct error *err)
{
    struct status *status = calloc(1, sizeof *status);
    if (status == NULL) {
        error_set(err, "cannot offer the status: out of memory");
        return NULL;
    }
    status->server = server;
    status->http = http_new(server->loop, &server->config->global.status,
                            on_called, status, err);
    if (status->http == NULL) {
        error_prefix(err, "`status`");
        free(status);
        return NULL;
    }
    return status;
}

void
status_free(struct status *status)
{
    if (status == NULL)
        return;
    http_free(status->http);
    free(status);
}
