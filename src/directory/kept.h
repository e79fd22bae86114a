/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last good answer, kept in a file so that a restart does not need the
 * directory.  The file is written whole or not at all, and believed only when
 * every line of it reads well, its checksum fits, nobody else could write it,
 * and it answers this question (question.h).
 */
#ifndef DIRECTORY_KEPT_H
#define DIRECTORY_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/discovery.h"

enum {
    KEPT_SIZE_MAX = 4 * 1024 * 1024,
    KEPT_CANDIDATES_MAX = 10000
};

/* STATE_DIR/NAME.discovery; false when it does not fit. */
MUST_CHECK bool kept_path(const char *state_dir, const char *name, char *path,
                          size_t size);

/* The accepted candidates; mode 0600; by a temporary file and rename. */
MUST_CHECK bool kept_save(const char *path, const char *question,
                          const struct discovery *discovery, struct error *err);

/* No file is no error. */
MUST_CHECK bool kept_remove(const char *path, struct error *err);

enum kept_status {
    KEPT_LOADED,
    KEPT_ABSENT,   /* no file */
    KEPT_UNUSABLE, /* damaged, or of another question; err says which */
};

/* One reference for the caller: FOUND, kept, with the time of the answer. */
MUST_CHECK enum kept_status kept_load(const char *path, const char *question,
                                      struct discovery **discovery_out,
                                      struct error *err);

/* The bytes of such a file, to be freed. */
MUST_CHECK char *kept_encode(const char *question,
                             const struct discovery *discovery,
                             size_t *length_out, struct error *err);

/* Hostile bytes; question NULL: any. */
MUST_CHECK bool kept_parse(const char *bytes, size_t length,
                           const char *question,
                           struct discovery **discovery_out, struct error *err);

#endif
