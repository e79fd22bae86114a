/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries as plain data.  Everything is copied and bounded here, so that the
 * rest of the room never holds a pointer into libldap's memory.
 */
#include "directory/entry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
no_memory(struct error *err)
{
    error_set(err, "cannot keep an entry of the directory: out of memory");
    return false;
}

bool
entry_init(struct entry *entry, const char *dn, struct error *err)
{
    *entry = (struct entry){.dn = NULL};
    if (strnlen(dn, ENTRY_DN_MAX + 1) > ENTRY_DN_MAX) {
        error_set(err,
                  "cannot take an entry of the directory: its name is "
                  "longer than %d bytes",
                  ENTRY_DN_MAX);
        return false;
    }
    entry->dn = strdup(dn);
    return entry->dn != NULL || no_memory(err);
}

void
entry_clear(struct entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        struct attribute *attribute = &entry->attributes[i];
        for (size_t j = 0; j < attribute->count; j++)
            free(attribute->values[j].bytes);
        free(attribute->values);
        free(attribute->name);
    }
    free(entry->attributes);
    free(entry->dn);
    *entry = (struct entry){.dn = NULL};
}

/* The attribute called name, made when there is room for it; NULL with
 * out_of_memory false when there is not. */
static struct attribute *
attribute_make(struct entry *entry, const char *name, bool *out_of_memory)
{
    *out_of_memory = false;
    for (size_t i = 0; i < entry->count; i++) {
        if (strcasecmp(entry->attributes[i].name, name) == 0)
            return &entry->attributes[i];
    }
    if (entry->count == ENTRY_ATTRIBUTES_MAX)
        return NULL;

    *out_of_memory = true;
    struct attribute *larger = realloc(
        entry->attributes, (entry->count + 1) * sizeof *entry->attributes);
    if (larger == NULL)
        return NULL;
    entry->attributes = larger;
    char *copy = strdup(name);
    if (copy == NULL)
        return NULL;
    *out_of_memory = false;
    larger[entry->count] = (struct attribute){.name = copy};
    return &larger[entry->count++];
}

bool
entry_add(struct entry *entry, const char *name, const void *bytes,
          size_t length, struct error *err)
{
    bool out_of_memory;
    struct attribute *attribute = attribute_make(entry, name, &out_of_memory);

    if (attribute == NULL)
        return !out_of_memory || no_memory(err);
    if (attribute->count == ENTRY_VALUES_MAX || length > ENTRY_VALUE_MAX ||
        attribute->size + length > ENTRY_ATTRIBUTE_MAX) {
        attribute->cut = true;
        return true;
    }
    struct value *larger = realloc(
        attribute->values, (attribute->count + 1) * sizeof *attribute->values);
    if (larger == NULL)
        return no_memory(err);
    attribute->values = larger;
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return no_memory(err);
    if (length != 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    attribute->size += length;
    larger[attribute->count++] = (struct value){.bytes = copy,
                                                .length = length};
    return true;
}

const struct attribute *
entry_attribute(const struct entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcasecmp(entry->attributes[i].name, name) == 0)
            return &entry->attributes[i];
    }
    return NULL;
}

const char *
entry_text(const struct entry *entry, const char *name)
{
    const struct attribute *attribute = entry_attribute(entry, name);

    if (attribute == NULL || attribute->count != 1 || attribute->cut)
        return NULL;
    const struct value *value = &attribute->values[0];
    if (value->length == 0 || strlen(value->bytes) != value->length)
        return NULL;
    return value->bytes;
}

bool
entry_has(const struct entry *entry, const char *name, const char *text)
{
    const struct attribute *attribute = entry_attribute(entry, name);

    for (size_t i = 0; attribute != NULL && i < attribute->count; i++) {
        const struct value *value = &attribute->values[i];
        if (value->length == strlen(text) &&
            strcasecmp(value->bytes, text) == 0)
            return true;
    }
    return false;
}

bool
entry_list_take(struct entry_list *list, struct entry *entry, struct error *err)
{
    if (list->count == ENTRY_LIST_MAX) {
        list->cut = true;
        entry_clear(entry);
        return true;
    }
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : 2 * list->room;
        struct entry *larger = realloc(list->entries,
                                       room * sizeof *list->entries);
        if (larger == NULL) {
            entry_clear(entry);
            return no_memory(err);
        }
        list->entries = larger;
        list->room = room;
    }
    list->entries[list->count++] = *entry;
    *entry = (struct entry){.dn = NULL};
    return true;
}

void
entry_list_clear(struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        entry_clear(&list->entries[i]);
    free(list->entries);
    *list = (struct entry_list){.entries = NULL};
}
