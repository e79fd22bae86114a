/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors and processors.  What cannot be read does not limit: a system
 * without cgroups has no quota.
 */
#include "base/system.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static atomic_uint_fast64_t soft_before; /* 0: never raised */

bool
nofile_raise(unsigned wanted, unsigned *got_out, struct error *err)
{
    struct rlimit now, more;

    if (getrlimit(RLIMIT_NOFILE, &now) != 0) {
        error_set_errno(err, errno, "cannot read the limit of descriptors");
        return false;
    }
    if (now.rlim_cur < wanted) {
        uint_fast64_t never = 0;
        (void)atomic_compare_exchange_strong(&soft_before, &never,
                                             now.rlim_cur);
        more.rlim_cur = wanted;
        more.rlim_max = wanted > now.rlim_max ? wanted : now.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &more) == 0) {
            now = more;
        } else {
            /* Only the privileged raise the hard limit. */
            now.rlim_cur = wanted < now.rlim_max ? wanted : now.rlim_max;
            if (setrlimit(RLIMIT_NOFILE, &now) != 0) {
                error_set_errno(err, errno,
                                "cannot raise the limit of descriptors");
                return false;
            }
        }
    }
    *got_out = now.rlim_cur > UINT_MAX ? UINT_MAX : (unsigned)now.rlim_cur;
    return true;
}

void
nofile_lower(pid_t pid)
{
    rlim_t soft = atomic_load(&soft_before);
    struct rlimit limit;

    if (soft == 0 || prlimit(pid, RLIMIT_NOFILE, NULL, &limit) != 0 ||
        soft > limit.rlim_max)
        return;
    limit.rlim_cur = soft;
    (void)prlimit(pid, RLIMIT_NOFILE, &limit, NULL);
}

/* The quota of the group at directory, from "QUOTA PERIOD" or "max PERIOD". */
static unsigned
group_quota(const char *directory)
{
    char path[PATH_MAX + sizeof "/cpu.max"];
    unsigned long quota, period;

    snprintf(path, sizeof path, "%s/cpu.max", directory);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return UINT_MAX;
    int fields = fscanf(file, "%lu %lu", &quota, &period);
    fclose(file);
    if (fields != 2 || period == 0 || quota / period >= UINT_MAX)
        return UINT_MAX;
    return (unsigned)(quota / period + (quota % period == 0 ? 0 : 1));
}

/* The line "0::PATH" is of version 2; PATH is "/" at the root of what we see. */
static bool
find_group(const char *membership, char *group, size_t size)
{
    char line[PATH_MAX];
    bool found = false;
    FILE *file = fopen(membership, "re");

    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, "0::/", 4) == 0;
        line[strcspn(line, "\n")] = '\0';
    }
    fclose(file);
    if (found)
        snprintf(group, size, "%s", line + 3);
    return found;
}

unsigned
cpu_quota(const char *membership, const char *mount)
{
    char group[PATH_MAX];
    char directory[PATH_MAX];
    unsigned least = UINT_MAX;

    if (!find_group(membership, group, sizeof group))
        return UINT_MAX;
    int length = snprintf(directory, sizeof directory, "%s%s", mount, group);
    if (length < 0 || (size_t)length >= sizeof directory)
        return UINT_MAX;
    for (;;) {
        unsigned quota = group_quota(directory);
        if (quota < least)
            least = quota;
        char *slash = strrchr(directory, '/');
        if (slash == NULL || slash < directory + strlen(mount))
            return least;
        *slash = '\0';
    }
}

unsigned
cpu_count(void)
{
    unsigned quota = cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    unsigned count = 1;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = (unsigned)CPU_COUNT(&set);
    if (quota < count)
        count = quota;
    return count > 0 ? count : 1;
}
