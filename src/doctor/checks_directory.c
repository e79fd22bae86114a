/* SPDX-License-Identifier: BSD-2-Clause */
/* What the directory knows: names and service connection point of a server,
 * and the servers of a client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/lookup.h"
#include "directory/publish.h"
#include "doctor/checks.h"
#include "proxy/inquiry.h"
#include "proxy/snapshot.h"

static const struct directory_settings *
directory_of(const struct patient *patient)
{
    return &patient->settings->config->directory;
}

/* --- a server's ---------------------------------------------------------- */

bool
has_directory(const struct patient *patient)
{
    return directory_of(patient)->present &&
           *patient->service->service_class != '\0';
}

/* Has who asks a credential that is known to be sound, and a KDC? */
static bool
may_ask(struct visit *visit)
{
    unsigned facts = visit->patient->facts;
    const char *lacking = NULL;

    if ((facts & FACT_KDC) == 0)
        lacking = "KDC";
    else if ((facts & FACT_CLOCK) == 0)
        lacking = "clock";
    else if ((facts & FACT_LOGIN) == 0 &&
             *directory_of(visit->patient)->keytab == '\0')
        lacking = "login";
    if (lacking != NULL)
        visit_skip(visit, "not tried, because of `%s`", lacking);
    return lacking == NULL;
}

void
examine_directory(struct visit *visit)
{
    struct patient *patient = visit->patient;
    struct registry *registry = NULL;
    struct error error;

    if (!may_ask(visit))
        return;
    patient->registrar = registrar_new(
        patient->settings->config, patient->service, patient->settings->ccache,
        NO_WORKERS, &error);
    if (patient->registrar == NULL ||
        registry_open(&patient->registrar->settings.registry, &registry,
                      &error) != DIRECTORY_ANSWERED) {
        visit_fail(visit, NULL, "%s", error.text);
        return;
    }
    visit_ok(visit, "%s answers %s", registry_server(registry),
             credential_name(patient->registrar->credential));
    registry_close(registry);
}

/* What a publisher tells becomes notes. */
struct hearing {
    struct visit *visit;
    size_t bad, good;
    char first_step[ERROR_TEXT_SIZE];
};

static void
hear_names(enum publish_news news, const char *text, void *arg)
{
    struct hearing *hearing = arg;
    struct visit *visit = hearing->visit;

    switch (news) {
    case PUBLISH_RESULT:
        hearing->good++;
        visit_ok(visit, "%s", text);
        break;
    case PUBLISH_WARNING:
        hearing->bad++;
        visit_fail(visit, NULL, "%s", text);
        break;
    case PUBLISH_COMMAND:
        /* Belongs to the warning before it. */
        if (visit->count > 0)
            snprintf(visit->notes[visit->count - 1].advice, ERROR_TEXT_SIZE,
                     "%s", text);
        break;
    case PUBLISH_STEP:
    case PUBLISH_UNDONE:
    default:
        break;
    }
}

void
examine_spns(struct visit *visit)
{
    struct registrar *registrar = visit->patient->registrar;
    struct publish_settings settings = registrar->settings;
    struct hearing hearing = {.visit = visit};
    struct error error;

    settings.tell = hear_names;
    settings.arg = &hearing;
    if (publish_check(&settings, &registrar->keys, &error) != PUBLISH_DONE &&
        hearing.bad == 0)
        visit_fail(visit, NULL, "%s", error.text);
}

bool
has_scp(const struct patient *patient)
{
    return has_directory(patient) &&
           (patient->service->publish || patient->service->keywords.count > 0);
}

static void
hear_steps(enum publish_news news, const char *text, void *arg)
{
    struct hearing *hearing = arg;

    if (news == PUBLISH_STEP && hearing->bad++ == 0)
        snprintf(hearing->first_step, sizeof hearing->first_step, "%s", text);
}

/* A rehearsal of publishing: what it would do is what is wrong. */
void
examine_scp(struct visit *visit)
{
    struct patient *patient = visit->patient;
    struct publish_settings settings = patient->registrar->settings;
    struct hearing hearing = {.visit = visit};
    char advice[ERROR_TEXT_SIZE];
    struct error error;

    settings.tell = hear_steps;
    settings.arg = &hearing;
    settings.flags = PUBLISH_DRY_RUN | PUBLISH_SCP_ONLY;
    snprintf(advice, sizeof advice, "kerbwrap publish -c %s %s",
             patient->settings->config->path, patient->service->name);
    if (publish(&settings, &error) != PUBLISH_DONE)
        visit_fail(visit, NULL, "%s", error.text);
    else if (hearing.bad == 0)
        visit_ok(visit, "published as it should be");
    else if (patient->service->publish)
        visit_warn(visit, advice,
                   "not published as it should be; kerbwrap will, at its "
                   "start, %s",
                   hearing.first_step);
    else
        visit_fail(visit, advice,
                   "not published as it should be: publishing would %s",
                   hearing.first_step);
}

/* --- a client's ---------------------------------------------------------- */

static void
take_server(struct patient *patient, const struct endpoint *endpoint,
            const char *spn)
{
    struct server *server = &patient->servers[patient->server_count++];

    server->endpoint = *endpoint;
    snprintf(server->spn, sizeof server->spn, "%s", spn);
}

static void
take_listed(struct visit *visit)
{
    struct patient *patient = visit->patient;
    const struct endpoint_list *list = &patient->service->connect;
    char spn[SPN_SIZE];
    struct error error;

    for (size_t i = 0; i < list->count && i < SERVERS_MAX; i++) {
        if (!snapshot_spn(patient->service, &list->items[i], spn, &error)) {
            visit_fail(visit, "set service_class or spn", "%s", error.text);
            return;
        }
        take_server(patient, &list->items[i], spn);
    }
    visit_ok(visit, "connect names %zu, the first asked for as %s", list->count,
             patient->servers[0].spn);
}

static void
take_candidate(struct visit *visit, const struct candidate *candidate)
{
    struct endpoint endpoint = {.kind = ENDPOINT_TCP, .port = candidate->port};
    char dn[512];

    if (candidate->accepted) {
        snprintf(endpoint.host, sizeof endpoint.host, "%s", candidate->host);
        if (visit->patient->server_count < SERVERS_MAX)
            take_server(visit->patient, &endpoint, candidate->spn);
        return;
    }
    text_sanitize(candidate->dn, strlen(candidate->dn), dn, sizeof dn);
    visit_warn(visit,
               "correct that service connection point, or have it deleted",
               "the candidate %s is rejected: %s", dn, candidate->verdict);
}

static void
take_discovered(struct visit *visit, const struct discovery *found)
{
    if (found->outcome != DISCOVERY_FOUND) {
        bool silent = found->outcome == DISCOVERY_NO_ANSWER;
        visit_fail(visit,
                   silent ? "see that the directory's servers run, and that "
                            "uri of [directory] or DNS names them"
                          : NULL,
                   "%s", found->reason != NULL ? found->reason : "no answer");
        return;
    }
    visit_ok(visit, "the directory has %zu, %zu of them accepted", found->count,
             found->accepted_count);
    for (size_t i = 0; i < found->count; i++)
        take_candidate(visit, &found->candidates[i]);
}

static struct discovery *
ask(const struct patient *patient, struct error *err)
{
    struct config *config = patient->settings->config;
    struct credential *credential =
        *directory_of(patient)->keytab != '\0'
            ? inquiry_credential(config, patient->service, NO_WORKERS, err)
            : credential_hold(patient->credential);
    struct inquiry *inquiry = NULL;
    struct discovery *found = NULL;
    char lane[LANE_NAME_SIZE];

    if (credential != NULL)
        inquiry = inquiry_new(config, patient->service, credential, err);
    if (inquiry != NULL) {
        while (lookup_lane(inquiry->lookup, lane, sizeof lane))
            lookup_step(inquiry->lookup);
        found = lookup_finish(inquiry->lookup, err);
    }
    inquiry_free(inquiry);
    credential_release(credential);
    return found;
}

void
examine_servers(struct visit *visit)
{
    struct discovery *found;
    struct error error;

    if (!inquiry_is_wanted(visit->patient->service)) {
        take_listed(visit);
        return;
    }
    if (!may_ask(visit))
        return;
    found = ask(visit->patient, &error);
    if (found == NULL)
        visit_fail(visit, NULL, "%s", error.text);
    else
        take_discovered(visit, found);
    discovery_release(found);
}
