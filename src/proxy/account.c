/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection tells the counters of its service: a handful of additions
 * in its life.  Bytes are told when somebody looks, and at the end, so that the
 * counters only ever grow and the relay counts nothing for them.
 */
#include "proxy/connection_parts.h"

static struct counters *
counters_of(const struct connection *conn)
{
    return connection_snapshot(conn)->counters;
}

void
account_proved(struct connection *conn)
{
    histogram_observe(&counters_of(conn)->handshake,
                      loop_now_us() - conn->account.started_us);
}

void
account_opened(struct connection *conn)
{
    conn->account.opened_us = loop_now_us();
    counters_add(&counters_of(conn)->opened, 1);
}

void
account_failover(struct connection *conn, const char *label)
{
    counters_add(&counters_of(conn)->failovers, 1);
    counters_failure(counters_of(conn), label);
}

void
connection_account(struct connection *conn)
{
    struct relay_progress *told = &conn->account.told;

    if (conn->relay != NULL)
        conn->progress = relay_progress(conn->relay);
    counters_add(&counters_of(conn)->received,
                 conn->progress.to_app - told->to_app);
    counters_add(&counters_of(conn)->sent,
                 conn->progress.from_app - told->from_app);
    *told = conn->progress;
}

void
account_end(struct connection *conn, enum log_event event, const char *label)
{
    struct counters *counters = counters_of(conn);

    if (event == EVENT_REFUSED) {
        counters_add(&counters->refused, 1);
    } else if (event == EVENT_PROBE) {
        counters_add(&counters->probes, 1);
    } else if (event == EVENT_FAILED) {
        counters_add(&counters->failed, 1);
        counters_failure(counters, label);
    } else if (event == EVENT_DOWN) {
        histogram_observe(&counters->connection,
                          loop_now_us() - conn->account.opened_us);
    }
    connection_account(conn);
}
