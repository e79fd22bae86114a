/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From settings to a running service.  Everything that can fail fails in
 * service_new, before anyone is served: nothing starts half.
 */
#include "proxy/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/log.h"
#include "proxy/finder.h"
#include "proxy/inquiry.h"
#include "proxy/listener.h"
#include "proxy/snapshot.h"
#include "proxy/upkeep.h"

struct service {
    /* owned */
    struct listener *listener;
    struct snapshot *snapshot; /* held; what the next connection gets */
    struct upkeep *upkeep;     /* clients */
    struct finder *finder;     /* clients that look in the directory */
    /* borrowed */
    struct service_host *host;
};

const struct service_settings *
service_settings(const struct service *service)
{
    return service->snapshot->service;
}

static const char *
why_full(void *arg)
{
    const struct service *service = arg;
    const struct service_settings *settings = service_settings(service);

    if (!admission_has_room(service->host->admission))
        return "max_connections of [kerbwrap] is reached";
    if (settings->max_connections > 0 &&
        atomic_load(&service->snapshot->counters->connections) >=
            settings->max_connections)
        return "max_connections of the service is reached";
    return NULL;
}

static void
on_accepted(int fd, const struct address *peer, void *arg)
{
    struct service *service = arg;
    struct arrival *arrival = calloc(1, sizeof *arrival);

    if (arrival == NULL) {
        socket_reset(fd);
        return;
    }
    arrival->fd = fd;
    arrival->peer = *peer;
    arrival->id = ++service->host->next_id;
    arrival->snapshot = snapshot_hold(service->snapshot);
    admission_take(service->host->admission, arrival);
}

static void
on_pause(const char *reason, void *arg)
{
    const struct service *service = arg;
    const char *name = service_settings(service)->name;

    if (reason != NULL)
        log_event(EVENT_ACCEPT_PAUSED, LOG_TEXT("service", name),
                  LOG_TEXT("reason", reason));
    else
        log_event(EVENT_ACCEPT_RESUMED, LOG_TEXT("service", name));
}

static bool
same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool
same_credential(const struct service_settings *a,
                const struct service_settings *b)
{
    return a->role == ROLE_CLIENT && b->role == ROLE_CLIENT &&
           same_text(a->keytab, b->keytab) && same_text(a->ccache, b->ccache) &&
           same_text(a->principal, b->principal);
}

static struct credential *
load_credential(const struct service_host *host, const struct config *config,
                const struct service_settings *settings, struct error *err)
{
    struct credential *credential = NULL;
    unsigned workers = pool_threads(host->pool);
    char replay_cache[4096];
    struct acceptor_settings acceptor = {.keytab = settings->keytab};

    if (settings->role == ROLE_CLIENT)
        return service_credential(settings, workers, err);
    snprintf(replay_cache, sizeof replay_cache, "%s/%s.rcache",
             config->global.runtime_dir, settings->name);
    if (settings->replay_cache)
        acceptor.replay_cache = replay_cache;
    return credential_new_acceptor(&acceptor, workers, &credential, err)
               ? credential
               : NULL;
}

static struct credential *
find_credential(const struct service_host *host, const struct config *config,
                const struct service_settings *settings,
                const struct service *predecessor, struct error *err)
{
    if (predecessor != NULL &&
        same_credential(settings, service_settings(predecessor)))
        return credential_hold(predecessor->snapshot->credential);
    return load_credential(host, config, settings, err);
}

static bool
listens_at(const struct service *service, const struct endpoint *endpoint)
{
    return endpoint_equal(listener_endpoint(service->listener), endpoint);
}

static bool
is_place(const struct endpoint *endpoint)
{
    return endpoint->kind != ENDPOINT_TCP || endpoint->port != 0;
}

/* The listener to go on with, if any: services may have been renamed, or have
 * exchanged their addresses. */
static const struct listener *
find_listener(const struct service_host *host, const struct endpoint *accept,
              const struct service *predecessor)
{
    if (predecessor != NULL && listens_at(predecessor, accept))
        return predecessor->listener;
    for (size_t i = 0; is_place(accept) && i < host->running_count; i++)
        if (listens_at(host->running[i], accept))
            return host->running[i]->listener;
    return NULL;
}

bool
service_succeeds(const struct service *service, const struct service *other)
{
    const struct endpoint *accept = listener_endpoint(service->listener);

    return is_place(accept) && listens_at(other, accept);
}

static struct snapshot *
first_snapshot(const struct service *service, struct config *config,
               const struct service_settings *settings,
               const struct service *predecessor, struct error *err)
{
    const struct snapshot *old = predecessor != NULL ? predecessor->snapshot
                                                     : NULL;
    struct snapshot_parts parts = {
        .config = config,
        .service = settings,
        .previous = old,
    };
    struct snapshot *snapshot = NULL;

    if (service->finder != NULL)
        parts.discovery = finder_discovery(service->finder);
    parts.credential = find_credential(service->host, config, settings,
                                       predecessor, err);
    if (parts.credential == NULL)
        return NULL;
    parts.counters = old != NULL ? counters_hold(old->counters)
                                 : counters_new();
    if (parts.counters != NULL)
        snapshot = snapshot_new(&parts, err);
    else
        error_set(err, "out of memory");
    credential_release(parts.credential);
    counters_release(parts.counters);
    return snapshot;
}

static bool
set_up(struct service *service, struct config *config,
       const struct service_settings *settings,
       const struct service *predecessor, struct error *err)
{
    if (inquiry_is_wanted(settings)) {
        service->finder = finder_new(
            config, settings, predecessor != NULL ? predecessor->finder : NULL,
            pool_threads(service->host->pool), err);
        if (service->finder == NULL)
            return false;
    }
    service->snapshot = first_snapshot(service, config, settings, predecessor,
                                       err);
    if (service->snapshot == NULL)
        return false;
    service->listener = listener_new(
        &settings->accept, settings->socket_mode,
        find_listener(service->host, &settings->accept, predecessor), err);
    return service->listener != NULL;
}

struct service *
service_new(struct service_host *host, struct config *config,
            const struct service_settings *settings,
            struct service *predecessor, struct error *err)
{
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL) {
        error_set(err, "cannot set up the service: out of memory");
        return NULL;
    }
    service->host = host;
    if (!set_up(service, config, settings, predecessor, err)) {
        error_prefix(err, "[%s %s]", role_name(settings->role), settings->name);
        service_free(service);
        return NULL;
    }
    return service;
}

/* The next connection gets what was found; those under way keep theirs. */
static void
on_found(const struct discovery *discovery, void *arg)
{
    struct service *service = arg;
    struct snapshot *old = service->snapshot;
    const struct snapshot_parts parts = {
        .config = old->config,
        .service = old->service,
        .credential = old->credential,
        .counters = old->counters,
        .discovery = discovery,
        .previous = old,
    };
    struct error error;
    struct snapshot *snapshot = snapshot_new(&parts, &error);

    if (snapshot == NULL) {
        log_event(EVENT_ERROR, LOG_TEXT("service", old->service->name),
                  LOG_TEXT("reason", error.text));
        return;
    }
    service->snapshot = snapshot;
    snapshot_release(old);
}

bool
service_start(struct service *service, struct error *err)
{
    const struct service_settings *settings = service_settings(service);
    const struct listener_handler handler = {
        .why_full = why_full,
        .on_accepted = on_accepted,
        .on_pause = on_pause,
        .arg = service,
    };

    if (settings->role == ROLE_CLIENT)
        service->upkeep = upkeep_start(
            service->host->main_loop, service->host->pool,
            service->snapshot->credential, settings->name);
    if (settings->role == ROLE_CLIENT && service->upkeep == NULL) {
        error_set(err, "[%s %s]: out of memory", role_name(settings->role),
                  settings->name);
        return false;
    }
    if (!listener_start(service->listener, service->host->main_loop, &handler,
                        err)) {
        error_prefix(err, "[%s %s]", role_name(settings->role), settings->name);
        return false;
    }
    if (service->finder != NULL)
        finder_start(service->finder, service->host->main_loop,
                     service->host->pool, on_found, service);
    log_event(EVENT_LISTENING, LOG_TEXT("service", settings->name),
              LOG_TEXT("address", listener_address(service->listener)));
    return true;
}

void
service_stop(struct service *service, bool succeeded)
{
    listener_stop(service->listener, succeeded);
    upkeep_cancel(service->upkeep);
    service->upkeep = NULL;
    finder_free(service->finder);
    service->finder = NULL;
}

void
service_free(struct service *service)
{
    if (service == NULL)
        return;
    listener_free(service->listener);
    upkeep_cancel(service->upkeep);
    finder_free(service->finder);
    snapshot_release(service->snapshot);
    free(service);
}

void
service_resume(struct service *service)
{
    listener_resume(service->listener);
}

const struct counters *
service_counters(const struct service *service)
{
    return service->snapshot->counters;
}

static uint64_t
count(const atomic_uint_fast64_t *counter)
{
    return atomic_load(counter);
}

void
service_describe(struct service *service, struct evbuffer *out)
{
    const struct service_settings *settings = service_settings(service);
    const struct counters *counters = service->snapshot->counters;
    int64_t expires = credential_expires(service->snapshot->credential);

    json_open(out, '{');
    json_text(out, "name", settings->name);
    json_text(out, "role", role_name(settings->role));
    json_text(out, "address", listener_address(service->listener));
    json_text(out, "principal", credential_name(service->snapshot->credential));
    if (settings->role == ROLE_CLIENT)
        json_number(out, "ticket_seconds",
                    expires > time(NULL) ? (uint64_t)(expires - time(NULL))
                                         : 0);
    if (service->finder != NULL)
        finder_describe(service->finder, out);
    json_number(out, "connections", atomic_load(&counters->connections));
    json_number(out, "accepted", count(&counters->accepted));
    json_number(out, "opened", count(&counters->opened));
    json_number(out, "failed", count(&counters->failed));
    json_number(out, "refused", count(&counters->refused));
    json_close(out, '}');
}
