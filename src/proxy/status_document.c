/* SPDX-License-Identifier: BSD-2-Clause */
/* The document /status.json. */
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "proxy/status_parts.h"
#include "version.h"

enum {
    LANES_SHOWN = 64
};

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
        accepted += counters_get(&counters->accepted);
        opened += counters_get(&counters->opened);
        failed += counters_get(&counters->failed);
        refused += counters_get(&counters->refused);
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

/* The connections come last: looking for the end of a long text takes time. */
void
status_document(struct server *server, struct evbuffer *connections,
                struct evbuffer *out)
{
    json_open(out, '{');
    json_text(out, "version", KERBWRAP_VERSION);
    json_number(out, "pid", (uint64_t)getpid());
    json_seconds(out, "uptime", loop_now_ms() - server->started_ms);
    json_boolean(out, "stopping", server->stopping > 0);
    json_open_member(out, "services", '[');
    for (size_t i = 0; i < server->service_count; i++)
        service_describe(server->services[i], out);
    json_close(out, ']');
    add_totals(out, server);
    add_lanes(out, server->pool);
    json_open_member(out, "connections", '[');
    json_values(out, connections);
    json_close(out, ']');
    json_close(out, '}');
    evbuffer_add(out, "\n", 1);
}
