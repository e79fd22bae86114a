/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files of state_dir: written whole or not at all, and read only when
 * nobody but their owner could have written them.
 */
#ifndef DIRECTORY_STATEFILE_H
#define DIRECTORY_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum statefile_status {
    STATEFILE_READ,
    STATEFILE_ABSENT,   /* no file */
    STATEFILE_UNUSABLE, /* err says why */
};

/* *bytes_out is to be freed; a NUL does not follow. */
MUST_CHECK enum statefile_status statefile_read(const char *path,
                                                size_t size_max,
                                                char **bytes_out,
                                                size_t *length_out,
                                                struct error *err);

/* Mode 0600; by a temporary file and rename. */
MUST_CHECK bool statefile_write(const char *path, const char *bytes,
                                size_t length, struct error *err);

/* No file is no error. */
MUST_CHECK bool statefile_remove(const char *path, struct error *err);

#endif
