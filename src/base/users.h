/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local users and groups by name or number.  The name service is asked, which
 * may block: at start and reload only.
 */
#ifndef BASE_USERS_H
#define BASE_USERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* As chown takes them: -1 leaves as it is. */
struct owner {
    uid_t user;
    gid_t group;
};

#define OWNER_AS_IS ((struct owner){(uid_t)-1, (gid_t)-1})

/* group_out, the user's own group, may be NULL; it is -1 for a number that no
 * user has. */
MUST_CHECK bool users_find(const char *name, uid_t *user_out, gid_t *group_out,
                           struct error *err);
MUST_CHECK bool users_find_group(const char *name, gid_t *group_out,
                                 struct error *err);

/* "USER" or "USER:GROUP". */
MUST_CHECK bool users_find_owner(const char *text, struct owner *owner_out,
                                 struct error *err);

#endif
