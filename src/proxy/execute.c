/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The acceptor's application as a program: started in the place of dialling,
 * asked for its exit status before its end becomes ours.
 */
#include <poll.h>

#include "proxy/connection_parts.h"

static void
on_started(int fd, const struct error *err, void *arg)
{
    struct connection *conn = arg;
    struct error error = *err;

    if (fd < 0) {
        error_prefix(&error, "the application cannot be reached");
        connection_refuse(conn, EVENT_FAILED, RESET_UNREACHABLE, error.text);
        return;
    }
    conn->app_fd = fd;
    connection_relay(conn, RELAY_SENDS_READY);
}

/* It may have failed after it had closed its side in good order. */
static void
on_ended(void *arg)
{
    struct connection *conn = arg;
    struct error error;

    if (!conn->app_end_passed)
        relay_look_again(conn->relay);
    else if (program_state(conn->program, &error) == PROGRAM_FAILED)
        connection_close(conn, RESET_APPLICATION, error.text);
}

/* Closed altogether, or only shut down in one direction? */
static bool
is_closed(int fd)
{
    struct pollfd look = {.fd = fd};

    return poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
}

enum relay_app_end
connection_app_end(struct error *err, void *arg)
{
    struct connection *conn = arg;

    switch (program_state(conn->program, err)) {
    case PROGRAM_FAILED:
        return RELAY_APP_FAILED;
    case PROGRAM_RUNS:
        if (is_closed(conn->app_fd)) {
            program_hurry(conn->program);
            return RELAY_APP_UNSURE;
        }
        break;
    case PROGRAM_SUCCEEDED:
    default:
        break;
    }
    conn->app_end_passed = true;
    return RELAY_APP_ENDED;
}

void
connection_execute(struct connection *conn)
{
    const struct snapshot *snapshot = connection_snapshot(conn);
    const struct program_settings settings = {
        .loop = conn->worker->loop,
        .pool = conn->worker->pool,
        .list = &conn->worker->programs,
        .config = snapshot->config,
        .service = snapshot->service,
        .principal = connection_peer(conn),
        .target = connection_target(conn),
        .arrival = conn->arrival,
    };
    const struct program_handler handler = {
        .on_started = on_started,
        .on_ended = on_ended,
        .arg = conn,
    };

    conn->program = program_start(&settings, &handler);
    if (conn->program == NULL)
        connection_close(conn, RESET_INTERNAL,
                         "cannot start a program: out of memory");
}
