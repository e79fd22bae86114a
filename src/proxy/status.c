/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon says of itself: HTTP on the status socket, one document,
 * /status.json.  The connections are described by their own threads; this waits
 * for nobody.
 */
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "proxy/connection.h"
#include "proxy/server_parts.h"
#include "version.h"

enum {
    LANES_SHOWN = 64,
    STATUS_MODE = 0600,
    REQUEST_SECONDS = 5,
    ACCEPT_REST_US = 100000,
};

struct status {
    /* owned */
    struct evhttp *http;
    /* borrowed */
    struct server *server;
    /* plain */
    struct endpoint endpoint;
};

/* One request that waits for the workers. */
struct query {
    struct evhttp_request *request; /* NULL once its connection is gone */
    struct server *server;
};

static void
describe(struct connection *conn, struct evbuffer *out, const void *arg)
{
    (void)arg;
    connection_describe(conn, out);
}

static void
add_lanes(struct evbuffer *out, struct pool *pool)
{
    struct lane_status *lanes = calloc(LANES_SHOWN, sizeof *lanes);
    size_t count = lanes != NULL ? pool_lanes(pool, lanes, LANES_SHOWN) : 0;

    json_open_member(out, "lanes", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(out, '{');
        json_text(out, "name", lanes[i].name);
        json_number(out, "running", lanes[i].running);
        json_number(out, "queued", lanes[i].queued);
        json_close(out, '}');
    }
    json_close(out, ']');
    free(lanes);
}

static void
add_totals(struct evbuffer *out, struct server *server)
{
    struct admission_status admission = admission_status(server->admission);
    uint64_t accepted = 0, opened = 0, failed = 0, refused = 0;

    for (size_t i = 0; i < server->service_count; i++) {
        const struct counters *counters = service_counters(server->services[i]);
        accepted += atomic_load(&counters->accepted);
        opened += atomic_load(&counters->opened);
        failed += atomic_load(&counters->failed);
        refused += atomic_load(&counters->refused);
    }
    json_open_member(out, "totals", '{');
    json_number(out, "connections", admission.connections);
    json_number(out, "handshakes", admission.handshakes);
    json_number(out, "held", admission.held);
    json_number(out, "accepted", accepted);
    json_number(out, "opened", opened);
    json_number(out, "failed", failed);
    json_number(out, "refused", refused);
    json_number(out, "buffer_memory", batch_budget_used(server->budget));
    json_number(out, "log_dropped", log_dropped());
    json_close(out, '}');
}

static void
compose(struct evbuffer *out, struct server *server,
        struct evbuffer *connections)
{
    json_open(out, '{');
    json_text(out, "version", KERBWRAP_VERSION);
    json_number(out, "pid", (uint64_t)getpid());
    json_seconds(out, "uptime", loop_now_ms() - server->started_ms);
    json_open_member(out, "services", '[');
    for (size_t i = 0; i < server->service_count; i++)
        service_describe(server->services[i], out);
    json_close(out, ']');
    json_open_member(out, "connections", '[');
    json_values(out, connections);
    json_close(out, ']');
    add_totals(out, server);
    add_lanes(out, server->pool);
    json_close(out, '}');
    evbuffer_add(out, "\n", 1);
}

static void
on_described(struct evbuffer *connections, void *arg)
{
    struct query *query = arg;

    if (query->request != NULL) {
        evhttp_connection_set_closecb(
            evhttp_request_get_connection(query->request), NULL, NULL);
        compose(evhttp_request_get_output_buffer(query->request), query->server,
                connections);
        evhttp_add_header(evhttp_request_get_output_headers(query->request),
                          "Content-Type", "application/json");
        evhttp_send_reply(query->request, HTTP_OK, NULL, NULL);
    }
    free(query);
}

static void
on_client_gone(struct evhttp_connection *connection, void *arg)
{
    struct query *query = arg;

    (void)connection;
    query->request = NULL;
}

static void
on_status_request(struct evhttp_request *request, void *arg)
{
    struct status *status = arg;
    struct query *query = calloc(1, sizeof *query);
    const struct tour tour = {
        .visit = describe,
        .done = on_described,
        .done_arg = query,
    };

    if (query == NULL) {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    query->request = request;
    query->server = status->server;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request),
                                  on_client_gone, query);
    if (!server_tour(status->server, &tour)) {
        query->request = NULL;
        evhttp_connection_set_closecb(evhttp_request_get_connection(request),
                                      NULL, NULL);
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
        free(query);
    }
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(arg);
}

/* Out of descriptors: it rests, or it would be called again at once. */
static void
on_accept_failed(struct evconnlistener *listener, void *arg)
{
    const struct timeval rest = {.tv_usec = ACCEPT_REST_US};

    (void)arg;
    if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT,
                        on_rested, listener, &rest) == 0)
        evconnlistener_disable(listener);
}

/* fd is evhttp's from here on; still the caller's when it fails. */
static bool
serve(struct status *status, int fd)
{
    struct evhttp_bound_socket *bound;

    status->http = evhttp_new(loop_base(status->server->loop));
    if (status->http == NULL)
        return false;
    bound = evhttp_accept_socket_with_handle(status->http, fd);
    if (bound == NULL)
        return false;
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound),
                                on_accept_failed);
    evhttp_set_timeout(status->http, REQUEST_SECONDS);
    evhttp_set_allowed_methods(status->http, EVHTTP_REQ_GET);
    evhttp_set_cb(status->http, "/status.json", on_status_request, status);
    return true;
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
    status->endpoint = server->config->global.status;
    int fd = socket_listen(&status->endpoint, STATUS_MODE, err);
    if (fd < 0) {
        error_prefix(err, "`status`");
        free(status);
        return NULL;
    }
    if (!serve(status, fd)) {
        error_set(err, "cannot offer the status: out of memory");
        close(fd);
        status_free(status);
        return NULL;
    }
    return status;
}

void
status_free(struct status *status)
{
    if (status == NULL)
        return;
    if (status->http != NULL)
        evhttp_free(status->http);
    if (status->endpoint.kind == ENDPOINT_UNIX)
        (void)unlink(status->endpoint.path);
    free(status);
}
