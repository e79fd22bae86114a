/* SPDX-License-Identifier: BSD-2-Clause */
/* getpwnam_r and getgrnam_r, with buffers that grow as large as it takes. */
#include "base/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    FIRST_SIZE = 1024,
    LARGEST_SIZE = 1 << 20,
    OWNER_SIZE = 512
};

/* What kind of entry is looked for; all ask the same way. */
enum entry_kind {
    USER_BY_NAME,
    USER_BY_NUMBER,
    GROUP_BY_NAME,
};

struct found {
    bool there;
    uid_t user;
    gid_t group;
};

static int
ask(enum entry_kind kind, const char *name, uid_t number, char *buffer,
    size_t size, struct found *found)
{
    struct passwd user, *user_result = NULL;
    struct group group, *group_result = NULL;
    int failure;

    if (kind == GROUP_BY_NAME)
        failure = getgrnam_r(name, &group, buffer, size, &group_result);
    else if (kind == USER_BY_NAME)
        failure = getpwnam_r(name, &user, buffer, size, &user_result);
    else
        failure = getpwuid_r(number, &user, buffer, size, &user_result);
    *found = (struct found){
        .there = user_result != NULL || group_result != NULL,
        .user = user_result != NULL ? user.pw_uid : (uid_t)-1,
        .group = group_result != NULL  ? group.gr_gid
                 : user_result != NULL ? user.pw_gid
                                       : (gid_t)-1,
    };
    return failure;
}

/* 0, also when there is no such entry, or why it cannot be told. */
static int
look_up(enum entry_kind kind, const char *name, uid_t number,
        struct found *found)
{
    int failure = ERANGE;

    for (size_t size = FIRST_SIZE; failure == ERANGE && size <= LARGEST_SIZE;
         size *= 4) {
        char *buffer = malloc(size);
        if (buffer == NULL)
            return ENOMEM;
        failure = ask(kind, name, number, buffer, size, found);
        free(buffer);
    }
    /* How the name service may say that there is none. */
    if (failure == ENOENT || failure == ESRCH)
        return 0;
    return failure;
}

static bool
refuse(const char *what, const char *name, int failure, struct error *err)
{
    char shown[80];

    text_sanitize(name, strlen(name), shown, sizeof shown);
    if (failure != 0)
        error_set_errno(err, failure, "cannot look up the %s \"%s\"", what,
                        shown);
    else
        error_set(err, "there is no %s \"%s\"", what, shown);
    return false;
}

bool
users_find(const char *name, uid_t *user_out, gid_t *group_out,
           struct error *err)
{
    uint64_t number;
    struct found found = {0};
    int failure = look_up(USER_BY_NAME, name, 0, &found);

    if (!found.there && failure == 0 &&
        number_parse(name, 0, (uid_t)-2, &number, NULL)) {
        failure = look_up(USER_BY_NUMBER, NULL, (uid_t)number, &found);
        found.there = failure == 0;
        found.user = (uid_t)number;
    }
    if (failure != 0 || !found.there)
        return refuse("user", name, failure, err);
    *user_out = found.user;
    if (group_out != NULL)
        *group_out = found.group;
    return true;
}

bool
users_find_group(const char *name, gid_t *group_out, struct error *err)
{
    uint64_t number;
    struct found found = {0};
    int failure = look_up(GROUP_BY_NAME, name, 0, &found);

    if (failure == 0 && !found.there &&
        number_parse(name, 0, (gid_t)-2, &number, NULL)) {
        found.there = true;
        found.group = (gid_t)number;
    }
    if (failure != 0 || !found.there)
        return refuse("group", name, failure, err);
    *group_out = found.group;
    return true;
}

bool
users_find_owner(const char *text, struct owner *owner_out, struct error *err)
{
    struct owner owner = OWNER_AS_IS;
    char user[OWNER_SIZE];
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);

    snprintf(user, sizeof user, "%.*s", (int)(length < OWNER_SIZE ? length : 0),
             text);
    if (!users_find(user, &owner.user, NULL, err) ||
        (colon != NULL && !users_find_group(colon + 1, &owner.group, err)))
        return false;
    *owner_out = owner;
    return true;
}
