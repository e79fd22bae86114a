/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owner and mode of a socket's file.  Root may do this in a directory that
 * somebody else writes: so the file is pinned first, and what is pinned must be
 * a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/socket.h"

enum {
    MODE_BITS = 07777
};

/* What differs from what is wanted. */
struct difference {
    bool owner, mode;
};

static struct difference
compare(const struct stat *found, const struct socket_permissions *wanted)
{
    const struct owner *owner = &wanted->owner;

    return (struct difference){
        .owner = (owner->user != (uid_t)-1 && owner->user != found->st_uid) ||
                 (owner->group != (gid_t)-1 && owner->group != found->st_gid),
        .mode = (found->st_mode & MODE_BITS) != wanted->mode,
    };
}

/* An O_PATH descriptor, or -1 and errno. */
static int
pin(const char *path, struct stat *found)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat(fd, found) == 0 && S_ISSOCK(found->st_mode))
        return fd;
    close(fd);
    errno = ENOTSOCK;
    return -1;
}

static bool
apply(int fd, const struct difference *difference,
      const struct socket_permissions *wanted)
{
    char pinned[64];

    if (difference->owner && fchownat(fd, "", wanted->owner.user,
                                      wanted->owner.group, AT_EMPTY_PATH) != 0)
        return false;
    /* fchmod refuses such a descriptor. */
    snprintf(pinned, sizeof pinned, "/proc/self/fd/%d", fd);
    return !difference->mode || chmod(pinned, wanted->mode) == 0;
}

bool
socket_set_permissions(const char *path,
                       const struct socket_permissions *permissions,
                       struct error *err)
{
    struct stat found;
    int fd = pin(path, &found);

    if (fd >= 0) {
        const struct difference difference = compare(&found, permissions);
        bool done = apply(fd, &difference, permissions);
        int reason = errno;
        close(fd);
        if (done)
            return true;
        errno = reason;
    }
    error_set_errno(err, errno, "cannot set owner and mode of unix:%s", path);
    return false;
}

bool
socket_may_set_permissions(const char *path,
                           const struct socket_permissions *permissions,
                           struct error *err)
{
    struct stat found;

    if (geteuid() == 0 || lstat(path, &found) != 0)
        return true;
    const struct difference difference = compare(&found, permissions);
    if (!difference.owner && (!difference.mode || found.st_uid == geteuid()))
        return true;
    error_set(err,
              "cannot change owner or mode of unix:%s: kerbwrap is not root "
              "any more; restart it",
              path);
    return false;
}
