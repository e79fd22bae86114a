/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving up what a process need not have.  All of it before there are other
 * threads: some of it counts for the calling thread and those it starts.
 */
#ifndef BASE_PRIVILEGES_H
#define BASE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum {
    IDENTITY_NAME_SIZE = 256
};

struct identity {
    uid_t user;
    gid_t group;
    char name[IDENTITY_NAME_SIZE]; /* as it was written */
};

/* group "": that of the user.  Asks the name service. */
MUST_CHECK bool identity_find(const char *user, const char *group,
                              struct identity *identity_out, struct error *err);

/* Nothing that is executed gains privileges, and no other process of the same
 * user may look into this one. */
MUST_CHECK bool privileges_seal(struct error *err);

/* Is becoming it within our power? */
MUST_CHECK bool privileges_can_become(const struct identity *identity,
                                      struct error *err);

/* User, group, supplementary groups; then no capability is left. */
MUST_CHECK bool privileges_become(const struct identity *identity,
                                  struct error *err);

#endif
