/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists grow by doubling, without a member for the room: a list of n items has
 * room for the next power of two, so it is full whenever n is one.
 */
#include "config/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/socket.h"
#include "config/config.h"
#include "config/values.h"
#include "gss/access.h"

/* items with room for one more, or NULL; then items is as it was. */
static void *
grown(void *items, size_t count, size_t item_size, struct error *err)
{
    if ((count & (count - 1)) != 0)
        return items;
    items = reallocarray(items, count == 0 ? 1 : 2 * count, item_size);
    if (items == NULL)
        error_set(err, "out of memory");
    return items;
}

bool
texts_append(void *field, const char *text, struct error *err)
{
    struct text_list *list = field;
    char **items = grown(list->items, list->count, sizeof *items, err);

    if (items == NULL)
        return false;
    list->items = items;
    items[list->count] = strdup(text);
    if (items[list->count] == NULL) {
        error_set(err, "out of memory");
        return false;
    }
    list->count++;
    return true;
}

const char *
texts_item(const void *field, size_t index, char *buffer)
{
    const struct text_list *list = field;

    (void)buffer;
    return index < list->count ? list->items[index] : NULL;
}

void
texts_clear(void *field)
{
    struct text_list *list = field;

    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

bool
endpoints_append(void *field, const char *text, struct error *err)
{
    struct endpoint_list *list = field;
    struct endpoint *items = grown(list->items, list->count, sizeof *items,
                                   err);

    if (items == NULL)
        return false;
    list->items = items;
    if (!endpoint_parse(text, false, &items[list->count], err))
        return false;
    list->count++;
    return true;
}

const char *
endpoints_item(const void *field, size_t index, char *buffer)
{
    const struct endpoint_list *list = field;

    if (index >= list->count)
        return NULL;
    endpoint_format(&list->items[index], buffer, VALUE_TEXT_SIZE);
    return buffer;
}

void
endpoints_clear(void *field)
{
    struct endpoint_list *list = field;

    free(list->items);
    *list = (struct endpoint_list){0};
}

static bool
append_rule(struct access_rule **rules, size_t *count, const char *text,
            struct error *err)
{
    struct access_rule *items = grown(*rules, *count, sizeof *items, err);

    if (items == NULL)
        return false;
    *rules = items;
    if (!access_rule_parse(text, &items[*count], err))
        return false;
    (*count)++;
    return true;
}

static void
clear_rules(struct access_rule **rules, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        access_rule_clear(&(*rules)[i]);
    free(*rules);
    *rules = NULL;
    *count = 0;
}

bool
allow_append(void *field, const char *text, struct error *err)
{
    struct access_rules *rules = field;

    return append_rule(&rules->allow, &rules->allow_count, text, err);
}

const char *
allow_item(const void *field, size_t index, char *buffer)
{
    const struct access_rules *rules = field;

    (void)buffer;
    return index < rules->allow_count ? rules->allow[index].text : NULL;
}

void
allow_clear(void *field)
{
    struct access_rules *rules = field;

    clear_rules(&rules->allow, &rules->allow_count);
}

bool
deny_append(void *field, const char *text, struct error *err)
{
    struct access_rules *rules = field;

    return append_rule(&rules->deny, &rules->deny_count, text, err);
}

const char *
deny_item(const void *field, size_t index, char *buffer)
{
    const struct access_rules *rules = field;

    (void)buffer;
    return index < rules->deny_count ? rules->deny[index].text : NULL;
}

void
deny_clear(void *field)
{
    struct access_rules *rules = field;

    clear_rules(&rules->deny, &rules->deny_count);
}
