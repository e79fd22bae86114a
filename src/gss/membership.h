/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups of the local user that a principal is mapped to: auth_to_local of
 * krb5.conf(5), then the name service (NSS), which may ask a directory.  Blocks.
 */
#ifndef GSS_MEMBERSHIP_H
#define GSS_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "gss/access.h"

enum {
    MEMBERSHIP_NAME_SIZE = 256
};

struct membership {
    gid_t *groups; /* owned; NULL: they are not known */
    int count;
    /* How the user is called: by the mapping, and by the name service. */
    char user[MEMBERSHIP_NAME_SIZE], name[MEMBERSHIP_NAME_SIZE];
    struct error why; /* what could not be told first; "": nothing so far */
    bool failed;      /* the name service did, rather than say that there is
                         none: later it may tell */
};

/* principal: as text, with realm.  No mapping, or no such user, is not known
 * either: one account may have spellings that are not mapped. */
void membership_find(const char *principal, struct membership *out);
void membership_clear(struct membership *membership);

/*
 * is_member of an access_oracle whose arg is a struct membership.  getgrouplist()
 * does not tell when a source of the name service is down; the look for the
 * group itself does, and counts as well: who stands in its list is a member.
 */
enum access_member membership_of(const char *group, void *arg);

#endif
