/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a kept answer: where it is, how it gets there whole, and what it
 * must be like to be read at all.  kept_text.c knows what is in it.
 */
#include "directory/kept.h"

#include <stdio.h>
#include <stdlib.h>

#include "directory/statefile.h"

bool
kept_path(const char *state_dir, const char *name, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/%s.discovery", state_dir, name);

    return length >= 0 && (size_t)length < size;
}

bool
kept_save(const char *path, const char *question,
          const struct discovery *discovery, struct error *err)
{
    size_t length;
    char *bytes = kept_encode(question, discovery, &length, err);

    if (bytes == NULL)
        return false;
    bool sound = length <= KEPT_SIZE_MAX;
    if (sound)
        sound = statefile_write(path, bytes, length, err);
    else
        error_set(err, "cannot write %s: there is too much to keep", path);
    free(bytes);
    return sound;
}

bool
kept_remove(const char *path, struct error *err)
{
    return statefile_remove(path, err);
}

enum kept_status
kept_load(const char *path, const char *question,
          struct discovery **discovery_out, struct error *err)
{
    char *bytes = NULL;
    size_t length;

    switch (statefile_read(path, KEPT_SIZE_MAX, &bytes, &length, err)) {
    case STATEFILE_READ:
        break;
    case STATEFILE_ABSENT:
        return KEPT_ABSENT;
    case STATEFILE_UNUSABLE:
        return KEPT_UNUSABLE;
    }
    bool sound = kept_parse(bytes, length, question, discovery_out, err);
    free(bytes);
    if (!sound)
        error_prefix(err, "cannot use %s", path);
    return sound ? KEPT_LOADED : KEPT_UNUSABLE;
}
