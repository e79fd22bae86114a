/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is in a lookup, and what came of it all.  Sources are asked one
 * after the other, the servers of a source in turn, then SRV names one by one.
 */
#include "directory/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "directory/dn.h"
#include "directory/lookup_parts.h"
#include "directory/verdicts.h"

/* The first failure is the one to show: the others mostly follow from it. */
void
lookup_fail(struct lookup *lookup, const struct error *why)
{
    if (!lookup->incomplete)
        lookup->error = *why;
    lookup->incomplete = true;
}

bool
lookup_add_source(struct lookup *lookup, enum source_kind kind,
                  const char *domain, char *const *uris, size_t count,
                  struct error *err)
{
    if (lookup->source_count == SOURCES_MAX) {
        error_set(err, "cannot ask %s: there are more than %d domains", domain,
                  SOURCES_MAX);
        return false;
    }
    return source_init(&lookup->sources[lookup->source_count++], kind, domain,
                       uris, count, err);
}

/* An SCP that is named by its DN needs no catalog: the DN says where it is. */
static bool
add_first_sources(struct lookup *lookup, struct error *err)
{
    const struct lookup_settings *settings = lookup->settings;
    const char *scp_dn = lookup->question.scp_dn;
    char domain[HOST_SIZE] = "";

    if (scp_dn != NULL && *settings->domain != '\0' &&
        dn_domain(scp_dn, domain, sizeof domain) &&
        !host_equal(domain, settings->domain))
        return lookup_add_source(lookup, SOURCE_DOMAIN, domain, NULL, 0, err);
    if (!lookup_add_source(lookup, SOURCE_HOME, settings->domain,
                           settings->uris, settings->uri_count, err))
        return false;
    if (scp_dn != NULL ||
        (settings->gc_uri_count == 0 && settings->uri_count != 0))
        return true;
    return lookup_add_source(lookup, SOURCE_CATALOG, settings->domain,
                             settings->gc_uris, settings->gc_uri_count, err);
}

struct lookup *
lookup_new(const struct lookup_settings *settings, struct error *err)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);

    if (lookup == NULL) {
        error_set(err, "cannot look up a service: out of memory");
        return NULL;
    }
    lookup->settings = settings;
    snprintf(lookup->home, sizeof lookup->home, "%s", settings->domain);
    lookup->discovery = discovery_new(err);
    if (lookup->discovery != NULL &&
        question_init(&lookup->question, settings, err) &&
        add_first_sources(lookup, err))
        return lookup;
    lookup_free(lookup);
    return NULL;
}

void
lookup_free(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    for (size_t i = 0; i < lookup->source_count; i++)
        source_clear(&lookup->sources[i]);
    survey_findings_clear(&lookup->findings);
    discovery_release(lookup->discovery);
    question_clear(&lookup->question);
    free(lookup);
}

/* The next finding whose SRV name must be looked up; count when none is left. */
static size_t
next_name(const struct lookup *lookup)
{
    size_t index = lookup->resolved;

    while (index < lookup->findings.count) {
        const struct finding *finding = &lookup->findings.items[index];
        if (finding->verdict == NULL && finding->scp.type == SCP_TYPE_SRV)
            break;
        index++;
    }
    return index;
}

bool
lookup_lane(const struct lookup *lookup, char *lane, size_t size)
{
    if (lookup->current == lookup->source_count) {
        snprintf(lane, size, "dns");
        return next_name(lookup) < lookup->findings.count;
    }
    const struct source *source = &lookup->sources[lookup->current];
    if (source->state == SOURCE_UNLOCATED)
        snprintf(lane, size, "dns");
    else if (source->state == SOURCE_TICKET)
        snprintf(lane, size, "%s", lookup->settings->kdc_lane);
    else
        snprintf(lane, size, "directory %s", source->uris[source->turn]);
    return true;
}

void
lookup_step(struct lookup *lookup)
{
    if (lookup->current == lookup->source_count) {
        size_t index = next_name(lookup);
        if (index < lookup->findings.count)
            step_resolve(lookup, &lookup->findings.items[index]);
        lookup->resolved = index + 1;
        return;
    }
    struct source *source = &lookup->sources[lookup->current];
    if (source->state == SOURCE_UNLOCATED)
        step_locate(lookup, source);
    else if (source->state == SOURCE_TICKET)
        step_ticket(lookup, source);
    else
        step_survey(lookup, source);

    if (source->state == SOURCE_SILENT)
        lookup_fail(lookup, &source->error);
    if (source->state == SOURCE_SILENT || source->state == SOURCE_ANSWERED)
        lookup->current++;
}

static bool
conclude(struct lookup *lookup, struct error *err)
{
    struct discovery *discovery = lookup->discovery;
    struct error reason = {.text = ""};

    discovery->time = (int64_t)time(NULL);
    discovery->outcome = discovery->accepted_count != 0 ? DISCOVERY_FOUND
                         : lookup->incomplete           ? DISCOVERY_NO_ANSWER
                                                        : DISCOVERY_NONE;
    if (discovery->outcome == DISCOVERY_FOUND)
        return true;
    if (discovery->outcome == DISCOVERY_NO_ANSWER)
        reason = lookup->error;
    else if (discovery->count == 0)
        error_set(&reason, "the directory has no service connection point that "
                           "matches");
    else
        error_set(&reason,
                  "none of %zu service connection points is accepted; the "
                  "first: %s",
                  lookup->findings.count, discovery->candidates[0].verdict);
    discovery->reason = strdup(reason.text);
    if (discovery->reason == NULL)
        error_set(err, "cannot keep what was found: out of memory");
    return discovery->reason != NULL;
}

struct discovery *
lookup_finish(struct lookup *lookup, struct error *err)
{
    struct discovery *discovery = lookup->discovery;

    if (!verdicts_give(discovery, &lookup->findings, &lookup->question.rules,
                       lookup->settings->spn_format, err) ||
        !conclude(lookup, err))
        return NULL;
    lookup->discovery = NULL;
    return discovery;
}
