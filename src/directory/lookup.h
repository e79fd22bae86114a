/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lookup, step by step: find servers, get the ticket, bind and search,
 * resolve SRV names, judge.  Each step blocks and belongs into a lane of the
 * pool, so that a dead KDC and a dead directory fill a lane each:
 *
 *     while (lookup_lane(lookup, lane, sizeof lane))
 *         lookup_step(lookup);          (a pool job in that lane)
 *     discovery = lookup_finish(lookup);
 *
 * One thread at a time.  It always ends: each step is bounded by the timeout
 * (but a ticket: see gss/bind.h), their number by servers and domains.
 */
#ifndef DIRECTORY_LOOKUP_H
#define DIRECTORY_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/directory.h"
#include "directory/discovery.h"
#include "directory/spn.h"

/* Borrowed for as long as the lookup lives; texts are "" when not set. */
struct lookup_settings {
    /* [directory] */
    const char *domain;
    char *const *uris; /* empty: SRV records of domain */
    size_t uri_count;
    char *const *gc_uris; /* empty, and uris too: SRV records */
    size_t gc_uri_count;
    const char *base; /* empty: the default naming context */
    /* [client NAME] */
    const char *service_class;
    char *const *keywords;
    size_t keyword_count;
    const char *scp; /* a DN or an objectGUID; keywords or this */
    enum spn_format spn_format;
    char *const *allow_host;
    size_t allow_host_count;
    const char *allow_group; /* a DN, or a sAMAccountName */
    const char *scp_base;
    /* how */
    const char *identity; /* for the words: whose credential it is */
    const char *kdc_lane; /* credential_lane of it */
    const struct directory_ops *ops;
    void *world;
};

struct lookup;

MUST_CHECK struct lookup *lookup_new(const struct lookup_settings *settings,
                                     struct error *err);
void lookup_free(struct lookup *lookup); /* any state; NULL is fine */

/* The lane of the next step; false when there is none left. */
bool lookup_lane(const struct lookup *lookup, char *lane, size_t size);

void lookup_step(struct lookup *lookup);

/* When no step is left: the result, one reference for the caller; once.  NULL
 * only for lack of memory. */
MUST_CHECK struct discovery *lookup_finish(struct lookup *lookup,
                                           struct error *err);

#endif
