/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGHUP.  The new services are made beside the old ones, and only when all of
 * them stand does anything change.  Connections stay with the snapshot they
 * came with.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proxy/connection.h"
#include "proxy/herald.h"
#include "proxy/server_parts.h"

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
server_make_services(struct server *server, struct config *config,
                     struct error *err)
{
    struct service **services = calloc(config->service_count,
                                       sizeof(struct service *));
    if (services == NULL) {
        error_set(err, "cannot make the services: out of memory");
        return NULL;
    }
    server->host.running = server->services;
    server->host.running_count = server->service_count;
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *settings = &config->services[i];
        services[i] = service_new(&server->host, config, settings,
                                  find_predecessor(server, settings), err);
        if (services[i] == NULL) {
            server_free_services(services, config->service_count);
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
report(enum severity severity, const char *text, void *arg)
{
    (void)arg;
    if (severity == SEVERITY_WARNING)
        log_event(EVENT_WARN, LOG_TEXT("reason", text));
    else
        log_event(EVENT_ERROR, LOG_TEXT("reason", text));
}

/* Opens what is to be logged to from now on; NULL: the same as before. */
static bool
prepare_log(const struct server *server, const struct config *config,
            struct log_target **prepared_out, struct error *err)
{
    const char *target = config->global.log_target;
    struct log_target *prepared = NULL;

    if (strcmp(target, server->config->global.log_target) != 0) {
        prepared = log_prepare(target, err);
        if (prepared == NULL)
            return false;
    }
    *prepared_out = prepared;
    return true;
}

/* All that can fail: the services of config, and where to log. */
static struct service **
prepare(struct server *server, struct config *config,
        struct log_target **log_out, struct error *err)
{
    struct service **services = NULL;

    if (!confinement_covers(server->confinement, config, err) ||
        !server_make_directories(server, config, err) ||
        !prepare_log(server, config, log_out, err))
        return NULL;
    services = server_make_services(server, config, err);
    if (services == NULL)
        log_discard(*log_out);
    return services;
}

static void
reload(struct server *server)
{
    struct log_target *log = NULL;
    const char *path = server->config->path;
    struct error error;

    struct config *config = config_load(path, report, NULL);
    if (config == NULL) {
        log_event(EVENT_RELOAD_FAILED, LOG_TEXT("file", path),
                  LOG_TEXT("reason", "the file has errors; nothing changed"));
        return;
    }
    config->generation = server->config->generation + 1;
    struct service **services = prepare(server, config, &log, &error);
    if (services == NULL) {
        log_event(EVENT_RELOAD_FAILED, LOG_TEXT("file", path),
                  LOG_TEXT("reason", error.text));
        config_release(config);
        return;
    }
    if (log != NULL)
        log_take(log);
    apply_global(server, config);
    swap_services(server, services, config->service_count);
    config_release(server->config);
    server->config = config;
    log_event(EVENT_RELOADED, LOG_TEXT("file", config->path),
              LOG_NUMBER("services", config->service_count));
    enforce_rules(server);
}

void
server_reload(struct server *server)
{
    if (server->stopping > 0)
        return;
    herald_reloading(server->herald);
    reload(server);
    herald_ready(server->herald);
}
