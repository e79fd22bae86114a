/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the next connection of a service gets: its credential, loaded or taken
 * over from before a reload, and its servers.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proxy/inquiry.h"
#include "proxy/service_parts.h"

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

struct snapshot *
service_first_snapshot(const struct service *service, struct config *config,
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

void
service_renew_snapshot(struct service *service,
                       const struct discovery *discovery)
{
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
