/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines are gathered so that one write carries many; for syslog each is framed
 * by its priority and a NUL, since each is a message of its own.
 */
#include "base/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static const char file_prefix[] = "file:";

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* A FIFO that nobody reads is an error, rather than a wait for a reader. */
static int
open_file(const char *path, struct error *err)
{
    int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        0640);

    if (fd < 0 && errno == ENXIO)
        error_set(err, "cannot open the log %s: nobody reads this FIFO", path);
    else if (fd < 0)
        error_set_errno(err, errno, "cannot open the log %s", path);
    else
        (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

bool
log_target_open(struct log_target *target, const char *name, struct error *err)
{
    const char *path = name + sizeof file_prefix - 1;

    target->lines = target->used = 0;
    if (strcmp(name, "stderr") == 0) {
        target->kind = LOG_TARGET_STDERR;
        return true;
    }
    if (strcmp(name, "syslog") == 0) {
        target->kind = LOG_TARGET_SYSLOG;
        return true;
    }
    if (strncmp(name, file_prefix, sizeof file_prefix - 1) != 0 ||
        *path == '\0' || strlen(path) >= sizeof target->path) {
        error_set(err,
                  "cannot log to \"%s\": write stderr, syslog or file:PATH",
                  name);
        return false;
    }
    int fd = open_file(path, err);
    if (fd < 0)
        return false;
    target->kind = LOG_TARGET_FILE;
    target->fd = fd;
    snprintf(target->path, sizeof target->path, "%s", path);
    return true;
}

void
log_target_take(struct log_target *target, const struct log_target *new)
{
    log_target_close(target);
    target->kind = new->kind;
    target->fd = new->fd;
    target->torn = false;
    memcpy(target->path, new->path, sizeof target->path);
    if (target->kind == LOG_TARGET_SYSLOG)
        openlog("kerbwrap", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

bool
log_target_reopen(struct log_target *target, struct error *err)
{
    if (target->kind != LOG_TARGET_FILE)
        return true;
    int fd = open_file(target->path, err);
    if (fd < 0)
        return false;
    close(target->fd);
    target->fd = fd;
    target->torn = false;
    return true;
}

static void
gather(struct log_target *target, const void *bytes, size_t length)
{
    memcpy(target->buffer + target->used, bytes, length);
    target->used += length;
}

bool
log_target_has_room(const struct log_target *target)
{
    /* A priority and a NUL at most come to a line. */
    return sizeof target->buffer - target->used >= LOG_LINE_SIZE + 2;
}

void
log_target_add(struct log_target *target, const struct log_line *line)
{
    char priority = (char)priorities[line->level];

    if (target->kind == LOG_TARGET_SYSLOG) {
        gather(target, &priority, 1);
        gather(target, line->text + line->body, line->length - line->body - 1);
        gather(target, "", 1);
    } else {
        gather(target, line->text, line->length);
    }
    target->lines++;
}

static void
send_messages(const char *messages, const char *end)
{
    while (messages < end) {
        syslog(messages[0], "%s", messages + 1);
        messages += strlen(messages + 1) + 2;
    }
}

/* How much was written before it failed, if it did. */
static size_t
write_all(int fd, const char *bytes, size_t length)
{
    size_t written = 0;

    while (written < length) {
        ssize_t n = write(fd, bytes + written, length - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        written += (size_t)n;
    }
    return written;
}

/* A disk that is full takes a part of a line; the next line begins anew. */
static void
write_lines(struct log_target *target, int fd)
{
    const char *bytes = target->buffer;

    if (target->torn && write_all(fd, "\n", 1) == 0)
        return;
    size_t written = write_all(fd, bytes, target->used);
    target->torn = written > 0 && bytes[written - 1] != '\n';
    for (size_t i = 0; i < written; i++)
        target->lines -= bytes[i] == '\n';
}

size_t
log_target_flush(struct log_target *target)
{
    if (target->kind == LOG_TARGET_SYSLOG) {
        send_messages(target->buffer, target->buffer + target->used);
        target->lines = 0;
    } else {
        write_lines(target, target->kind == LOG_TARGET_FILE ? target->fd
                                                            : STDERR_FILENO);
    }
    size_t lost = target->lines;

    target->lines = target->used = 0;
    return lost;
}

void
log_target_close(struct log_target *target)
{
    if (target->kind == LOG_TARGET_FILE)
        close(target->fd);
    if (target->kind == LOG_TARGET_SYSLOG)
        closelog();
    target->kind = LOG_TARGET_STDERR;
}
