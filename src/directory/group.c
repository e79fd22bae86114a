/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Membership, climbed breadth first.  Names seen before are not asked about
 * again, so that circles end, and the number of searches is bounded.
 */
#include "directory/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/dn.h"
#include "directory/filter.h"

static const char *const no_attributes[] = {"1.1", NULL};

static enum directory_status
out_of_memory(struct error *err)
{
    error_set(err, "cannot look up a group: out of memory");
    return DIRECTORY_REFUSED;
}

/* Groups whose attribute has this value. */
static enum directory_status
search_groups(const struct directory_ops *ops, void *connection,
              const char *tree, const char *attribute, const char *text,
              struct entry_list *list, struct error *err)
{
    char *equal = filter_equal(attribute, text, strlen(text), err);
    char *filter = NULL;
    enum directory_status status = DIRECTORY_REFUSED;

    if (equal != NULL &&
        asprintf(&filter, "(&(objectClass=group)%s)", equal) >= 0) {
        struct search search = {
            .base = tree,
            .scope = SEARCH_SUBTREE,
            .filter = filter,
            .attributes = no_attributes,
        };
        status = ops->search(connection, &search, list, err);
        free(filter);
    } else {
        status = out_of_memory(err);
    }
    free(equal);
    return status;
}

enum directory_status
group_find(const struct directory_ops *ops, void *connection, const char *tree,
           const char *name, char **group_out, struct error *err)
{
    struct entry_list list = {.count = 0};

    if (strchr(name, '=') != NULL) {
        *group_out = dn_canonical(name, err);
        return *group_out == NULL ? DIRECTORY_REFUSED : DIRECTORY_ANSWERED;
    }
    enum directory_status status = search_groups(
        ops, connection, tree, "sAMAccountName", name, &list, err);
    char *group = NULL;
    if (status == DIRECTORY_ANSWERED && list.count == 1)
        group = dn_canonical(list.entries[0].dn, NULL);
    entry_list_clear(&list);
    if (status == DIRECTORY_ANSWERED)
        *group_out = group;
    return status;
}

/* Names to ask about, in order; each once. */
struct climb {
    char *names[GROUP_SEARCHES_MAX];     /* owned; as the server wrote them */
    char *canonical[GROUP_SEARCHES_MAX]; /* owned */
    size_t count;
};

static void
climb_clear(struct climb *climb)
{
    for (size_t i = 0; i < climb->count; i++) {
        free(climb->names[i]);
        free(climb->canonical[i]);
    }
    free(climb);
}

/* False for lack of memory; what cannot be read or does not fit is left out. */
static bool
climb_add(struct climb *climb, const char *name)
{
    char *canonical = dn_canonical(name, NULL);

    if (canonical == NULL)
        return true;
    bool known = climb->count == GROUP_SEARCHES_MAX;
    for (size_t i = 0; i < climb->count && !known; i++)
        known = strcmp(climb->canonical[i], canonical) == 0;
    if (known) {
        free(canonical);
        return true;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        free(canonical);
        return false;
    }
    climb->names[climb->count] = copy;
    climb->canonical[climb->count++] = canonical;
    return true;
}

static bool
climb_add_all(struct climb *climb, const struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!climb_add(climb, list->entries[i].dn))
            return false;
    }
    return true;
}

enum directory_status
group_has_member(const struct directory_ops *ops, void *connection,
                 const char *tree, const char *group, const char *member,
                 bool *answer_out, struct error *err)
{
    struct climb *climb = calloc(1, sizeof *climb);
    enum directory_status status = DIRECTORY_ANSWERED;
    bool answer = false;

    if (climb == NULL || !climb_add(climb, member)) {
        free(climb);
        return out_of_memory(err);
    }
    for (size_t i = 0;
         i < climb->count && !answer && status == DIRECTORY_ANSWERED; i++) {
        struct entry_list list = {.count = 0};
        /* The member itself is the first: it is not in itself. */
        if (i > 0 && strcmp(climb->canonical[i], group) == 0) {
            answer = true;
            break;
        }
        status = search_groups(ops, connection, tree, "member", climb->names[i],
                               &list, err);
        if (status == DIRECTORY_ANSWERED && !climb_add_all(climb, &list))
            status = out_of_memory(err);
        entry_list_clear(&list);
    }
    climb_clear(climb);
    if (status == DIRECTORY_ANSWERED)
        *answer_out = answer;
    return status;
}
