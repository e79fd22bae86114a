/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From settings to a running service.  Everything that can fail fails in
 * service_new, before anyone is served: nothing starts half.
 */
#include "proxy/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "proxy/gate.h"
#include "proxy/service_parts.h"

enum {
    RETRY_MS = 1000
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

/* False: whoever it is was turned away. */
static bool
let_in(const struct service *service, int fd, const struct address *peer)
{
    struct counters *counters = service->snapshot->counters;
    char from[ADDRESS_TEXT_SIZE];
    struct error error;

    if (service->guests == NULL || guests_admit(service->guests, fd, &error))
        return true;
    address_format(peer, from, sizeof from);
    log_event(EVENT_REFUSED,
              LOG_TEXT("service", service_settings(service)->name),
              LOG_TEXT("from", from), LOG_TEXT("reason", error.text));
    atomic_fetch_add(&counters->accepted, 1);
    atomic_fetch_add(&counters->refused, 1);
    socket_reset(fd);
    return false;
}

static void
on_accepted(int fd, const struct address *peer, void *arg)
{
    struct service *service = arg;
    if (!let_in(service, fd, peer))
        return;
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
listens_at(const struct service *service, const struct endpoint *endpoint)
{
    return listener_is_open(service->listener) &&
           endpoint_equal(listener_endpoint(service->listener), endpoint);
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

static struct listener *
open_listener(const struct service *service, const struct provision *provision,
              const struct service *predecessor, struct error *err)
{
    const struct service_settings *settings = provision->service;
    struct service_host *host = service->host;
    size_t position = (size_t)(settings - provision->config->services);

    if (host->bound != NULL && host->bound[position] != NULL) {
        struct listener *bound = host->bound[position];
        host->bound[position] = NULL;
        return bound;
    }
    return gate_open(settings, &settings->accept, &service->owner,
                     find_listener(host, &settings->accept, predecessor), err);
}

static bool
set_up(struct service *service, struct provision *provision,
       const struct service *predecessor, struct error *err)
{
    const struct service_settings *settings = provision->service;

    service->owner = provision->owner;
    service->guests = provision->guests;
    provision->guests = NULL;
    service->finder = provision->finder;
    provision->finder = NULL;
    if (service->finder != NULL && predecessor != NULL &&
        predecessor->finder != NULL)
        finder_succeed(service->finder, predecessor->finder);
    if (registration_is_wanted(provision->config, settings)) {
        service->registration = registration_new(
            provision->config, settings, pool_threads(service->host->pool),
            err);
        if (service->registration == NULL)
            return false;
    }
    service->snapshot = service_first_snapshot(service, provision, predecessor,
                                               err);
    if (service->snapshot == NULL)
        return false;
    service->takes_over = predecessor != NULL &&
                          predecessor->state == SERVICE_SERVING;
    service->listener = open_listener(service, provision, predecessor, err);
    return service->listener != NULL;
}

struct service *
service_new(struct service_host *host, struct provision *provision,
            const struct service *predecessor, struct error *err)
{
    const struct service_settings *settings = provision->service;
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL) {
        error_set(err, "cannot set up the service: out of memory");
        return NULL;
    }
    service->host = host;
    if (!set_up(service, provision, predecessor, err)) {
        error_prefix(err, "[%s %s]", role_name(settings->role), settings->name);
        service_free(service);
        return NULL;
    }
    return service;
}

static void
on_found(const struct discovery *discovery, void *arg)
{
    service_renew_snapshot(arg, discovery);
}

static bool
begin_to_accept(struct service *service, struct error *err)
{
    const char *name = service_settings(service)->name;
    const struct listener_handler handler = {
        .why_full = why_full,
        .on_accepted = on_accepted,
        .on_pause = on_pause,
        .arg = service,
    };

    if (!listener_start(service->listener, service->host->main_loop, &handler,
                        err))
        return false;
    service->state = SERVICE_SERVING;
    log_event(EVENT_LISTENING, LOG_TEXT("service", name),
              LOG_TEXT("address", listener_address(service->listener)));
    return true;
}

/* The port that was bound, which may have been any. */
static uint16_t
bound_port(const struct service *service)
{
    const char *colon = strrchr(listener_address(service->listener), ':');
    uint64_t port = 0;

    if (service_settings(service)->accept.kind != ENDPOINT_TCP ||
        colon == NULL || !number_parse(colon + 1, 1, UINT16_MAX, &port, NULL))
        return 0;
    return (uint16_t)port;
}

/* A socket anew, in the place of one that was closed: its port is published. */
static bool
listen_again(struct service *service, struct error *err)
{
    const struct service_settings *settings = service_settings(service);
    struct endpoint accept = settings->accept;

    accept.port = bound_port(service);
    struct listener *listener = gate_open(settings, &accept, &service->owner,
                                          NULL, err);
    if (listener == NULL)
        return false;
    listener_free(service->listener);
    service->listener = listener;
    return true;
}

static void
admit(struct service *service)
{
    struct error error;

    if ((service->state == SERVICE_BARRED && !listen_again(service, &error)) ||
        !begin_to_accept(service, &error)) {
        timer_start(&service->retry, RETRY_MS);
        log_event(EVENT_ERROR,
                  LOG_TEXT("service", service_settings(service)->name),
                  LOG_TEXT("reason", error.text));
    }
}

/* Whoever connects to a barred service is refused at once. */
static void
on_verdict(bool may_serve, void *arg)
{
    struct service *service = arg;

    if (may_serve && service->state != SERVICE_SERVING) {
        admit(service);
    } else if (!may_serve && service->state != SERVICE_BARRED) {
        timer_stop(&service->retry);
        listener_stop(service->listener, false);
        service->state = SERVICE_BARRED;
    }
}

static bool
keep_tickets(struct service *service, struct error *err)
{
    const struct service_settings *settings = service_settings(service);

    if (settings->role != ROLE_CLIENT || service->upkeep != NULL)
        return true;
    service->upkeep = upkeep_start(
        service->host->main_loop, service->host->pool,
        service->snapshot->credential, settings->name);
    if (service->upkeep == NULL)
        error_set(err, "out of memory");
    return service->upkeep != NULL;
}

/* After a reload nobody would start it again. */
static void
on_retry(void *arg)
{
    struct service *service = arg;
    struct error ignored;

    if (!keep_tickets(service, &ignored))
        timer_start(&service->retry, RETRY_MS);
    else if (service->state != SERVICE_SERVING)
        admit(service);
}

bool
service_start(struct service *service, struct error *err)
{
    const struct service_settings *settings = service_settings(service);
    struct service_host *host = service->host;
    bool waits = service->registration != NULL && !service->takes_over;
    bool begun;

    timer_init(&service->retry, host->main_loop, on_retry, service);
    if (settings->keytab[0] != '\0')
        service->keywatch = keywatch_start(host->main_loop, host->pool,
                                           settings->keytab);
    service->state = SERVICE_WAITING;
    begun = keep_tickets(service, err) &&
            (waits || begin_to_accept(service, err));
    if (!begun) {
        error_prefix(err, "[%s %s]", role_name(settings->role), settings->name);
        timer_start(&service->retry, RETRY_MS);
    }
    if (service->finder != NULL)
        finder_start(service->finder, host->main_loop, host->pool, on_found,
                     service);
    if (service->registration != NULL)
        registration_start(service->registration, host->main_loop, host->pool,
                           bound_port(service), on_verdict, service);
    return begun;
}

void
service_stop(struct service *service, bool succeeded)
{
    listener_stop(service->listener, succeeded);
    service->state = SERVICE_STOPPED;
    timer_stop(&service->retry);
    registration_free(service->registration);
    service->registration = NULL;
    upkeep_cancel(service->upkeep);
    service->upkeep = NULL;
    finder_free(service->finder);
    service->finder = NULL;
    keywatch_cancel(service->keywatch);
    service->keywatch = NULL;
}

void
service_free(struct service *service)
{
    if (service == NULL)
        return;
    listener_free(service->listener);
    guests_free(service->guests);
    registration_free(service->registration);
    upkeep_cancel(service->upkeep);
    finder_free(service->finder);
    keywatch_cancel(service->keywatch);
    snapshot_release(service->snapshot);
    free(service);
}

bool
service_is_serving(const struct service *service)
{
    return service->state == SERVICE_SERVING;
}

void
service_resume(struct service *service)
{
    if (service->state == SERVICE_SERVING)
        listener_resume(service->listener);
}

const struct counters *
service_counters(const struct service *service)
{
    return service->snapshot->counters;
}
