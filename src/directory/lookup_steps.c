/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a lookup, each of which blocks.  A server that broke off leaves
 * nothing behind.  What DNS and the directory say is only collected here:
 * judge.c decides.
 */
#include "directory/lookup_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/dn.h"

/* --- finding the servers of a source ------------------------------------ */

static enum srv_status
ask_names(struct lookup *lookup, const char *service, const char *domain,
          struct srv_list *list, struct error *err)
{
    const struct lookup_settings *settings = lookup->settings;
    char name[HOST_SIZE + 32];

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

/* Domain controllers have a name of their own; other directories have not. */
static enum srv_status
locate_domain(struct lookup *lookup, const char *domain, struct srv_list *list,
              struct error *err)
{
    enum srv_status status = ask_names(lookup, "_ldap._tcp.dc._msdcs", domain,
                                       list, err);

    if (status == SRV_NONE)
        status = ask_names(lookup, "_ldap._tcp", domain, list, err);
    return status;
}

/*
 * A catalog is registered under the name of the forest, which the domain's own
 * servers know.  When none of them has told, it is mostly the domain's or one
 * above it.
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

void
step_locate(struct lookup *lookup, struct source *source)
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
        status = locate_domain(lookup, source->domain, &list, err);

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

void
step_ticket(struct lookup *lookup, struct source *source)
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
    if (!known &&
        !lookup_add_source(lookup, SOURCE_DOMAIN, domain, NULL, 0, &why))
        lookup_fail(lookup, &why);
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

static enum directory_status
choose_base(const struct survey *survey, const char *base, char **base_out,
            struct error *err)
{
    if (base == NULL) {
        error_set(err,
                  "cannot search %s: it names no default naming context; set "
                  "base",
                  survey->server);
        return DIRECTORY_REFUSED;
    }
    *base_out = strdup(base);
    if (*base_out != NULL)
        return DIRECTORY_ANSWERED;
    error_set(err, "cannot search %s: out of memory", survey->server);
    return DIRECTORY_REFUSED;
}

/* A catalog that is yet to be found; NULL when there is none. */
static struct source *
unlocated_catalog(struct lookup *lookup)
{
    for (size_t i = 0; i < lookup->source_count; i++) {
        struct source *source = &lookup->sources[i];
        if (source->kind == SOURCE_CATALOG && source->state == SOURCE_UNLOCATED)
            return source;
    }
    return NULL;
}

/* Where to search: as configured, as the domain is called, or as the server
 * says; which also says what forest it is of, when that matters. */
static enum directory_status
find_base(struct lookup *lookup, const struct source *source,
          struct survey *survey, char **base_out, struct error *err)
{
    struct source *catalog = source->kind == SOURCE_HOME
                                 ? unlocated_catalog(lookup)
                                 : NULL;
    struct survey_root root = {.base = NULL};
    char dn[ENTRY_DN_MAX];
    const char *base = lookup->settings->base;
    enum directory_status status = DIRECTORY_ANSWERED;

    if (source->kind == SOURCE_DOMAIN)
        base = dn_of_domain(source->domain, dn, sizeof dn) ? dn : "";
    if (*base == '\0' || catalog != NULL)
        status = survey_root(survey, &root, err);
    if (status == DIRECTORY_ANSWERED && catalog != NULL && *root.forest != '\0')
        snprintf(catalog->domain, sizeof catalog->domain, "%s", root.forest);
    if (status == DIRECTORY_ANSWERED)
        status = choose_base(survey, *base == '\0' ? root.base : base, base_out,
                             err);
    free(root.base);
    return status;
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

void
step_survey(struct lookup *lookup, struct source *source)
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
        lookup_fail(lookup, verdict);
        return false;
    }
    enum srv_status status = settings->ops->srv(settings->world, name,
                                                finding->targets, verdict);
    if (status == SRV_NONE)
        error_set(verdict, "DNS has no usable SRV record of %s", name);
    if (status == SRV_FAILED)
        lookup_fail(lookup, verdict);
    return status == SRV_FOUND;
}

void
step_resolve(struct lookup *lookup, struct finding *finding)
{
    struct error verdict = {.text = ""};

    if (look_up_targets(lookup, finding, &verdict))
        return;
    free(finding->targets);
    finding->targets = NULL;
    finding->verdict = strdup(verdict.text);
}
