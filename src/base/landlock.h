/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock, landlock(7): what this process may still open, by directories.
 * What is open already stays open.  Threads that start later inherit it.
 */
#ifndef BASE_LANDLOCK_H
#define BASE_LANDLOCK_H

#include <stdbool.h>

#include "base/error.h"

enum landlock_access {
    LANDLOCK_READ,  /* files and directories */
    LANDLOCK_WRITE, /* that, and write, make and remove files and sockets */
};

/* The version of the kernel's interface; 0: it has none. */
int landlock_version(void);

/* A set of rules that allows nothing yet; a descriptor, or -1. */
MUST_CHECK int landlock_new(struct error *err);

/* What is at path and below it.  False, with errno: it cannot be reached. */
MUST_CHECK bool landlock_allow(int rules, const char *path,
                               enum landlock_access access);

/* From now on, for the calling thread, which must not gain privileges by
 * executing (privileges_seal). */
MUST_CHECK bool landlock_enforce(int rules, struct error *err);

#endif
