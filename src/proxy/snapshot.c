/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, sharing and ordering.  Nothing here waits.
 */
#include "proxy/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/loop.h"
#include "directory/spn.h"
#include "proxy/addressbook.h"

enum {
    PENALTY_MS = 30000
};

bool
snapshot_spn(const struct service_settings *service,
             const struct endpoint *endpoint, char spn[SPN_SIZE],
             struct error *err)
{
    bool with_port = service->spn_format == SPN_FORMAT_PORT;

    if (service->spn.count == 0)
        return spn_make(service->service_class, endpoint->host,
                        with_port ? endpoint->port : 0, NULL, spn, err);
    if (strlen(service->spn.items[0]) < SPN_SIZE) {
        snprintf(spn, SPN_SIZE, "%s", service->spn.items[0]);
        return true;
    }
    error_set(err, "cannot use spn: it is longer than %d bytes", SPN_SIZE - 1);
    return false;
}

static bool
name_destination(struct destination *destination,
                 const struct service_settings *service, struct error *err)
{
    char spn[SPN_SIZE];

    if (service->role == ROLE_SERVER)
        return true;
    if (!snapshot_spn(service, &destination->endpoint, spn, err))
        return false;
    destination->spn = strdup(spn);
    if (destination->spn == NULL)
        error_set(err, "cannot name the server: out of memory");
    return destination->spn != NULL;
}

static bool
take_listed(struct snapshot *snapshot, struct error *err)
{
    const struct endpoint_list *listed = &snapshot->service->connect;

    for (size_t i = 0; i < listed->count; i++) {
        snapshot->destinations[i].endpoint = listed->items[i];
        if (!name_destination(&snapshot->destinations[i], snapshot->service,
                              err))
            return false;
    }
    return true;
}

static bool
take_candidate(struct snapshot *snapshot, size_t i,
               const struct candidate *candidate, struct error *err)
{
    struct destination *destination = &snapshot->destinations[i];

    destination->endpoint.kind = ENDPOINT_TCP;
    destination->endpoint.port = candidate->port;
    snprintf(destination->endpoint.host, sizeof destination->endpoint.host,
             "%s", candidate->host);
    destination->spn = strdup(candidate->spn);
    if (destination->spn == NULL) {
        error_set(err, "cannot name the server: out of memory");
        return false;
    }
    return discovery_add(snapshot->choice, candidate, err);
}

static bool
take_discovered(struct snapshot *snapshot, const struct discovery *discovery,
                struct error *err)
{
    size_t taken = 0;

    snapshot->choice = discovery_new(err);
    if (snapshot->choice == NULL)
        return false;
    for (size_t i = 0;
         i < discovery->count && taken < snapshot->destination_count; i++) {
        const struct candidate *candidate = &discovery->candidates[i];
        if (candidate->accepted &&
            !take_candidate(snapshot, taken++, candidate, err))
            return false;
    }
    if (taken == 0 && discovery->reason != NULL)
        snapshot->why_empty = strdup(discovery->reason);
    return true;
}

static void
inherit_penalties(struct snapshot *snapshot, const struct snapshot *previous)
{
    for (size_t i = 0; i < snapshot->destination_count; i++) {
        struct destination *ours = &snapshot->destinations[i];
        for (size_t k = 0; k < previous->destination_count; k++)
            if (endpoint_equal(&ours->endpoint,
                               &previous->destinations[k].endpoint))
                atomic_store(
                    &ours->penalty_until,
                    atomic_load(&previous->destinations[k].penalty_until));
    }
}

/* Without one, for lack of memory, names are resolved or fail. */
static struct addressbook *
inherit_addresses(const struct snapshot *previous)
{
    if (previous == NULL || previous->addresses == NULL)
        return addressbook_new();
    return addressbook_hold(previous->addresses);
}

struct snapshot *
snapshot_new(const struct snapshot_parts *parts, struct error *err)
{
    const struct discovery *discovery = parts->discovery;
    size_t listed = parts->service->connect.count;
    size_t count = discovery != NULL ? discovery->accepted_count : listed;
    if (discovery == NULL && listed > DESTINATIONS_MAX) {
        error_set(err, "cannot use %zu addresses in `connect`: at most %d",
                  listed, DESTINATIONS_MAX);
        return NULL;
    }
    if (count > DESTINATIONS_MAX)
        count = DESTINATIONS_MAX;
    struct snapshot *snapshot = calloc(
        1, sizeof *snapshot + count * sizeof snapshot->destinations[0]);
    if (snapshot == NULL) {
        error_set(err, "cannot set up the service: out of memory");
        return NULL;
    }
    atomic_init(&snapshot->references, 1);
    snapshot->config = config_hold(parts->config);
    snapshot->service = parts->service;
    snapshot->credential = credential_hold(parts->credential);
    snapshot->counters = counters_hold(parts->counters);
    snapshot->addresses = inherit_addresses(parts->previous);
    snapshot->destination_count = count;
    if (discovery != NULL ? !take_discovered(snapshot, discovery, err)
                          : !take_listed(snapshot, err)) {
        snapshot_release(snapshot);
        return NULL;
    }
    if (parts->previous != NULL)
        inherit_penalties(snapshot, parts->previous);
    return snapshot;
}

struct snapshot *
snapshot_hold(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->references, 1);
    return snapshot;
}

void
snapshot_release(struct snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1)
        return;
    for (size_t i = 0; i < snapshot->destination_count; i++)
        free(snapshot->destinations[i].spn);
    free(snapshot->why_empty);
    discovery_release(snapshot->choice);
    credential_release(snapshot->credential);
    counters_release(snapshot->counters);
    addressbook_release(snapshot->addresses);
    config_release(snapshot->config);
    free(snapshot);
}

static uint32_t
draw(void *arg)
{
    uint32_t random = 0;

    (void)arg;
    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    return random;
}

static void
shuffle(size_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below((uint32_t)i, draw, NULL);
        size_t swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}

/* As if nobody were under a penalty. */
static void
order_all(const struct snapshot *snapshot, size_t *order)
{
    bool random = snapshot->service->role == ROLE_CLIENT &&
                  snapshot->service->selection == SELECT_RANDOM;

    if (snapshot->choice != NULL) {
        discovery_order(snapshot->choice, random ? draw : NULL, NULL, order);
        return;
    }
    for (size_t i = 0; i < snapshot->destination_count; i++)
        order[i] = i;
    if (random)
        shuffle(order, snapshot->destination_count);
}

void
snapshot_order(const struct snapshot *snapshot, uint8_t order[DESTINATIONS_MAX])
{
    size_t all[DESTINATIONS_MAX];
    bool last[DESTINATIONS_MAX];
    size_t count = snapshot->destination_count, placed = 0;
    uint64_t now = loop_now_ms();

    order_all(snapshot, all);
    for (size_t i = 0; i < count; i++)
        last[i] = atomic_load(&snapshot->destinations[i].penalty_until) > now;
    for (size_t i = 0; i < count; i++)
        if (!last[all[i]])
            order[placed++] = (uint8_t)all[i];
    for (size_t i = 0; i < count; i++)
        if (last[all[i]])
            order[placed++] = (uint8_t)all[i];
}

void
snapshot_penalise(struct snapshot *snapshot, size_t destination)
{
    atomic_store(&snapshot->destinations[destination].penalty_until,
                 loop_now_ms() + PENALTY_MS);
}

void
snapshot_absolve(struct snapshot *snapshot, size_t destination)
{
    atomic_store(&snapshot->destinations[destination].penalty_until, 0);
}
