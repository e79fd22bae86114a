/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything by the reentrant calls, for pool threads.  The first failure is
 * kept as the sentence that the log shows.
 */
#include "gss/membership.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <krb5.h>

#include "base/text.h"

enum {
    SHOWN_SIZE = 256,
    BUFFER_FIRST = 1024,
    BUFFER_MAX = 1024 * 1024, /* of a group: many members */
    GROUPS_FIRST = 64,
    GROUPS_MAX = 65536, /* as the kernel's NGROUPS_MAX */
};

static void
note(struct membership *membership, int number, const char *what,
     const char *name)
{
    char shown[SHOWN_SIZE];

    membership->failed = membership->failed || number != ENOENT;
    if (membership->why.text[0] != '\0')
        return;
    text_sanitize(name, strlen(name), shown, sizeof shown);
    /* ENOENT is the name service's word for "no such entry". */
    if (number != ENOENT)
        error_set_errno(&membership->why, number, "cannot look up the %s %s",
                        what, shown);
    else
        error_set(&membership->why, "there is no %s %s", what, shown);
}

static krb5_error_code
map(krb5_context context, const char *text, char user[MEMBERSHIP_NAME_SIZE])
{
    krb5_principal principal = NULL;
    krb5_error_code code = krb5_parse_name(context, text, &principal);

    if (code == 0)
        code = krb5_aname_to_localname(context, principal,
                                       MEMBERSHIP_NAME_SIZE - 1, user);
    krb5_free_principal(context, principal);
    return code;
}

static bool
find_user(const char *principal, char user[MEMBERSHIP_NAME_SIZE],
          struct error *err)
{
    krb5_context context = NULL;
    char shown[SHOWN_SIZE];
    krb5_error_code code = krb5_init_context(&context);

    if (code == 0)
        code = map(context, principal, user);
    if (code != 0) {
        text_sanitize(principal, strlen(principal), shown, sizeof shown);
        const char *reason = krb5_get_error_message(context, code);
        error_set(err,
                  "%s is mapped to no local user (auth_to_local of krb5.conf: "
                  "%s)",
                  shown, reason);
        krb5_free_error_message(context, reason);
    }
    if (context != NULL)
        krb5_free_context(context);
    return code == 0;
}

struct entry {
    gid_t id;      /* a group's, or a user's first group's */
    bool lists_us; /* a group's */
    char name[MEMBERSHIP_NAME_SIZE];
};

static bool
lists(const struct group *group, const struct membership *who)
{
    for (char *const *name = group->gr_mem; *name != NULL; name++)
        if (strcmp(*name, who->user) == 0 || strcmp(*name, who->name) == 0)
            return true;
    return false;
}

static int
ask(const char *name, const struct membership *who, char *buffer, size_t size,
    struct entry *out)
{
    struct passwd user, *user_found = NULL;
    struct group group, *group_found = NULL;
    int number;

    if (who != NULL)
        number = getgrnam_r(name, &group, buffer, size, &group_found);
    else
        number = getpwnam_r(name, &user, buffer, size, &user_found);
    if (group_found != NULL) {
        out->id = group.gr_gid;
        out->lists_us = lists(&group, who);
    } else if (user_found != NULL) {
        out->id = user.pw_gid;
        snprintf(out->name, sizeof out->name, "%s", user.pw_name);
    } else if (number == 0 || number == ESRCH) {
        number = ENOENT;
    }
    return number;
}

/* The group called name, which may list who, or without who the user.  0: *out is
 * set; ENOENT: there is no such entry; else why it cannot be told. */
static int
find_entry(const char *name, const struct membership *who, struct entry *out)
{
    char *buffer = NULL;
    int number = ERANGE;

    for (size_t size = BUFFER_FIRST; number == ERANGE && size <= BUFFER_MAX;
         size *= 4) {
        char *larger = realloc(buffer, size);
        if (larger == NULL) {
            number = ENOMEM;
            break;
        }
        buffer = larger;
        number = ask(name, who, buffer, size, out);
    }
    free(buffer);
    return number;
}

static bool
list_groups(struct membership *out, const char *user, gid_t first)
{
    for (int room = GROUPS_FIRST; room <= GROUPS_MAX; room *= 4) {
        gid_t *larger = reallocarray(out->groups, (size_t)room, sizeof *larger);
        if (larger == NULL)
            return false;
        out->groups = larger;
        out->count = room;
        if (getgrouplist(user, first, out->groups, &out->count) >= 0)
            return true;
    }
    return false;
}

void
membership_find(const char *principal, struct membership *out)
{
    struct entry user;

    *out = (struct membership){.why = {.text = ""}};
    if (!find_user(principal, out->user, &out->why))
        return;
    int number = find_entry(out->user, NULL, &user);
    if (number != 0) {
        note(out, number, "local user", out->user);
        return;
    }
    memcpy(out->name, user.name, sizeof out->name);
    if (!list_groups(out, out->user, user.id)) {
        note(out, ENOMEM, "groups of the local user", out->user);
        free(out->groups);
        out->groups = NULL;
    }
}

void
membership_clear(struct membership *membership)
{
    free(membership->groups);
    membership->groups = NULL;
}

enum access_member
membership_of(const char *group, void *arg)
{
    struct membership *membership = arg;
    struct entry entry;

    if (membership->groups == NULL)
        return ACCESS_MEMBER_UNTOLD;
    int number = find_entry(group, membership, &entry);
    if (number != 0) {
        note(membership, number, "local group", group);
        return ACCESS_MEMBER_UNTOLD;
    }
    for (int i = 0; i < membership->count; i++)
        if (membership->groups[i] == entry.id)
            return ACCESS_MEMBER;
    return entry.lists_us ? ACCESS_MEMBER : ACCESS_NO_MEMBER;
}
