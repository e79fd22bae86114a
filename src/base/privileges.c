/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setresuid and its like as the C library has them, for all threads; the
 * capabilities by system call, to do without a library.
 */
#include "base/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/users.h"

bool
identity_find(const char *user, const char *group,
              struct identity *identity_out, struct error *err)
{
    struct identity identity = {0};

    if (!users_find(user, &identity.user, &identity.group, err))
        return false;
    if (*group != '\0' && !users_find_group(group, &identity.group, err))
        return false;
    if (identity.group == (gid_t)-1) {
        error_set(err, "the user %s has no name, and so no group: set `group`",
                  user);
        return false;
    }
    snprintf(identity.name, sizeof identity.name, "%s", user);
    *identity_out = identity;
    return true;
}

bool
privileges_seal(struct error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
        return true;
    error_set_errno(err, errno, "cannot give up privileges");
    return false;
}

static bool
is_already(const struct identity *identity)
{
    uid_t users[3];
    gid_t groups[3];

    if (getresuid(&users[0], &users[1], &users[2]) != 0 ||
        getresgid(&groups[0], &groups[1], &groups[2]) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (users[i] != identity->user || groups[i] != identity->group)
            return false;
    return true;
}

bool
privileges_can_become(const struct identity *identity, struct error *err)
{
    if (geteuid() == 0 || is_already(identity))
        return true;
    error_set(err,
              "cannot become the user %s: kerbwrap was started as user %u, and "
              "only root can",
              identity->name, (unsigned)geteuid());
    return false;
}

static bool
drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct now[2] = {{0}}, none[2] = {{0}};

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &head, now) == 0 &&
        memcmp(now, none, sizeof none) == 0)
        return true;
    head.version = _LINUX_CAPABILITY_VERSION_3;
    return syscall(SYS_capset, &head, none) == 0;
}

/* What nobody executed later could have either; ends at the first number that
 * the kernel does not know. */
static void
drop_bounds(void)
{
    for (int capability = 0; capability < 64; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return;
}

static bool
set_groups(const struct identity *identity)
{
    struct error error;
    uid_t user;
    gid_t group;

    /* A number that no user has is in no groups. */
    if (users_find(identity->name, &user, &group, &error) &&
        group != (gid_t)-1 &&
        identity->name[strspn(identity->name, "0123456789")] != '\0')
        return initgroups(identity->name, identity->group) == 0;
    return setgroups(1, &identity->group) == 0;
}

bool
privileges_become(const struct identity *identity, struct error *err)
{
    if (!privileges_can_become(identity, err))
        return false;
    if (!is_already(identity)) {
        drop_bounds();
        if (!set_groups(identity) ||
            setresgid(identity->group, identity->group, identity->group) != 0 ||
            setresuid(identity->user, identity->user, identity->user) != 0) {
            error_set_errno(err, errno, "cannot become the user %s",
                            identity->name);
            return false;
        }
    }
    if (!drop_capabilities()) {
        error_set_errno(err, errno, "cannot drop all capabilities");
        return false;
    }
    if (identity->user != 0 && setuid(0) == 0) {
        error_set(err, "cannot become the user %s: root could be had back",
                  identity->name);
        return false;
    }
    /* A change of user makes a process open to others again. */
    return privileges_seal(err);
}
