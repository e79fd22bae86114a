/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers that are there are members; the first is one of the domain and is
 * the one that is written.  Why others are not is kept as gaps.
 */
#include "directory/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/host.h"
#include "directory/srv.h"

enum {
    MEMBERS_MAX = 32,
    GAPS_MAX = 64,
};

struct member {
    char *uri;        /* owned */
    char *base;       /* owned; "" for a catalog: all there is */
    void *connection; /* owned; NULL once it broke */
};

struct registry {
    const struct registry_settings *settings; /* borrowed */
    /* owned */
    struct member members[MEMBERS_MAX];
    char *gaps[GAPS_MAX];
    /* plain */
    size_t count, gap_count;
    bool refused; /* somebody did answer, with a no */
};

static void
add_gap(struct registry *registry, const struct error *why)
{
    if (registry->gap_count == GAPS_MAX)
        return;
    char *copy = strdup(why->text);
    if (copy != NULL)
        registry->gaps[registry->gap_count++] = copy;
}

const char *
registry_gap(const struct registry *registry, size_t index)
{
    return index < registry->gap_count ? registry->gaps[index] : NULL;
}

static enum directory_status
read_base(struct registry *registry, struct member *member, struct error *err)
{
    static const char *const attributes[] = {"defaultNamingContext", NULL};
    const struct search search = {.base = "",
                                  .scope = SEARCH_BASE,
                                  .filter = "(objectClass=*)",
                                  .attributes = attributes};
    struct entry_list list = {.count = 0};
    enum directory_status status = registry->settings->ops->search(
        member->connection, &search, &list, err);
    const char *base = status == DIRECTORY_ANSWERED && list.count == 1
                           ? entry_text(&list.entries[0], attributes[0])
                           : NULL;

    if (base != NULL)
        member->base = strdup(base);
    if (status == DIRECTORY_ANSWERED && member->base == NULL) {
        error_set(err, "cannot use %s: it names no default naming context",
                  member->uri);
        status = DIRECTORY_REFUSED;
    }
    entry_list_clear(&list);
    return status;
}

static void
member_clear(struct registry *registry, struct member *member)
{
    if (member->connection != NULL)
        registry->settings->ops->close(member->connection);
    free(member->base);
    free(member->uri);
    *member = (struct member){.uri = NULL};
}

static enum directory_status
member_open(struct registry *registry, struct member *member, const char *uri,
            bool catalog, struct error *err)
{
    const struct registry_settings *settings = registry->settings;
    char host[HOST_SIZE];

    if (!ldapclient_uri_host(uri, host, sizeof host, err))
        return DIRECTORY_REFUSED;
    if (!settings->ops->ticket(settings->world, host, err))
        return DIRECTORY_LOST;
    enum directory_status status = settings->ops->open(
        settings->world, uri, &member->connection, err);
    if (status != DIRECTORY_ANSWERED) {
        member->connection = NULL;
        return status;
    }
    member->uri = strdup(uri);
    if (catalog)
        member->base = strdup("");
    if (member->uri == NULL || (catalog && member->base == NULL)) {
        error_set(err, "cannot use %s: out of memory", uri);
        return DIRECTORY_REFUSED;
    }
    return catalog ? DIRECTORY_ANSWERED : read_base(registry, member, err);
}

/* True: it is a member now; otherwise there is one gap more. */
static bool
take_server(struct registry *registry, const char *uri, bool catalog,
            struct error *err)
{
    struct member *member = &registry->members[registry->count];

    if (registry->count == MEMBERS_MAX) {
        error_set(err, "cannot ask %s: there are more than %d servers", uri,
                  MEMBERS_MAX);
    } else {
        enum directory_status status = member_open(registry, member, uri,
                                                   catalog, err);
        if (status == DIRECTORY_ANSWERED) {
            registry->count++;
            return true;
        }
        member_clear(registry, member);
        registry->refused |= status == DIRECTORY_REFUSED;
    }
    add_gap(registry, err);
    return false;
}

static enum srv_status
ask_dns(struct registry *registry, const char *prefix, const char *domain,
        struct srv_list *list, struct error *err)
{
    const struct registry_settings *settings = registry->settings;
    char name[HOST_SIZE + 32];

    snprintf(name, sizeof name, "%s.%s", prefix, domain);
    return settings->ops->srv(settings->world, name, list, err);
}

/* Domain controllers have a name of their own; other directories have not. */
static enum srv_status
locate_servers(struct registry *registry, struct srv_list *list,
               struct error *err)
{
    const char *domain = registry->settings->domain;

    if (!host_is_valid(domain)) {
        error_set(err, "cannot find a directory server: neither domain nor "
                       "uri names one");
        return SRV_FAILED;
    }
    enum srv_status status = ask_dns(registry, "_ldap._tcp.dc._msdcs", domain,
                                     list, err);
    if (status == SRV_NONE)
        status = ask_dns(registry, "_ldap._tcp", domain, list, err);
    if (status == SRV_NONE)
        error_set(err,
                  "cannot find a directory server of %s: DNS has no SRV "
                  "record of one",
                  domain);
    return status;
}

/* By the name of the forest: that of the domain or of one above it. */
static enum srv_status
locate_catalogs(struct registry *registry, struct srv_list *list,
                struct error *err)
{
    const char *domain = registry->settings->domain;
    enum srv_status status = SRV_NONE;

    while (status == SRV_NONE && strchr(domain, '.') != NULL) {
        status = ask_dns(registry, "_gc._tcp", domain, list, err);
        domain = strchr(domain, '.') + 1;
    }
    return status;
}

/* The first of those that DNS named, in the order of RFC 2782. */
static void
take_first(struct registry *registry, const struct srv_list *list, bool catalog,
           struct error *err)
{
    struct srv_choice choices[SRV_RECORDS_MAX];
    char uri[HOST_SIZE + 32];

    for (size_t i = 0; i < list->count; i++)
        choices[i] = (struct srv_choice){list->records[i].priority,
                                         list->records[i].weight, i};
    srv_order(choices, list->count, random_kernel, NULL);
    for (size_t i = 0; i < list->count; i++) {
        const struct srv_record *record = &list->records[choices[i].index];
        snprintf(uri, sizeof uri, "ldap://%s:%u", record->target,
                 (unsigned)record->port);
        if (take_server(registry, uri, catalog, err))
            return;
    }
}

static void
take_domain(struct registry *registry, struct error *err)
{
    const struct registry_settings *settings = registry->settings;
    struct srv_list list = {.count = 0};

    for (size_t i = 0; i < settings->uri_count; i++)
        (void)take_server(registry, settings->uris[i], false, err);
    if (settings->uri_count == 0 &&
        locate_servers(registry, &list, err) == SRV_FOUND)
        take_first(registry, &list, false, err);
}

static void
take_catalogs(struct registry *registry)
{
    const struct registry_settings *settings = registry->settings;
    struct srv_list list = {.count = 0};
    struct error why;

    for (size_t i = 0; i < settings->gc_uri_count; i++)
        (void)take_server(registry, settings->gc_uris[i], true, &why);
    if (settings->gc_uri_count != 0 || settings->uri_count != 0)
        return;
    enum srv_status status = locate_catalogs(registry, &list, &why);
    if (status == SRV_FOUND)
        take_first(registry, &list, true, &why);
    else if (status == SRV_FAILED)
        add_gap(registry, &why);
}

enum directory_status
registry_open(const struct registry_settings *settings,
              struct registry **registry_out, struct error *err)
{
    struct registry *registry = calloc(1, sizeof *registry);

    if (registry == NULL) {
        error_set(err, "cannot ask the directory: out of memory");
        return DIRECTORY_REFUSED;
    }
    registry->settings = settings;
    take_domain(registry, err);
    if (registry->count == 0) {
        bool refused = registry->refused;
        registry_close(registry);
        return refused ? DIRECTORY_REFUSED : DIRECTORY_LOST;
    }
    take_catalogs(registry);
    *registry_out = registry;
    return DIRECTORY_ANSWERED;
}

void
registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->count; i++)
        member_clear(registry, &registry->members[i]);
    for (size_t i = 0; i < registry->gap_count; i++)
        free(registry->gaps[i]);
    free(registry);
}

const char *
registry_base(const struct registry *registry)
{
    return registry->members[0].base;
}

const char *
registry_server(const struct registry *registry)
{
    return registry->members[0].uri;
}

enum directory_status
registry_search(struct registry *registry, const struct search *search,
                struct entry_list *list, struct error *err)
{
    return registry->settings->ops->search(registry->members[0].connection,
                                           search, list, err);
}

enum directory_status
registry_search_all(struct registry *registry, const char *filter,
                    const char *const *attributes, struct entry_list *list,
                    struct error *err)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct member *member = &registry->members[i];
        const struct search search = {
            .base = member->base,
            .scope = SEARCH_SUBTREE,
            .filter = filter,
            .attributes = attributes,
        };
        if (member->connection == NULL)
            continue;
        enum directory_status status = registry->settings->ops->search(
            member->connection, &search, list, err);
        if (status == DIRECTORY_ANSWERED)
            continue;
        if (i == 0)
            return status;
        add_gap(registry, err);
        registry->settings->ops->close(member->connection);
        member->connection = NULL;
    }
    return DIRECTORY_ANSWERED;
}

enum write_status
registry_add(struct registry *registry, const char *dn,
             const struct change *attributes, size_t count, struct error *err)
{
    return registry->settings->writes->add(registry->members[0].connection, dn,
                                           attributes, count, err);
}

enum write_status
registry_modify(struct registry *registry, const char *dn,
                const struct change *changes, size_t count, struct error *err)
{
    return registry->settings->writes->modify(registry->members[0].connection,
                                              dn, changes, count, err);
}

enum write_status
registry_remove(struct registry *registry, const char *dn, struct error *err)
{
    return registry->settings->writes->remove(registry->members[0].connection,
                                              dn, err);
}
