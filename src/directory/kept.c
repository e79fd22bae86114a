/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a kept answer: where it is, how it gets there whole, and what it
 * must be like to be read at all.  kept_text.c knows what is in it.
 */
#include "directory/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
kept_path(const char *state_dir, const char *name, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/%s.discovery", state_dir, name);

    return length >= 0 && (size_t)length < size;
}

static bool
write_all(int fd, const char *bytes, size_t length)
{
    while (length != 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return fsync(fd) == 0;
}

/* The name is durable only once its directory is. */
static void
sync_directory_of(const char *path)
{
    char *directory = strdup(path);
    char *slash = directory == NULL ? NULL : strrchr(directory, '/');

    if (slash != NULL && slash != directory) {
        *slash = '\0';
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            (void)fsync(fd);
            close(fd);
        }
    }
    free(directory);
}

static bool
replace(const char *path, const char *bytes, size_t length, struct error *err)
{
    char *temporary = NULL;
    bool sound = false;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        error_set(err, "cannot write %s: out of memory", path);
        return false;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd >= 0) {
        sound = write_all(fd, bytes, length) && rename(temporary, path) == 0;
        int number = errno;
        if (!sound)
            unlink(temporary);
        close(fd);
        errno = number;
    }
    if (sound)
        sync_directory_of(path);
    else
        error_set_errno(err, errno, "cannot write %s", path);
    free(temporary);
    return sound;
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
        sound = replace(path, bytes, length, err);
    else
        error_set(err, "cannot write %s: there is too much to keep", path);
    free(bytes);
    return sound;
}

bool
kept_remove(const char *path, struct error *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    error_set_errno(err, errno, "cannot remove %s", path);
    return false;
}

/* The whole file, to be freed; it must be one that only we could write. */
static char *
read_all(int fd, size_t *length_out, struct error *err)
{
    struct stat status;
    size_t length = 0;

    if (fstat(fd, &status) != 0) {
        error_set_errno(err, errno, "cannot be examined");
        return NULL;
    }
    if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH))) {
        error_set(err, "it is not a file that only its owner can write");
        return NULL;
    }
    if (status.st_size > KEPT_SIZE_MAX) {
        error_set(err, "it is too large");
        return NULL;
    }
    size_t size = (size_t)status.st_size;
    char *bytes = malloc(size + 1);
    while (bytes != NULL && length < size) {
        ssize_t got = read(fd, bytes + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (bytes == NULL)
        error_set(err, "out of memory");
    *length_out = length;
    return bytes;
}

enum kept_status
kept_load(const char *path, const char *question,
          struct discovery **discovery_out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    size_t length;

    if (fd < 0 && errno == ENOENT)
        return KEPT_ABSENT;
    if (fd < 0) {
        error_set_errno(err, errno, "cannot use %s", path);
        return KEPT_UNUSABLE;
    }
    char *bytes = read_all(fd, &length, err);
    close(fd);
    bool sound = bytes != NULL &&
                 kept_parse(bytes, length, question, discovery_out, err);
    free(bytes);
    if (!sound)
        error_prefix(err, "cannot use %s", path);
    return sound ? KEPT_LOADED : KEPT_UNUSABLE;
}
