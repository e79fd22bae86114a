/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of servers and whose turn it is; nothing is asked here. */
#include "directory/source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
no_memory(struct error *err)
{
    error_set(err, "cannot list directory servers: out of memory");
    return false;
}

static bool
make_list(struct source *source, size_t count)
{
    assert(count != 0);
    source->uris = calloc(count, sizeof *source->uris);
    return source->uris != NULL;
}

bool
source_init(struct source *source, enum source_kind kind, const char *domain,
            char *const *uris, size_t count, struct error *err)
{
    *source = (struct source){.kind = kind};
    source->state = count == 0 ? SOURCE_UNLOCATED : SOURCE_TICKET;
    snprintf(source->domain, sizeof source->domain, "%s", domain);
    if (count == 0)
        return true;
    if (!make_list(source, count))
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        source->uris[i] = strdup(uris[i]);
        if (source->uris[i] == NULL)
            return no_memory(err);
        source->count++;
    }
    return true;
}

void
source_clear(struct source *source)
{
    for (size_t i = 0; i < source->count; i++)
        free(source->uris[i]);
    free(source->uris);
    source->uris = NULL;
    source->count = 0;
}

bool
source_locate(struct source *source, const struct srv_list *list,
              struct error *err)
{
    struct srv_choice choices[SRV_RECORDS_MAX];

    for (size_t i = 0; i < list->count; i++)
        choices[i] = (struct srv_choice){list->records[i].priority,
                                         list->records[i].weight, i};
    srv_order(choices, list->count, random_kernel, NULL);
    if (!make_list(source, list->count))
        return no_memory(err);
    for (size_t i = 0; i < list->count; i++) {
        const struct srv_record *record = &list->records[choices[i].index];
        if (asprintf(&source->uris[i], "ldap://%s:%u", record->target,
                     (unsigned)record->port) < 0)
            return no_memory(err);
        source->count++;
    }
    source->state = SOURCE_TICKET;
    return true;
}

void
source_next(struct source *source, bool broke_off)
{
    if (broke_off && !source->retried) {
        source->retried = true;
    } else {
        source->turn++;
        source->retried = false;
    }
    source->state = source->turn < source->count ? SOURCE_TICKET
                                                 : SOURCE_SILENT;
}
