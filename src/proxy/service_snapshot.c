/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the next connection of a service gets: its credential, new or taken over
 * from before a reload, and its servers.
 */
#include "base/log.h"
#include "proxy/service_parts.h"

struct snapshot *
service_first_snapshot(const struct service *service,
                       const struct provision *provision,
                       const struct service *predecessor, struct error *err)
{
    const struct snapshot *old = predecessor != NULL ? predecessor->snapshot
                                                     : NULL;
    struct snapshot_parts parts = {
        .config = provision->config,
        .service = provision->service,
        .credential = provision->credential,
        .previous = old,
    };
    struct snapshot *snapshot = NULL;

    if (service->finder != NULL)
        parts.discovery = finder_discovery(service->finder);
    if (parts.credential == NULL && old != NULL)
        parts.credential = old->credential;
    parts.counters = old != NULL ? counters_hold(old->counters)
                                 : counters_new();
    if (parts.counters != NULL)
        snapshot = snapshot_new(&parts, err);
    else
        error_set(err, "out of memory");
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
