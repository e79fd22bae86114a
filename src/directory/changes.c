/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of one kind and attribute stand together, as LDAP wants them. */
#include "directory/changes.h"

#include <stdlib.h>
#include <string.h>

static size_t
value_count(const struct change *change)
{
    size_t count = 0;

    while (change->values != NULL && change->values[count] != NULL)
        count++;
    return count;
}

/* The change of this kind and attribute, made when there is room. */
static struct change *
find(struct changes *changes, enum change_kind kind, const char *attribute)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct change *change = &changes->items[i];
        if (change->kind == kind && strcmp(change->attribute, attribute) == 0)
            return change;
    }
    if (changes->count == CHANGES_MAX)
        return NULL;
    struct change *change = &changes->items[changes->count++];
    *change = (struct change){.kind = kind, .attribute = attribute};
    return change;
}

bool
changes_add(struct changes *changes, enum change_kind kind,
            const char *attribute, const char *value, struct error *err)
{
    struct change *change = find(changes, kind, attribute);

    if (change != NULL && value == NULL)
        return true;
    size_t count = change != NULL ? value_count(change) : 0;
    char **larger = NULL;
    char *copy = NULL;
    if (change != NULL) {
        larger = realloc((void *)change->values, (count + 2) * sizeof *larger);
        if (larger != NULL) {
            larger[count] = NULL;
            change->values = (const char *const *)larger;
            copy = strdup(value);
        }
    }
    if (copy == NULL) {
        error_set(err, "cannot prepare a change of %s: out of memory",
                  attribute);
        return false;
    }
    larger[count] = copy;
    larger[count + 1] = NULL;
    return true;
}

void
changes_clear(struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        char **values = (char **)changes->items[i].values;
        for (size_t j = 0; values != NULL && values[j] != NULL; j++)
            free(values[j]);
        free(values);
    }
    changes->count = 0;
}
