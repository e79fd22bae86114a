/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines go: standard error, syslog or a file.  Writing may block, for
 * ever if need be: only the log's writer does it.  Private to the log.
 */
#ifndef BASE_LOG_TARGET_H
#define BASE_LOG_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/log_line.h"

enum {
    LOG_TARGET_BUFFER = 64 * 1024
};

enum log_target_kind {
    LOG_TARGET_STDERR,
    LOG_TARGET_SYSLOG,
    LOG_TARGET_FILE,
};

/* All zero: standard error. */
struct log_target {
    enum log_target_kind kind;
    int fd; /* owned, of a file */
    char path[PATH_MAX];
    bool torn;          /* what was written last ends within a line */
    size_t lines, used; /* in buffer */
    char buffer[LOG_TARGET_BUFFER];
};

/* name: "stderr", "syslog" or "file:PATH".  Nothing is written to it before it
 * was taken. */
MUST_CHECK bool log_target_open(struct log_target *target, const char *name,
                                struct error *err);

/* What it was is closed, and what new has opened is target's. */
void log_target_take(struct log_target *target, const struct log_target *new);

/* A file: opens its path anew; the old one stays when that fails. */
MUST_CHECK bool log_target_reopen(struct log_target *target, struct error *err);

/* Gathers a line to be written; only while any line has room. */
bool log_target_has_room(const struct log_target *target);
void log_target_add(struct log_target *target, const struct log_line *line);

/* Writes what was gathered; returns how many lines were lost. */
size_t log_target_flush(struct log_target *target);

void log_target_close(struct log_target *target);

#endif
