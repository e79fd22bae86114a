/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGHUP.  What may block is done in the pool; then the new services are made
 * beside the old ones, and only when all of them stand does anything change.
 * Connections stay with the snapshot they came with.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proxy/connection.h"
#include "proxy/herald.h"
#include "proxy/server_parts.h"

enum {
    PATIENCE_MS = 30000 /* less than service managers have */
};

static struct service *
find_predecessor(const struct server *server,
                 const struct service_settings *settings)
{
    for (size_t i = 0; i < server->service_count; i++) {
        const struct service_settings *old = service_settings(
            server->services[i]);
        if (old->role == settings->role &&
            strcmp(old->name, settings->name) == 0)
            return server->services[i];
    }
    return NULL;
}

void
server_free_services(struct service **services, size_t count)
{
    for (size_t i = 0; services != NULL && i < count; i++)
        service_free(services[i]);
    free(services);
}

struct service **
server_make_services(struct server *server, const struct prepared *prepared,
                     struct error *err)
{
    size_t count = prepared->config->service_count;
    struct service **services = calloc(count, sizeof(struct service *));
    if (services == NULL) {
        error_set(err, "cannot make the services: out of memory");
        return NULL;
    }
    server->host.running = server->services;
    server->host.running_count = server->service_count;
    for (size_t i = 0; i < count; i++) {
        struct provision *provision = &prepared->provisions[i];
        services[i] = service_new(&server->host, provision,
                                  find_predecessor(server, provision->service),
                                  err);
        if (services[i] == NULL) {
            server_free_services(services, count);
            return NULL;
        }
    }
    return services;
}

/* Handshakes under way, and who is held back, have come by the old rules. */
static void
rule(struct worker *worker, const void *arg)
{
    worker_rule_by(worker, (struct config *)arg);
}

static void
give_up_rules(struct worker *worker, const void *arg)
{
    (void)arg;
    worker_rule_by(worker, NULL);
}

static void
enforce(struct connection *conn, struct evbuffer *out, const void *arg)
{
    (void)out;
    connection_enforce(conn, (struct config *)arg);
}

static void
on_enforced(struct evbuffer *out, void *arg)
{
    (void)out;
    config_release(arg);
}

static void
enforce_rules(struct server *server)
{
    bool enforces = server->config->global.reload_enforces;
    const struct tour tour = {
        .arrive = enforces ? rule : give_up_rules,
        .visit = enforces ? enforce : NULL,
        .arg = server->config,
        .done = on_enforced,
        .done_arg = config_hold(server->config),
    };
    if (!server_tour(server, &tour))
        config_release(server->config);
}

static bool
is_succeeded(const struct service *old, struct service *const *services,
             size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (service_succeeds(services[i], old))
            return true;
    return false;
}

/* All old services stop before the first new one starts: any of them may go on
 * with the listener of any other. */
static void
swap_services(struct server *server, struct service **services, size_t count)
{
    struct error error;
    struct service **old = server->services;
    size_t old_count = server->service_count;

    for (size_t i = 0; i < old_count; i++)
        service_stop(old[i], is_succeeded(old[i], services, count));
    for (size_t i = 0; i < count; i++)
        if (!service_start(services[i], &error))
            log_event(EVENT_ERROR, LOG_TEXT("reason", error.text));
    server->services = services;
    server->service_count = count;
    server_free_services(old, old_count);
}

static void
apply_global(struct server *server, const struct config *config)
{
    const struct global_settings *old = &server->config->global;
    const struct global_settings *new = &config->global;

    log_adjust(new->log_level, new->log_format);
    server_apply_limits(server, config);
    if (old->threads != new->threads ||
        old->pool_threads != new->pool_threads ||
        old->buffer_memory != new->buffer_memory ||
        strcmp(old->user, new->user) != 0 ||
        strcmp(old->group, new->group) != 0 ||
        !endpoint_equal(&old->status, &new->status))
        log_event(EVENT_WARN,
                  LOG_TEXT("reason", "threads, pool_threads, buffer_memory, "
                                     "status, user and group change at the "
                                     "next start only"));
}

static void
report_failure(const struct server *server, const struct error *err)
{
    log_event(EVENT_RELOAD_FAILED, LOG_TEXT("file", server->config->path),
              LOG_TEXT("reason", err->text));
}

/* Nothing here waits: from one file to the other in one go. */
static void
take_over(struct server *server, struct prepared *prepared)
{
    struct config *config = prepared->config;
    struct error error;
    struct service **services = server_make_services(server, prepared, &error);

    if (services == NULL) {
        report_failure(server, &error);
        return;
    }
    prepared->config = NULL;
    if (prepared->log != NULL)
        log_take(prepared->log);
    prepared->log = NULL;
    apply_global(server, config);
    swap_services(server, services, config->service_count);
    config_release(server->config);
    server->config = config;
    log_event(EVENT_RELOADED, LOG_TEXT("file", config->path),
              LOG_NUMBER("services", config->service_count));
    enforce_rules(server);
}

static void begin(struct server *server);

static void
end(struct server *server)
{
    bool again = server->reload_again;

    server->reload_again = false;
    if (again)
        begin(server);
    else
        herald_ready(server->herald);
}

static void
on_prepared(struct prepared *prepared, const struct error *err, void *arg)
{
    struct server *server = arg;

    server->preparation = NULL;
    if (prepared != NULL)
        take_over(server, prepared);
    else
        report_failure(server, err);
    end(server);
}

static void
begin(struct server *server)
{
    struct error error;

    if (server_prepare(server, server->config, NULL, on_prepared))
        return;
    error_set(&error, "out of memory");
    report_failure(server, &error);
    end(server);
}

bool
server_prepare(struct server *server, struct config *before,
               struct config *config, preparation_done *done)
{
    const struct preparation_settings settings = {
        .loop = server->loop,
        .pool = server->pool,
        .confinement = server->confinement,
        .before = before,
        .config = config,
        .owner = server->host.owner,
        .patience_ms = PATIENCE_MS,
    };

    server->preparation = preparation_start(&settings, done, server);
    return server->preparation != NULL;
}

void
server_reload(struct server *server)
{
    if (server->stopping > 0)
        return;
    herald_reloading(server->herald);
    if (server->preparation != NULL)
        server->reload_again = true;
    else
        begin(server);
}
