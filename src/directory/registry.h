/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections to the servers of a directory, to look something up on all of
 * them and to change something on one.  Servers that are named are all asked,
 * because one may know what another has not heard yet; of those that DNS names
 * the first that answers.  Every call blocks; one thread at a time.
 */
#ifndef DIRECTORY_REGISTRY_H
#define DIRECTORY_REGISTRY_H

#include <stddef.h>

#include "base/error.h"
#include "directory/directory.h"
#include "directory/write.h"

/* Borrowed for as long as the registry lives. */
struct registry_settings {
    const char *domain; /* "" when not set */
    char *const *uris;  /* none: by DNS */
    size_t uri_count;
    char *const *gc_uris; /* none, and no uris: by DNS; a catalog may miss */
    size_t gc_uri_count;
    const struct directory_ops *ops;
    const struct directory_writes *writes;
    void *world;
};

struct registry;

/* ANSWERED: a server of the domain is there.  Others may be silent, see
 * registry_gap.  LOST: none of them is; REFUSED: one said no. */
MUST_CHECK enum directory_status registry_open(
    const struct registry_settings *settings, struct registry **registry_out,
    struct error *err);
void registry_close(struct registry *registry); /* NULL is fine */

/* The domain's naming context, and the server that is read and written. */
const char *registry_base(const struct registry *registry);
const char *registry_server(const struct registry *registry);

/* On that server. */
MUST_CHECK enum directory_status registry_search(struct registry *registry,
                                                 const struct search *search,
                                                 struct entry_list *list,
                                                 struct error *err);
MUST_CHECK enum write_status registry_add(struct registry *registry,
                                          const char *dn,
                                          const struct change *attributes,
                                          size_t count, struct error *err);
MUST_CHECK enum write_status registry_modify(struct registry *registry,
                                             const char *dn,
                                             const struct change *changes,
                                             size_t count, struct error *err);
MUST_CHECK enum write_status registry_remove(struct registry *registry,
                                             const char *dn, struct error *err);

/* On all servers, whole trees: entries of the same object may come several
 * times.  A server that does not answer becomes a gap, but the first. */
MUST_CHECK enum directory_status registry_search_all(
    struct registry *registry, const char *filter,
    const char *const *attributes, struct entry_list *list, struct error *err);

/* The index-th reason why not everything was looked at, NULL behind the last. */
const char *registry_gap(const struct registry *registry, size_t index);

#endif
