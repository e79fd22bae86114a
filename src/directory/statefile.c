/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are there whole or not at all, and are durable once written. */
#include "directory/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool
statefile_write(const char *path, const char *bytes, size_t length,
                struct error *err)
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
statefile_remove(const char *path, struct error *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    error_set_errno(err, errno, "cannot remove %s", path);
    return false;
}

/* The whole file, to be freed; it must be one that only we could write. */
static char *
read_all(int fd, size_t size_max, size_t *length_out, struct error *err)
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
    if (status.st_size < 0 || (size_t)status.st_size > size_max) {
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

enum statefile_status
statefile_read(const char *path, size_t size_max, char **bytes_out,
               size_t *length_out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return STATEFILE_ABSENT;
    if (fd < 0) {
        error_set_errno(err, errno, "cannot use %s", path);
        return STATEFILE_UNUSABLE;
    }
    char *bytes = read_all(fd, size_max, length_out, err);
    close(fd);
    if (bytes == NULL) {
        error_prefix(err, "cannot use %s", path);
        return STATEFILE_UNUSABLE;
    }
    *bytes_out = bytes;
    return STATEFILE_READ;
}
