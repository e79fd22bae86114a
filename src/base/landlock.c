/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls, which the C library does not wrap.  A right that the kernel
 * does not know yet is left out: the rest is worth having.
 */
#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than some headers. */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)

#define READ_FILES (LANDLOCK_ACCESS_FS_READ_FILE)
#define READ_TREES (READ_FILES | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILES                                                            \
    (READ_FILES | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)
#define WRITE_TREES                                                            \
    (READ_TREES | WRITE_FILES | LANDLOCK_ACCESS_FS_MAKE_REG |                  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_DIR |              \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR)

/* All rights of a version: what is not allowed of them is refused. */
static uint64_t
known_rights(int version)
{
    static const unsigned counts[] = {0, 13, 14, 15, 15, 16};
    int last = (int)(sizeof counts / sizeof counts[0]) - 1;

    return (UINT64_C(1) << counts[version < last ? version : last]) - 1;
}

int
landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
                           LANDLOCK_CREATE_RULESET_VERSION);

    return version > 0 ? (int)version : 0;
}

int
landlock_new(struct error *err)
{
    const struct landlock_ruleset_attr wanted = {
        .handled_access_fs = known_rights(landlock_version()),
    };
    /* The first member is what every version has. */
    long rules = syscall(SYS_landlock_create_ruleset, &wanted,
                         sizeof wanted.handled_access_fs, 0U);

    if (rules < 0)
        error_set_errno(err, errno, "cannot make rules of Landlock");
    return (int)rules;
}

bool
landlock_allow(int rules, const char *path, enum landlock_access access)
{
    struct stat found;
    struct landlock_path_beneath_attr rule = {
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };
    bool allowed = false;

    if (rule.parent_fd < 0)
        return false;
    if (fstat(rule.parent_fd, &found) == 0) {
        bool tree = S_ISDIR(found.st_mode);
        uint64_t rights = access == LANDLOCK_READ
                              ? (tree ? READ_TREES : READ_FILES)
                              : (tree ? WRITE_TREES : WRITE_FILES);
        rule.allowed_access = rights & known_rights(landlock_version());
        allowed = syscall(SYS_landlock_add_rule, rules,
                          LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) == 0;
    }
    int reason = errno;
    close(rule.parent_fd);
    errno = reason;
    return allowed;
}

bool
landlock_enforce(int rules, struct error *err)
{
    if (syscall(SYS_landlock_restrict_self, rules, 0U) == 0)
        return true;
    error_set_errno(err, errno, "cannot confine the process with Landlock");
    return false;
}
