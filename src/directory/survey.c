/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The questions to one server, in the order in which the answers are needed:
 * what the local rules can refuse at once costs no further question.
 */
#include "directory/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/dn.h"
#include "directory/group.h"

enum {
    SHOWN_SIZE = 512
};

static const char *const root_attributes[] = {"defaultNamingContext",
                                              "rootDomainNamingContext", NULL};
static const char *const parent_attributes[] = {"objectClass", "dNSHostName",
                                                NULL};

static enum directory_status
out_of_memory(struct error *err)
{
    error_set(err, "cannot keep what was found: out of memory");
    return DIRECTORY_REFUSED;
}

void
survey_findings_truncate(struct findings *findings, size_t count)
{
    while (findings->count > count) {
        struct finding *finding = &findings->items[--findings->count];
        scp_clear(&finding->scp);
        free(finding->verdict);
        free(finding->targets);
    }
}

void
survey_findings_clear(struct findings *findings)
{
    survey_findings_truncate(findings, 0);
    free(findings->items);
    *findings = (struct findings){.items = NULL};
}

static struct finding *
findings_add(struct findings *findings)
{
    if (findings->count == findings->room) {
        size_t room = findings->room == 0 ? 8 : 2 * findings->room;
        struct finding *larger = realloc(findings->items,
                                         room * sizeof *larger);
        if (larger == NULL)
            return NULL;
        findings->items = larger;
        findings->room = room;
    }
    struct finding *finding = &findings->items[findings->count++];
    *finding = (struct finding){.anchor = ANCHOR_NONE};
    return finding;
}

static void
read_forest(const struct entry *entry, char forest[HOST_SIZE])
{
    const char *text = entry_text(entry, "rootDomainNamingContext");
    char *canonical = text == NULL ? NULL : dn_canonical(text, NULL);

    if (canonical == NULL || !dn_domain(canonical, forest, HOST_SIZE) ||
        !host_is_valid(forest))
        forest[0] = '\0';
    free(canonical);
}

enum directory_status
survey_root(struct survey *survey, struct survey_root *root_out,
            struct error *err)
{
    struct search search = {
        .base = "",
        .scope = SEARCH_BASE,
        .filter = "(objectClass=*)",
        .attributes = root_attributes,
    };
    struct survey_root root = {.base = NULL};
    struct entry_list list = {.count = 0};
    enum directory_status status = survey->ops->search(survey->connection,
                                                       &search, &list, err);

    if (status == DIRECTORY_ANSWERED && list.count == 1) {
        const char *base = entry_text(&list.entries[0], "defaultNamingContext");
        read_forest(&list.entries[0], root.forest);
        if (base != NULL && (root.base = strdup(base)) == NULL)
            status = out_of_memory(err);
    }
    entry_list_clear(&list);
    if (status == DIRECTORY_ANSWERED)
        *root_out = root;
    return status;
}

/* Everything that can be said of entry without asking further. */
static enum directory_status
take_entry(struct survey *survey, const struct entry *entry, struct error *err)
{
    struct finding *finding = findings_add(survey->findings);
    struct error verdict = {.text = ""};

    if (finding == NULL)
        return out_of_memory(err);
    if (scp_parse(entry, &finding->scp, &verdict) &&
        judge_class(survey->rules, &finding->scp, &verdict))
        return DIRECTORY_ANSWERED;
    finding->verdict = strdup(verdict.text);
    if (finding->verdict == NULL || finding->scp.dn == NULL)
        return out_of_memory(err);
    return DIRECTORY_ANSWERED;
}

/* What is read once and holds for the SCPs that follow, too. */
struct surroundings {
    char *parent_dn; /* owned; as the server wrote it */
    struct judge_parent parent;
    bool group_known; /* was asked whether the parent is in the group */
    char *group;      /* owned; canonical; NULL: there is none */
    bool group_asked;
};

static void
forget_parent(struct surroundings *around)
{
    free(around->parent_dn);
    free(around->parent.dns_host_name);
    around->parent_dn = NULL;
    around->parent = (struct judge_parent){.is_computer = false};
    around->group_known = false;
}

static enum directory_status
read_parent(struct survey *survey, const char *dn, struct surroundings *around,
            struct error *err)
{
    if (around->parent_dn != NULL && strcmp(around->parent_dn, dn) == 0)
        return DIRECTORY_ANSWERED;

    struct search search = {
        .base = dn,
        .scope = SEARCH_BASE,
        .filter = "(objectClass=*)",
        .attributes = parent_attributes,
    };
    struct entry_list list = {.count = 0};
    forget_parent(around);
    enum directory_status status = survey->ops->search(survey->connection,
                                                       &search, &list, err);
    if (status == DIRECTORY_ANSWERED) {
        const struct entry *entry = list.count == 1 ? list.entries : NULL;
        const char *host = entry == NULL ? NULL
                                         : entry_text(entry, "dNSHostName");
        around->parent_dn = strdup(dn);
        around->parent.is_computer =
            entry != NULL && entry_has(entry, "objectClass", "computer");
        if (host != NULL)
            around->parent.dns_host_name = strdup(host);
        if (around->parent_dn == NULL ||
            (host != NULL && around->parent.dns_host_name == NULL))
            status = out_of_memory(err);
    }
    entry_list_clear(&list);
    return status;
}

static enum directory_status
read_membership(struct survey *survey, const char *tree,
                struct surroundings *around, struct error *err)
{
    const char *name = survey->rules->allow_group;
    enum directory_status status = DIRECTORY_ANSWERED;
    char shown[SHOWN_SIZE];

    if (!around->group_asked) {
        status = group_find(survey->ops, survey->connection, tree, name,
                            &around->group, err);
        around->group_asked = status == DIRECTORY_ANSWERED;
        if (around->group_asked && around->group == NULL)
            discovery_note(
                survey->discovery, "%s has no group '%s', or several",
                survey->server,
                text_sanitize(name, strlen(name), shown, sizeof shown));
    }
    if (around->group == NULL || around->group_known)
        return status;
    status = group_has_member(survey->ops, survey->connection, tree,
                              around->group, around->parent_dn,
                              &around->parent.in_group, err);
    around->group_known = status == DIRECTORY_ANSWERED;
    return status;
}

/* The verdict on an SCP that is well-formed and of our class. */
static enum directory_status
judge(struct survey *survey, struct finding *finding, const char *tree,
      struct surroundings *around, struct error *err)
{
    const char *above = dn_parent_text(finding->scp.dn);
    struct error verdict = {.text = ""};
    enum directory_status status = read_parent(
        survey, above == NULL ? "" : above, around, err);

    if (status == DIRECTORY_ANSWERED && around->parent.is_computer &&
        judge_needs_group(survey->rules, &finding->scp))
        status = read_membership(survey, tree, around, err);
    if (status != DIRECTORY_ANSWERED ||
        judge_scp(survey->rules, &finding->scp, &around->parent,
                  &finding->anchor, &verdict))
        return status;
    finding->verdict = strdup(verdict.text);
    return finding->verdict == NULL ? out_of_memory(err) : status;
}

static void
note_search(struct survey *survey, const struct search *search,
            const struct entry_list *list)
{
    char shown[SHOWN_SIZE];

    discovery_note(
        survey->discovery, "asked %s for %s %s '%s': %zu %s%s", survey->server,
        search->filter, search->scope == SEARCH_BASE ? "at" : "below",
        text_sanitize(search->base, strlen(search->base), shown, sizeof shown),
        list->count, list->count == 1 ? "entry" : "entries",
        list->cut ? ", and more that were not taken" : "");
}

enum directory_status
survey_scps(struct survey *survey, const struct search *search,
            const char *tree, struct error *err)
{
    struct surroundings around = {.parent_dn = NULL};
    struct entry_list list = {.count = 0};
    size_t first = survey->findings->count;
    enum directory_status status = survey->ops->search(survey->connection,
                                                       search, &list, err);

    if (status == DIRECTORY_ANSWERED)
        note_search(survey, search, &list);
    for (size_t i = 0; i < list.count && status == DIRECTORY_ANSWERED; i++)
        status = take_entry(survey, &list.entries[i], err);
    entry_list_clear(&list);
    for (size_t i = first;
         i < survey->findings->count && status == DIRECTORY_ANSWERED; i++) {
        struct finding *finding = &survey->findings->items[i];
        if (finding->verdict == NULL)
            status = judge(survey, finding, tree, &around, err);
    }
    forget_parent(&around);
    free(around.group);
    return status;
}
