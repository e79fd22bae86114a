/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything by the reentrant calls, for pool threads.  The first failure is
 * kept as the sentence that the log shows.
 */
#include "gss/membership.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <krb5.h>

#include "base/text.h"

enum {
    USER_SIZE = 256,
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

    if (membership->why.text[0] != '\0')
        return;
    text_sanitize(name, strlen(name), shown, sizeof shown);
    if (number != 0)
        error_set_errno(&membership->why, number, "cannot look up the %s %s",
                        what, shown);
    else
        error_set(&membership->why, "there is no %s %s", what, shown);
}

static krb5_error_code
map(krb5_context context, const char *text, char user[USER_SIZE])
{
    krb5_principal principal = NULL;
    krb5_error_code code = krb5_parse_name(context, text, &principal);

    if (code == 0)
        code = krb5_aname_to_localname(context, principal, USER_SIZE - 1, user);
    krb5_free_principal(context, principal);
    return code;
}

static bool
find_user(const char *principal, char user[USER_SIZE], struct error *err)
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

/* 0: *id_out is set; ENOENT: there is no such entry; else why not. */
static int
find_id(const char *name, bool group, gid_t *id_out)
{
    struct passwd user, *user_found = NULL;
    struct group entry, *group_found = NULL;
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
        number = group ? getgrnam_r(name, &entry, buffer, size, &group_found)
                       : getpwnam_r(name, &user, buffer, size, &user_found);
    }
    if (group_found != NULL)
        *id_out = entry.gr_gid;
    else if (user_found != NULL)
        *id_out = user.pw_gid;
    else if (number == 0 || number == ESRCH)
        number = ENOENT;
    free(buffer);
    return number;
}

/* ENOENT is the name service's word for "no such entry". */
static int
as_failure(int number)
{
    return number == ENOENT ? 0 : number;
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
    char user[USER_SIZE] = "";
    gid_t first = 0;

    *out = (struct membership){.why = {.text = ""}};
    if (!find_user(principal, user, &out->why))
        return;
    int number = find_id(user, false, &first);
    if (number != 0) {
        note(out, as_failure(number), "local user", user);
    } else if (!list_groups(out, user, first)) {
        note(out, ENOMEM, "groups of the local user", user);
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
    gid_t id = 0;

    if (membership->groups == NULL)
        return ACCESS_MEMBER_UNTOLD;
    int number = find_id(group, true, &id);
    if (number != 0) {
        note(membership, as_failure(number), "local group", group);
        return ACCESS_MEMBER_UNTOLD;
    }
    for (int i = 0; i < membership->count; i++)
        if (membership->groups[i] == id)
            return ACCESS_MEMBER;
    return ACCESS_NO_MEMBER;
}
