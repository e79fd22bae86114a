/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of accounts, by hand: with the meaning of DsWriteAccountSpn, and
 * the search for duplicates of `setspn -X`.  Every call blocks.
 */
#ifndef DIRECTORY_SPNNAMES_H
#define DIRECTORY_SPNNAMES_H

#include <stddef.h>

#include "base/error.h"
#include "directory/account.h"
#include "directory/registry.h"

/* One that is there already is fine; one of another account is refused. */
MUST_CHECK bool spnnames_add(struct registry *registry,
                             const struct account *account, const char *value,
                             struct error *err);
/* One that is gone already is fine. */
MUST_CHECK bool spnnames_delete(struct registry *registry,
                                const struct account *account,
                                const char *value, struct error *err);

/* One name on one account; texts are owned. */
struct spnname {
    char *value;
    char *dn;        /* as the server wrote it */
    char *canonical; /* dn.h */
};

struct spnname_list {
    struct spnname *items; /* owned */
    size_t count, room;
    bool cut; /* an account has more names than were taken */
};

/* The names of one account, in order. */
MUST_CHECK bool spnnames_list(struct registry *registry,
                              const struct account *account,
                              struct spnname_list *list_out, struct error *err);

/* Those that stand on several accounts of the forest: equal ones together. */
MUST_CHECK bool spnnames_duplicates(struct registry *registry,
                                    struct spnname_list *list_out,
                                    struct error *err);
void spnnames_clear(struct spnname_list *list);

#endif
