/* SPDX-License-Identifier: BSD-2-Clause */
/* How many processors this process may use. */
#ifndef CONFIG_PROCESSORS_H
#define CONFIG_PROCESSORS_H

/* The lesser of the affinity mask and the quota of the cgroup and those above
 * it (version 2), rounded up; at least 1. */
unsigned processors_usable(void);

#endif
