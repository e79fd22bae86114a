/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service says of itself: as JSON, as figures for the metrics, and
 * whether it is ready.
 */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "proxy/service_parts.h"

static const char *const state_names[] = {
    [SERVICE_NEW] = "new",         [SERVICE_WAITING] = "waiting",
    [SERVICE_SERVING] = "serving", [SERVICE_BARRED] = "barred",
    [SERVICE_STOPPED] = "stopped",
};

const char *
service_why_not_ready(const struct service *service)
{
    static const char *const reasons[] = {
        [SERVICE_NEW] = "it was not started yet",
        [SERVICE_WAITING] = "it waits for the directory to say that its names "
                            "are registered",
        [SERVICE_SERVING] = NULL,
        [SERVICE_BARRED] = "the directory says that its names are not "
                           "registered as they must be",
        [SERVICE_STOPPED] = "it is being stopped",
    };
    const struct snapshot *snapshot = service->snapshot;

    if (service->state != SERVICE_SERVING)
        return reasons[service->state];
    if (service->finder != NULL && snapshot->destination_count == 0)
        return snapshot->why_empty != NULL ? snapshot->why_empty
                                           : "no server is known";
    return NULL;
}

static uint64_t
seconds_until(int64_t when)
{
    int64_t now = (int64_t)time(NULL);

    return when > now ? (uint64_t)(when - now) : 0;
}

void
service_figures(const struct service *service, struct service_figures *out)
{
    struct service_figures figures = {.has_ticket = false};

    figures.is_ready = service_why_not_ready(service) == NULL;
    if (service_settings(service)->role == ROLE_CLIENT) {
        figures.has_ticket = true;
        figures.ticket_seconds = seconds_until(
            credential_expires(service->snapshot->credential));
    }
    if (service->finder != NULL) {
        figures.has_answer = finder_age(service->finder,
                                        &figures.answer_seconds);
        figures.servers = finder_discovery(service->finder)->accepted_count;
    }
    figures.has_keytab = keywatch_facts(service->keywatch, &figures.keytab);
    *out = figures;
}

/* Seconds for which a server goes last because it failed. */
static uint64_t
resting_seconds(const struct snapshot *snapshot,
                const struct endpoint *endpoint)
{
    uint64_t now = loop_now_ms();

    for (size_t i = 0; i < snapshot->destination_count; i++) {
        uint64_t until = atomic_load(&snapshot->destinations[i].penalty_until);
        if (until > now &&
            endpoint_equal(&snapshot->destinations[i].endpoint, endpoint))
            return (until - now + 999) / 1000;
    }
    return 0;
}

struct shown_candidate {
    const struct endpoint *endpoint; /* NULL: none is known */
    const char *spn, *scp, *verdict;
    bool accepted;
};

static void
describe_candidate(const struct snapshot *snapshot,
                   const struct shown_candidate *shown, struct evbuffer *out)
{
    char address[ENDPOINT_TEXT_SIZE] = "";

    if (shown->endpoint != NULL)
        endpoint_format(shown->endpoint, address, sizeof address);
    json_open(out, '{');
    json_text(out, "address", address);
    json_text(out, "spn", shown->spn != NULL ? shown->spn : "");
    json_text(out, "scp", shown->scp);
    json_boolean(out, "accepted", shown->accepted);
    json_text(out, "verdict", shown->verdict);
    json_number(out, "resting",
                shown->endpoint != NULL
                    ? resting_seconds(snapshot, shown->endpoint)
                    : 0);
    json_close(out, '}');
}

static void
describe_found(const struct service *service, const struct candidate *candidate,
               struct evbuffer *out)
{
    struct endpoint endpoint = {
        .kind = ENDPOINT_TCP,
        .port = candidate->port,
    };
    const struct shown_candidate shown = {
        /* One that was turned down early has no port yet. */
        .endpoint = candidate->port != 0 ? &endpoint : NULL,
        .spn = candidate->spn,
        .scp = candidate->dn,
        .verdict = candidate->verdict,
        .accepted = candidate->accepted,
    };

    strcpy(endpoint.host, candidate->host);
    describe_candidate(service->snapshot, &shown, out);
}

static void
describe_candidates(const struct service *service, struct evbuffer *out)
{
    const struct snapshot *snapshot = service->snapshot;
    const struct discovery *found = service->finder != NULL
                                        ? finder_discovery(service->finder)
                                        : NULL;

    json_open_member(out, "candidates", '[');
    for (size_t i = 0; found != NULL && i < found->count; i++)
        describe_found(service, &found->candidates[i], out);
    for (size_t i = 0; found == NULL && i < snapshot->destination_count; i++) {
        const struct shown_candidate shown = {
            .endpoint = &snapshot->destinations[i].endpoint,
            .spn = snapshot->destinations[i].spn,
            .scp = "",
            .verdict = "configured",
            .accepted = true,
        };
        describe_candidate(snapshot, &shown, out);
    }
    json_close(out, ']');
}

static void
describe_keytab(const struct service_figures *figures, struct evbuffer *out)
{
    if (!figures->has_keytab)
        return;
    json_open_member(out, "keytab", '{');
    json_boolean(out, "readable", figures->keytab.readable);
    if (figures->keytab.readable) {
        json_number(out, "kvno", figures->keytab.kvno);
        json_number(out, "age", figures->keytab.age);
    }
    json_close(out, '}');
}

static void
describe_counters(struct service *service, struct evbuffer *out)
{
    const struct counters *counters = service->snapshot->counters;
    uint64_t received = counters_get(&counters->received);
    uint64_t sent = counters_get(&counters->sent);

    rate_look(&service->rate, loop_now_ms(), received, sent);
    json_number(out, "connections", atomic_load(&counters->connections));
    json_number(out, "accepted", counters_get(&counters->accepted));
    json_number(out, "opened", counters_get(&counters->opened));
    json_number(out, "failed", counters_get(&counters->failed));
    json_number(out, "refused", counters_get(&counters->refused));
    json_number(out, "probes", counters_get(&counters->probes));
    json_number(out, "received", received);
    json_number(out, "sent", sent);
    json_number(out, "received_rate", service->rate.received_rate);
    json_number(out, "sent_rate", service->rate.sent_rate);
}

void
service_describe(struct service *service, struct evbuffer *out)
{
    const struct service_settings *settings = service_settings(service);
    const char *why = service_why_not_ready(service);
    struct service_figures figures;

    service_figures(service, &figures);
    json_open(out, '{');
    json_text(out, "name", settings->name);
    json_text(out, "role", role_name(settings->role));
    json_text(out, "address", listener_address(service->listener));
    json_text(out, "principal", credential_name(service->snapshot->credential));
    if (figures.has_ticket)
        json_number(out, "ticket_seconds", figures.ticket_seconds);
    describe_keytab(&figures, out);
    json_text(out, "state", state_names[service->state]);
    json_boolean(out, "ready", why == NULL);
    json_text(out, "why_not_ready", why != NULL ? why : "");
    if (service->finder != NULL)
        finder_describe(service->finder, out);
    if (service->registration != NULL)
        registration_describe(service->registration, out);
    describe_candidates(service, out);
    describe_counters(service, out);
    json_close(out, '}');
}
