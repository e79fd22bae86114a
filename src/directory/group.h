/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is an object a member of a group, directly or through other groups?  Asked
 * from the member upwards, one search a group, so that the size of a group does
 * not matter.  A primary group is not a membership in this sense.
 */
#ifndef DIRECTORY_GROUP_H
#define DIRECTORY_GROUP_H

#include <stdbool.h>

#include "base/error.h"
#include "directory/directory.h"

enum {
    GROUP_SEARCHES_MAX = 200
}; /* for one member */

/* name is a DN or a sAMAccountName.  The canonical DN, to be freed; NULL while
 * ANSWERED: there is no such group, or more than one. */
MUST_CHECK enum directory_status group_find(const struct directory_ops *ops,
                                            void *connection, const char *tree,
                                            const char *name, char **group_out,
                                            struct error *err);

/* member is a DN as the server wrote it, group a canonical one. */
MUST_CHECK enum directory_status group_has_member(
    const struct directory_ops *ops, void *connection, const char *tree,
    const char *group, const char *member, bool *answer_out, struct error *err);

#endif
