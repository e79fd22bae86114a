/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, sharing and ordering.  Nothing here waits.
 */
#include "proxy/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/loop.h"
#include "directory/spn.h"

enum {
    PENALTY_MS = 30000
};

struct counters *
counters_new(void)
{
    struct counters *counters = calloc(1, sizeof *counters);
    if (counters != NULL)
        atomic_init(&counters->references, 1);
    return counters;
}

struct counters *
counters_hold(struct counters *counters)
{
    atomic_fetch_add(&counters->references, 1);
    return counters;
}

void
counters_release(struct counters *counters)
{
    if (counters != NULL && atomic_fetch_sub(&counters->references, 1) == 1)
        free(counters);
}

static bool
name_candidate(struct candidate *candidate,
               const struct service_settings *service, struct error *err)
{
    char spn[SPN_SIZE];

    if (service->role == ROLE_SERVER)
        return true;
    if (service->spn.count > 0) {
        candidate->spn = strdup(service->spn.items[0]);
    } else {
        uint16_t port = service->spn_format == SPN_FORMAT_PORT
                            ? candidate->endpoint.port
                            : 0;
        if (!spn_make(service->service_class, candidate->endpoint.host, port,
                      NULL, spn, err))
            return false;
        candidate->spn = strdup(spn);
    }
    if (candidate->spn == NULL)
        error_set(err, "cannot name the server: out of memory");
    return candidate->spn != NULL;
}

struct snapshot *
snapshot_new(struct config *config, const struct service_settings *service,
             struct credential *credential, struct counters *counters,
             struct error *err)
{
    size_t count = service->connect.count;
    if (count > CANDIDATES_MAX) {
        error_set(err, "cannot use %zu addresses in `connect`: at most %d",
                  count, CANDIDATES_MAX);
        return NULL;
    }
    struct snapshot *snapshot = calloc(
        1, sizeof *snapshot + count * sizeof snapshot->candidates[0]);
    if (snapshot == NULL) {
        error_set(err, "cannot set up the service: out of memory");
        return NULL;
    }
    atomic_init(&snapshot->references, 1);
    snapshot->config = config_hold(config);
    snapshot->service = service;
    snapshot->credential = credential_hold(credential);
    snapshot->counters = counters_hold(counters);
    snapshot->candidate_count = count;
    for (size_t i = 0; i < count; i++) {
        snapshot->candidates[i].endpoint = service->connect.items[i];
        if (!name_candidate(&snapshot->candidates[i], service, err)) {
            snapshot_release(snapshot);
            return NULL;
        }
    }
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
    for (size_t i = 0; i < snapshot->candidate_count; i++)
        free(snapshot->candidates[i].spn);
    credential_release(snapshot->credential);
    counters_release(snapshot->counters);
    config_release(snapshot->config);
    free(snapshot);
}

static void
shuffle(uint8_t *order, size_t count)
{
    uint32_t random[CANDIDATES_MAX];

    if (count < 2 || getrandom(random, sizeof random, GRND_NONBLOCK) !=
                         (ssize_t)sizeof random)
        return;
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = random[i] % (i + 1);
        uint8_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}

void
snapshot_order(const struct snapshot *snapshot, uint8_t order[CANDIDATES_MAX])
{
    uint8_t all[CANDIDATES_MAX];
    bool last[CANDIDATES_MAX];
    size_t count = snapshot->candidate_count, placed = 0;
    uint64_t now = loop_now_ms();

    for (size_t i = 0; i < count; i++) {
        all[i] = (uint8_t)i;
        last[i] = atomic_load(&snapshot->candidates[i].penalty_until) > now;
    }
    if (snapshot->service->role == ROLE_CLIENT &&
        snapshot->service->selection == SELECT_RANDOM)
        shuffle(all, count);
    for (size_t i = 0; i < count; i++)
        if (!last[all[i]])
            order[placed++] = all[i];
    for (size_t i = 0; i < count; i++)
        if (last[all[i]])
            order[placed++] = all[i];
}

void
snapshot_penalise(struct snapshot *snapshot, size_t candidate)
{
    atomic_store(&snapshot->candidates[candidate].penalty_until,
                 loop_now_ms() + PENALTY_MS);
}

void
snapshot_absolve(struct snapshot *snapshot, size_t candidate)
{
    atomic_store(&snapshot->candidates[candidate].penalty_until, 0);
}
