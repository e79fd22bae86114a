/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a lookup.  Sources are asked one after the other, the servers of
 * a source in turn; a server that broke off leaves nothing behind.  What DNS and
 * the directory say is only collected here: judge.c decides.
 */
#include "directory/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "directory/dn.h"
#include "directory/question.h"
#include "directory/source.h"
#include "directory/survey.h"
#include "directory/verdicts.h"

enum {
    SOURCES_MAX = 16,
    SRV_NAMES_MAX = 64, /* resolved for one lookup */
};

struct lookup {
    const struct lookup_settings *settings; /* borrowed */
    /* owned */
    struct question question;
    struct findings findings;
    struct discovery *discovery;
    struct source sources[SOURCES_MAX];
    /* plain */
    size_t source_count;
    size_t current;       /* source; those before it are done with */
    size_t resolved;      /* findings; likewise, their SRV names */
    size_t names;         /* SRV names that were looked up */
    char home[HOST_SIZE]; /* domain; "" until known */
    bool incomplete;      /* somebody did not answer: */
    struct error error;
};

/* The first failure is the one to show: the others mostly follow from it. */
static void
fail(struct lookup *lookup, const struct error *why)
{
    if (!lookup->incomplete)
        lookup->error = *why;
    lookup->incomplete = true;
}

static bool
add_source(struct lookup *lookup, enum source_kind kind, const char *domain,
           char *const *uris, size_t count, struct error *err)
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
        return add_source(lookup, SOURCE_DOMAIN, domain, NULL, 0, err);
    if (!add_source(lookup, SOURCE_HOME, settings->domain, settings->uris,
                    settings->uri_count, err))
        return false;
    if (scp_dn != NULL ||
        (settings->gc_uri_count == 0 && settings->uri_count != 0))
        return true;
    return add_source(lookup, SOURCE_CATALOG, settings->domain,
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

/* --- finding the servers of a source ------------------------------------ */

static enum srv_status
ask_names(struct lookup *lookup, const char *service, const char *domain,
          struct srv_list *list, struct error *err)
{
    const struct lookup_settings *settings = lookup->settings;
    char name[HOST_SIZE + 16];

    snprintf(name, sizeof name, "%s.%s", service, domain);
    enum srv_status status = settings->ops->srv(settings->world, name, list,
                                                err);
    if (status == SRV_FAILED)
        discovery_note(lookup->discovery, "%s", err->text);
    else
        discovery_note(lookup->discovery,
                       "asked DNS for the SRV records of %s: %zu", name,
                       status == SRV_FOUND ? list->count : 0);
    return status;
}

/*
 * A catalog is registered under the name of the forest, which is that of its
 * first domain: mostly an ancestor of the others.
 */
static enum srv_status
locate_catalog(struct lookup *lookup, const char *domain, struct srv_list *list,
               struct error *err)
{
    enum srv_status status = SRV_NONE;

    while (status == SRV_NONE && strchr(domain, '.') != NULL) {
        status = ask_names(lookup, "_gc._tcp", domain, list, err);
        domain = strchr(domain, '.') + 1;
    }
    return status;
}

static void
locate(struct lookup *lookup, struct source *source)
{
    struct error *err = &source->error;
    struct srv_list list = {.count = 0};
    enum srv_status status = SRV_FAILED;

    if (!host_is_valid(source->domain))
        error_set(err, "cannot find a directory server: neither domain nor "
                       "uri names one");
    else if (source->kind == SOURCE_CATALOG)
        status = locate_catalog(lookup, source->domain, &list, err);
    else
        status = ask_names(lookup, "_ldap._tcp", source->domain, &list, err);

    if (status == SRV_NONE && source->kind == SOURCE_CATALOG) {
        source->state = SOURCE_ANSWERED; /* a forest may have none */
        return;
    }
    if (status == SRV_NONE)
        error_set(err,
                  "cannot find a directory server of %s: DNS has no SRV "
                  "record of one",
                  source->domain);
    if (status != SRV_FOUND || !source_locate(source, &list, err))
        source->state = SOURCE_SILENT;
}

/* --- asking one server -------------------------------------------------- */

static void
fetch_ticket(struct lookup *lookup, struct source *source)
{
    const struct lookup_settings *settings = lookup->settings;
    const char *uri = source->uris[source->turn];
    char host[HOST_SIZE];

    if (ldapclient_uri_host(uri, host, sizeof host, &source->error) &&
        settings->ops->ticket(settings->world, host, &source->error)) {
        source->state = SOURCE_SURVEY;
        return;
    }
    discovery_note(lookup->discovery, "%s", source->error.text);
    source_next(source, false);
}

/* Makes the domain of a hit in the catalog a source, unless it is one. */
static void
add_domain_of(struct lookup *lookup, const char *dn)
{
    char domain[HOST_SIZE] = "";
    struct error why;
    char *canonical = dn_canonical(dn, NULL);
    bool known = canonical == NULL ||
                 !dn_domain(canonical, domain, sizeof domain) ||
                 host_equal(domain, lookup->home);

    for (size_t i = 0; i < lookup->source_count && !known; i++)
        known = lookup->sources[i].kind == SOURCE_DOMAIN &&
                host_equal(lookup->sources[i].domain, domain);
    if (!known && !add_source(lookup, SOURCE_DOMAIN, domain, NULL, 0, &why))
        fail(lookup, &why);
    free(canonical);
}

/* A catalog does not hold all that is needed: it only tells which domains to
 * ask. */
static enum directory_status
survey_catalog(struct lookup *lookup, struct survey *survey, struct error *err)
{
    static const char *const no_attributes[] = {"1.1", NULL};
    struct search search = {
        .base = "",
        .scope = SEARCH_SUBTREE,
        .filter = lookup->question.filter,
        .attributes = no_attributes,
    };
    struct entry_list list = {.count = 0};
    enum directory_status status = survey->ops->search(survey->connection,
                                                       &search, &list, err);

    if (status == DIRECTORY_ANSWERED)
        discovery_note(lookup->discovery,
                       "asked catalog %s for %s: %zu in all domains",
                       survey->server, search.filter, list.count);
    for (size_t i = 0; i < list.count && status == DIRECTORY_ANSWERED; i++)
        add_domain_of(lookup, list.entries[i].dn);
    entry_list_clear(&list);
    return status;
}

/* Where to search: as configured, as the domain is called, or as the server
 * says. */
static enum directory_status
find_base(struct lookup *lookup, const struct source *source,
          struct survey *survey, char **base_out, struct error *err)
{
    char dn[ENTRY_DN_MAX];
    const char *base = lookup->settings->base;

    if (source->kind == SOURCE_DOMAIN)
        base = dn_of_domain(source->domain, dn, sizeof dn) ? dn : "";
    if (*base == '\0')
        return survey_base(survey, base_out, err);
    *base_out = strdup(base);
    if (*base_out != NULL)
        return DIRECTORY_ANSWERED;
    error_set(err, "cannot search %s: out of memory", survey->server);
    return DIRECTORY_REFUSED;
}

static enum directory_status
survey_domain(struct lookup *lookup, const struct source *source,
              struct survey *survey, struct error *err)
{
    const char *scp = lookup->question.scp_dn == NULL ? NULL
                                                      : lookup->settings->scp;
    char *base = NULL;
    enum directory_status status = find_base(lookup, source, survey, &base,
                                             err);

    if (status != DIRECTORY_ANSWERED)
        return status;
    char *canonical = dn_canonical(base, NULL);
    if (*lookup->home == '\0' && canonical != NULL &&
        !dn_domain(canonical, lookup->home, sizeof lookup->home))
        lookup->home[0] = '\0';
    free(canonical);
    struct search search = {
        .base = scp != NULL ? scp : base,
        .scope = scp != NULL ? SEARCH_BASE : SEARCH_SUBTREE,
        .filter = lookup->question.filter,
        .attributes = scp_attributes,
    };
    status = survey_scps(survey, &search, base, err);
    free(base);
    return status;
}

static void
survey_source(struct lookup *lookup, struct source *source)
{
    const struct lookup_settings *settings = lookup->settings;
    size_t before = lookup->findings.count;
    struct survey survey = {
        .ops = settings->ops,
        .server = source->uris[source->turn],
        .rules = &lookup->question.rules,
        .discovery = lookup->discovery,
        .findings = &lookup->findings,
    };
    struct error *err = &source->error;
    enum directory_status status = settings->ops->open(
        settings->world, survey.server, &survey.connection, err);
    bool was_open = status == DIRECTORY_ANSWERED;

    if (was_open) {
        discovery_note(lookup->discovery, "authenticated to %s as %s",
                       survey.server, settings->identity);
        status = source->kind == SOURCE_CATALOG
                     ? survey_catalog(lookup, &survey, err)
                     : survey_domain(lookup, source, &survey, err);
        settings->ops->close(survey.connection);
    }
    if (status == DIRECTORY_ANSWERED) {
        source->state = SOURCE_ANSWERED;
        return;
    }
    discovery_note(lookup->discovery, "%s", err->text);
    survey_findings_truncate(&lookup->findings, before);
    source_next(source, was_open && status == DIRECTORY_LOST);
}

/* --- SRV names of service connection points ----------------------------- */

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

static bool
look_up_targets(struct lookup *lookup, struct finding *finding,
                struct error *verdict)
{
    const struct lookup_settings *settings = lookup->settings;
    const char *name = finding->scp.dns_name;

    if (lookup->names++ >= SRV_NAMES_MAX) {
        error_set(verdict, "more than %d SRV names were found before it",
                  SRV_NAMES_MAX);
        return false;
    }
    finding->targets = malloc(sizeof *finding->targets);
    if (finding->targets == NULL) {
        error_set(verdict, "cannot look up %s: out of memory", name);
        fail(lookup, verdict);
        return false;
    }
    enum srv_status status = settings->ops->srv(settings->world, name,
                                                finding->targets, verdict);
    if (status == SRV_NONE)
        error_set(verdict, "DNS has no usable SRV record of %s", name);
    if (status == SRV_FAILED)
        fail(lookup, verdict);
    return status == SRV_FOUND;
}

static void
resolve(struct lookup *lookup, struct finding *finding)
{
    struct error verdict = {""};

    if (look_up_targets(lookup, finding, &verdict))
        return;
    free(finding->targets);
    finding->targets = NULL;
    finding->verdict = strdup(verdict.text);
}

/* --- the steps ---------------------------------------------------------- */

bool
lookup_lane(const struct lookup *lookup, char *lane, size_t size)
{
    char host[HOST_SIZE];

    if (lookup->current == lookup->source_count) {
        snprintf(lane, size, "dns");
        return next_name(lookup) < lookup->findings.count;
    }
    const struct source *source = &lookup->sources[lookup->current];
    if (source->state == SOURCE_UNLOCATED)
        snprintf(lane, size, "dns");
    else if (source->state == SOURCE_TICKET)
        snprintf(lane, size, "%s", lookup->settings->kdc_lane);
    else if (ldapclient_uri_host(source->uris[source->turn], host, sizeof host,
                                 NULL))
        snprintf(lane, size, "directory %s", host);
    return true;
}

void
lookup_step(struct lookup *lookup)
{
    if (lookup->current == lookup->source_count) {
        size_t index = next_name(lookup);
        if (index < lookup->findings.count)
            resolve(lookup, &lookup->findings.items[index]);
        lookup->resolved = index + 1;
        return;
    }
    struct source *source = &lookup->sources[lookup->current];
    if (source->state == SOURCE_UNLOCATED)
        locate(lookup, source);
    else if (source->state == SOURCE_TICKET)
        fetch_ticket(lookup, source);
    else
        survey_source(lookup, source);

    if (source->state == SOURCE_SILENT)
        fail(lookup, &source->error);
    if (source->state == SOURCE_SILENT || source->state == SOURCE_ANSWERED)
        lookup->current++;
}

static bool
conclude(struct lookup *lookup, struct error *err)
{
    struct discovery *discovery = lookup->discovery;
    struct error reason = {""};

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
