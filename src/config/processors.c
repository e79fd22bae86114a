/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Affinity and cgroup quota.  What cannot be read does not limit: a system
 * without cgroups has none.
 */
#include "config/processors.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static unsigned
affinity_count(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* The quota of one group in processors; UINT_MAX for none ("max PERIOD"). */
static unsigned
group_quota(const char *group)
{
    char path[PATH_MAX];
    unsigned long quota, period;

    int length = snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
    if (length < 0 || (size_t)length >= sizeof path)
        return UINT_MAX;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return UINT_MAX;
    int fields = fscanf(file, "%lu %lu", &quota, &period);
    fclose(file);
    if (fields != 2 || period == 0 || quota / period >= UINT_MAX)
        return UINT_MAX;
    return (unsigned)((quota + period - 1) / period);
}

/* The group of this process, "" for the root of what it sees. */
static void
own_group(char *group, size_t size)
{
    char line[PATH_MAX];
    FILE *file = fopen("/proc/self/cgroup", "re");

    group[0] = '\0';
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(group, size, "%s", line + 3);
    }
    fclose(file);
}

unsigned
processors_usable(void)
{
    char group[PATH_MAX];
    unsigned count = affinity_count();

    own_group(group, sizeof group);
    for (;;) {
        unsigned quota = group_quota(group);
        if (quota < count)
            count = quota;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            break;
        *slash = '\0';
    }
    return count == 0 ? 1 : count;
}
