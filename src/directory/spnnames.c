/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All names of all accounts are sorted; what stands several times is found side
 * by side.  The same account may be told of by several servers.
 */
#include "directory/spnnames.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "directory/dn.h"
#include "directory/spnvalue.h"

static const char attribute_name[] = "servicePrincipalName";
static const char *const attributes[] = {attribute_name, NULL};

static bool
change(struct registry *registry, const struct account *account,
       enum change_kind kind, const char *value, struct error *err)
{
    const char *const values[] = {value, NULL};
    const struct change one = {kind, attribute_name, values};

    if (registry_modify(registry, account->dn, &one, 1, err) == WRITE_DONE)
        return true;
    error_prefix(err, "cannot %s the SPN %s %s %s",
                 kind == CHANGE_ADD ? "register" : "delete", value,
                 kind == CHANGE_ADD ? "on" : "from", account->name);
    return false;
}

bool
spnnames_add(struct registry *registry, const struct account *account,
             const char *value, struct error *err)
{
    enum spn_verdict verdict;
    struct error why;

    if (account_holds(registry, account, value, &verdict, &why) !=
            DIRECTORY_ANSWERED ||
        verdict == SPN_ELSEWHERE) {
        *err = why;
        error_prefix(err, "cannot register it on %s", account->name);
        return false;
    }
    return verdict == SPN_HELD ||
           change(registry, account, CHANGE_ADD, value, err);
}

bool
spnnames_delete(struct registry *registry, const struct account *account,
                const char *value, struct error *err)
{
    return change(registry, account, CHANGE_DELETE, value, err);
}

void
spnnames_clear(struct spnname_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].value);
        free(list->items[i].dn);
        free(list->items[i].canonical);
    }
    free(list->items);
    *list = (struct spnname_list){.count = 0};
}

static bool
append(struct spnname_list *list, const char *value, const char *dn,
       struct error *err)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : 2 * list->room;
        struct spnname *larger = realloc(list->items, room * sizeof *larger);
        if (larger != NULL) {
            list->items = larger;
            list->room = room;
        }
    }
    if (list->count < list->room) {
        struct spnname *name = &list->items[list->count++];
        *name = (struct spnname){strdup(value), strdup(dn),
                                 dn_canonical(dn, NULL)};
        if (name->value != NULL && name->dn != NULL && name->canonical != NULL)
            return true;
    }
    error_set(err, "cannot collect names of accounts: out of memory");
    return false;
}

static bool
append_entry(struct spnname_list *list, const struct entry *entry,
             struct error *err)
{
    const struct attribute *names = entry_attribute(entry, attribute_name);

    for (size_t i = 0; names != NULL && i < names->count; i++) {
        if (!append(list, names->values[i].bytes, entry->dn, err))
            return false;
    }
    list->cut |= names != NULL && names->cut;
    return true;
}

/* By name, then by account. */
static int
compare(const void *a, const void *b)
{
    const struct spnname *first = a, *second = b;
    int order = strcasecmp(first->value, second->value);

    return order != 0 ? order : strcmp(first->canonical, second->canonical);
}

static bool
collect(const struct entry_list *entries, struct spnname_list *list,
        struct error *err)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (!append_entry(list, &entries->entries[i], err))
            return false;
    }
    list->cut |= entries->cut;
    if (list->count != 0)
        qsort(list->items, list->count, sizeof *list->items, compare);
    return true;
}

bool
spnnames_list(struct registry *registry, const struct account *account,
              struct spnname_list *list_out, struct error *err)
{
    const struct search search = {
        .base = account->dn,
        .scope = SEARCH_BASE,
        .filter = "(objectClass=*)",
        .attributes = attributes,
    };
    struct entry_list entries = {.count = 0};

    *list_out = (struct spnname_list){.count = 0};
    bool sound = registry_search(registry, &search, &entries, err) ==
                     DIRECTORY_ANSWERED &&
                 collect(&entries, list_out, err);
    entry_list_clear(&entries);
    if (!sound)
        spnnames_clear(list_out);
    return sound;
}

/* Is the name at index also one of another account? */
static bool
is_shared(const struct spnname_list *list, size_t index)
{
    const struct spnname *name = &list->items[index];

    for (size_t i = index + 1;
         i < list->count && spnvalue_equal(list->items[i].value, name->value);
         i++) {
        if (strcmp(list->items[i].canonical, name->canonical) != 0)
            return true;
    }
    for (size_t i = index;
         i-- > 0 && spnvalue_equal(list->items[i].value, name->value);) {
        if (strcmp(list->items[i].canonical, name->canonical) != 0)
            return true;
    }
    return false;
}

/* Told of by another server before. */
static bool
is_repeated(const struct spnname_list *list, size_t index)
{
    return index != 0 &&
           compare(&list->items[index - 1], &list->items[index]) == 0;
}

bool
spnnames_duplicates(struct registry *registry, struct spnname_list *list_out,
                    struct error *err)
{
    struct entry_list entries = {.count = 0};
    struct spnname_list all = {.count = 0};

    *list_out = (struct spnname_list){.count = 0};
    bool sound = registry_search_all(registry, "(servicePrincipalName=*)",
                                     attributes, &entries,
                                     err) == DIRECTORY_ANSWERED &&
                 collect(&entries, &all, err);
    entry_list_clear(&entries);
    for (size_t i = 0; i < all.count && sound; i++) {
        if (!is_repeated(&all, i) && is_shared(&all, i))
            sound = append(list_out, all.items[i].value, all.items[i].dn, err);
    }
    list_out->cut = all.cut;
    spnnames_clear(&all);
    if (!sound)
        spnnames_clear(list_out);
    return sound;
}
