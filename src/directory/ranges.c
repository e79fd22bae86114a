/* SPDX-License-Identifier: BSD-2-Clause */
/* Every part must bring values that begin where the last one ended: so it ends,
 * at the latest when entry.c has no more room. */
#include "directory/ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char option[] = ";range=";

/* "NAME;range=FIRST-LAST" or "NAME;range=FIRST-*". */
struct range {
    size_t name_length;
    unsigned long first;
    unsigned long next; /* after LAST; 0: there is no more */
};

/* Nine digits at most, so that nothing overflows. */
static const char *
take_number(const char *text, unsigned long *number_out)
{
    const char *start = text;

    *number_out = 0;
    while (*text >= '0' && *text <= '9' && text - start < 9)
        *number_out = *number_out * 10 + (unsigned long)(*text++ - '0');
    return text == start ? NULL : text;
}

static bool
range_parse(const char *name, struct range *range_out)
{
    struct range range = {.next = 0};
    const char *at = strcasestr(name, option);

    if (at == NULL)
        return false;
    range.name_length = (size_t)(at - name);
    at = take_number(at + sizeof option - 1, &range.first);
    if (at == NULL || *at++ != '-')
        return false;
    if (strcmp(at, "*") != 0) {
        at = take_number(at, &range.next);
        if (at == NULL || *at != '\0' || range.next++ < range.first)
            return false;
    }
    *range_out = range;
    return true;
}

/* The part of the attribute that begins where it should; NULL: there is none. */
static const struct attribute *
find_part(const struct entry_list *list, const char *name, unsigned long first,
          struct range *range_out)
{
    for (size_t i = 0; list->count == 1 && i < list->entries[0].count; i++) {
        const struct attribute *part = &list->entries[0].attributes[i];
        if (range_parse(part->name, range_out) && range_out->first == first &&
            strlen(name) == range_out->name_length &&
            strncasecmp(part->name, name, range_out->name_length) == 0)
            return part;
    }
    return NULL;
}

static bool
take_values(struct entry *entry, const struct attribute *part, const char *name,
            struct error *err)
{
    for (size_t i = 0; i < part->count; i++) {
        if (!entry_add(entry, name, part->values[i].bytes,
                       part->values[i].length, err))
            return false;
    }
    return true;
}

/* The values from range->next on, as many as the server gives at once. */
static enum directory_status
get_part(ranges_search *search, void *connection, struct entry *entry,
         struct attribute *attribute, struct range *range, struct error *err)
{
    struct entry_list list = {.count = 0};
    char *asked = NULL;

    if (asprintf(&asked, "%s%s%lu-*", attribute->name, option, range->next) <
        0) {
        error_set(err, "cannot ask for more values: out of memory");
        return DIRECTORY_REFUSED;
    }
    const char *const attributes[] = {asked, NULL};
    const struct search rest = {
        .base = entry->dn,
        .scope = SEARCH_BASE,
        .filter = "(objectClass=*)",
        .attributes = attributes,
    };
    enum directory_status status = search(connection, &rest, &list, err);
    if (status == DIRECTORY_ANSWERED) {
        const struct attribute *part = find_part(&list, attribute->name,
                                                 range->next, range);
        attribute->cut |= part == NULL || part->cut;
        if (part != NULL && !take_values(entry, part, attribute->name, err))
            status = DIRECTORY_REFUSED;
    }
    entry_list_clear(&list);
    free(asked);
    return status;
}

enum directory_status
ranges_complete(ranges_search *search, void *connection,
                struct entry_list *list, struct error *err)
{
    enum directory_status status = DIRECTORY_ANSWERED;

    for (size_t i = 0; i < list->count; i++) {
        struct entry *entry = &list->entries[i];
        for (size_t j = 0; j < entry->count; j++) {
            struct attribute *attribute = &entry->attributes[j];
            struct range range;
            if (!range_parse(attribute->name, &range))
                continue;
            attribute->name[range.name_length] = '\0';
            while (status == DIRECTORY_ANSWERED && range.next != 0 &&
                   !attribute->cut)
                status = get_part(search, connection, entry, attribute, &range,
                                  err);
            if (status != DIRECTORY_ANSWERED)
                return status;
        }
    }
    return status;
}
