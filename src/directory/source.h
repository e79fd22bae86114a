/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somewhere to ask: the global catalog or one domain, and its servers in the
 * order in which to try them.  Private to the lookup.
 */
#ifndef DIRECTORY_SOURCE_H
#define DIRECTORY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/host.h"
#include "directory/srv.h"

enum source_kind {
    SOURCE_HOME,    /* the domain of [directory] */
    SOURCE_CATALOG, /* tells only which other domains to ask */
    SOURCE_DOMAIN,  /* another domain of the forest */
};

enum source_state {
    SOURCE_UNLOCATED, /* its servers must be found by DNS */
    SOURCE_TICKET,    /* the ticket for the server whose turn it is */
    SOURCE_SURVEY,    /* that server itself */
    SOURCE_ANSWERED,
    SOURCE_SILENT, /* no server of it answered; error says why */
};

struct source {
    enum source_kind kind;
    enum source_state state;
    char domain[HOST_SIZE]; /* "" when only servers were named */
    char **uris;            /* owned */
    size_t count;
    size_t turn;  /* whose it is */
    bool retried; /* that server broke off once before */
    struct error error;
};

/* uris is copied; with count 0 the state is UNLOCATED. */
MUST_CHECK bool source_init(struct source *source, enum source_kind kind,
                            const char *domain, char *const *uris, size_t count,
                            struct error *err);
void source_clear(struct source *source);

/* Takes the servers that DNS named: RFC 2782, drawn from source. */
MUST_CHECK bool source_locate(struct source *source,
                              const struct srv_list *list, struct error *err);

/*
 * The server whose turn it is failed, for the reason in source->error: the next
 * one's, or the same once more when it broke off in the middle.
 */
void source_next(struct source *source, bool broke_off);

#endif
