/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the process: listeners close, connections finish, what is left is
 * reset, and nothing that is stuck is waited for.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "proxy/connection.h"
#include "proxy/herald.h"
#include "proxy/server_parts.h"

/* For the RESETs to reach their peers. */
enum {
    LAST_WORDS_MS = 1000
};

static void
end(void *arg)
{
    struct server *server = arg;
    loop_stop(server->loop);
}

static void
close_connection(struct connection *conn, struct evbuffer *out, const void *arg)
{
    (void)out;
    (void)arg;
    connection_close(conn, RESET_SHUTDOWN, BEING_STOPPED);
}

static void
on_all_told(struct evbuffer *out, void *arg)
{
    struct server *server = arg;

    (void)out;
    if (admission_status(server->admission).connections == 0)
        end(server);
    else
        timer_start(&server->drain_timer, LAST_WORDS_MS);
}

static void
on_drain_timeout(void *arg)
{
    struct server *server = arg;
    const struct tour tour = {
        .visit = close_connection,
        .done = on_all_told,
        .done_arg = server,
    };

    timer_init(&server->drain_timer, server->loop, end, server);
    admission_stop(server->admission, BEING_STOPPED);
    if (!server_tour(server, &tour))
        end(server);
}

void
server_check_drained(struct server *server)
{
    if (server->stopping > 0 &&
        admission_status(server->admission).connections == 0)
        end(server);
}

void
server_stop(struct server *server)
{
    uint64_t timeout = server->config->global.drain_timeout;

    if (++server->stopping > 1) {
        log_event(EVENT_STOPPED, LOG_TEXT("reason", "told twice to stop"));
        process_kill_children();
        log_close(200);
        _Exit(EXIT_SUCCESS);
    }
    preparation_cancel(server->preparation);
    server->preparation = NULL;
    for (size_t i = 0; i < server->service_count; i++)
        service_stop(server->services[i], false);
    herald_stopping(server->herald);
    log_event(EVENT_DRAINING,
              LOG_NUMBER("connections",
                         admission_status(server->admission).connections),
              LOG_MS("timeout", timeout == DURATION_OFF ? 0 : timeout));
    timer_init(&server->drain_timer, server->loop, on_drain_timeout, server);
    if (timeout != DURATION_OFF)
        timer_start(&server->drain_timer, timeout);
    server_check_drained(server);
}
