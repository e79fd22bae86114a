/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom the rules let be: a peer that has just proved itself, and, after a
 * reload, those that are here already.
 */
#include <string.h>

#include "base/jitter.h"
#include "base/text.h"
#include "proxy/connection_parts.h"

enum {
    VET_LATER_FIRST_MS = 1000,
    VET_LATER_MAX_MS = 5 * 60 * 1000,
};

/* At the opening. */

static void
on_vetted(const struct vetting_result *result, void *arg)
{
    struct connection *conn = arg;

    conn->vetting = NULL;
    conn->rule = result->rule;
    if (result->allowed)
        acceptor_go_on(conn);
    else
        connection_refuse(conn, EVENT_REFUSED, RESET_FORBIDDEN,
                          result->error.text);
}

/* The service of conn as config has it; NULL: it has it no more. */
static const struct service_settings *
find_service(const struct connection *conn, const struct config *config)
{
    const struct service_settings *service = config_find(
        config, connection_service(conn)->name);

    return service != NULL && service->role == ROLE_SERVER ? service : NULL;
}

/* A service that is gone has its last rules. */
static const struct service_settings *
take_rules(struct connection *conn)
{
    const struct service_settings *service = NULL;
    struct config *config = conn->worker->rules;

    /* Where memory was short, the worker has not heard of the last reload. */
    if (config != NULL &&
        config->generation > connection_snapshot(conn)->config->generation)
        service = find_service(conn, config);
    if (service == NULL) {
        config = connection_snapshot(conn)->config;
        service = connection_service(conn);
    }
    conn->rules = config_hold(config);
    return service;
}

void
connection_vet(struct connection *conn)
{
    const struct service_settings *service = take_rules(conn);
    const struct vetting_settings settings = {
        .loop = conn->worker->loop,
        .pool = conn->worker->pool,
        .peer = conn->context->ops->peer(conn->context),
        .config = conn->rules,
        .rules = &service->access,
        .timeout_ms = service->handshake_timeout,
    };
    struct vetting_result result;

    if (vetting_at_once(settings.rules, settings.peer, &result)) {
        on_vetted(&result, conn);
        return;
    }
    conn->vetting = vetting_start(&settings, on_vetted, conn);
    if (conn->vetting == NULL)
        connection_close(conn, RESET_INTERNAL,
                         "cannot look up groups: out of memory");
}

/* After a reload. */

/* Who is in stays, and the log says it once a loop. */
static void
ask_later(struct connection *conn, const struct error *why)
{
    struct worker *worker = conn->worker;
    struct error error = *why;

    if (worker->rules == NULL)
        return; /* the newest file enforces nothing */
    if (worker->untold != worker->rules->generation) {
        worker->untold = worker->rules->generation;
        error_prefix(&error, "cannot tell whom the new rules forbid, who is "
                             "connected stays until the name service can");
        log_event(EVENT_WARN,
                  LOG_TEXT("service", connection_service(conn)->name),
                  LOG_TEXT("reason", error.text));
    }
    conn->vet_wait_ms = conn->vet_wait_ms == 0 ? VET_LATER_FIRST_MS
                                               : conn->vet_wait_ms * 2;
    if (conn->vet_wait_ms > VET_LATER_MAX_MS)
        conn->vet_wait_ms = VET_LATER_MAX_MS;
    timer_start(&conn->vet_later, with_jitter(conn->vet_wait_ms));
}

/* The rule that let it in stays what the log says: the text of the new one is
 * not ours to keep. */
static void
on_vetted_again(const struct vetting_result *result, void *arg)
{
    struct connection *conn = arg;

    conn->vetting_again = NULL;
    if (result->unanswered)
        ask_later(conn, &result->error);
    else if (!result->allowed)
        connection_refuse(conn,
                          conn->state == CONNECTION_RELAYING ? EVENT_DOWN
                                                             : EVENT_REFUSED,
                          RESET_FORBIDDEN, result->error.text);
}

/* As long as the name service does not answer, who is in stays. */
static void
vet_again(struct connection *conn, struct config *config,
          const struct access_rules *rules)
{
    const struct vetting_settings settings = {
        .loop = conn->worker->loop,
        .pool = conn->worker->pool,
        .peer = conn->context->ops->peer(conn->context),
        .config = config,
        .rules = rules,
        .timeout_ms = DURATION_OFF,
    };
    struct vetting_result result;

    vetting_cancel(conn->vetting_again);
    conn->vetting_again = NULL;
    if (vetting_at_once(rules, settings.peer, &result)) {
        on_vetted_again(&result, conn);
        return;
    }
    conn->vetting_again = vetting_start(&settings, on_vetted_again, conn);
    if (conn->vetting_again == NULL)
        connection_close(conn, RESET_INTERNAL,
                         "cannot look up groups: out of memory");
}

/* Who is being judged by the old rules is not in yet. */
static void
begin_anew(struct connection *conn)
{
    vetting_cancel(conn->vetting);
    conn->vetting = NULL;
    config_release(conn->rules);
    conn->rules = NULL;
    connection_vet(conn);
}

static void
judge_again(struct connection *conn, struct config *config)
{
    const struct service_settings *service;

    if (connection_service(conn)->role != ROLE_SERVER ||
        conn->context == NULL || conn->state >= CONNECTION_PARTING)
        return;
    service = find_service(conn, config);
    if (service != NULL)
        vet_again(conn, config, &service->access);
}

void
connection_enforce(struct connection *conn, struct config *config)
{
    timer_stop(&conn->vet_later);
    conn->vet_wait_ms = 0;
    if (conn->vetting != NULL)
        begin_anew(conn);
    else
        judge_again(conn, config);
}

void
connection_vet_later(void *arg)
{
    struct connection *conn = arg;

    if (conn->worker->rules != NULL)
        judge_again(conn, conn->worker->rules);
}
