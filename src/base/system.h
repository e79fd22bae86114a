/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system lets this process use. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Raises the limit of open descriptors to wanted: the hard limit too where that
 * is permitted, else as far as it goes.  got_out is what holds then, which may
 * be less or more than wanted.
 */
MUST_CHECK bool nofile_raise(unsigned wanted, unsigned *got_out,
                             struct error *err);

/* The soft limit of a process of ours becomes what it was before nofile_raise. */
void nofile_lower(pid_t pid);

/* The processors this process may use: its affinity and the quotas of its
 * cgroup (version 2) and of those above it, rounded up; at least 1. */
unsigned cpu_count(void);

/*
 * The quota alone, UINT_MAX for none: membership is a file like
 * /proc/self/cgroup, mount a directory like /sys/fs/cgroup.
 */
unsigned cpu_quota(const char *membership, const char *mount);

#endif
