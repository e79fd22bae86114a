/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on their way to the writer, in a ring of 1 MiB: what does not fit is
 * refused.  No locks: the log's guards it.  Private to the log.
 */
#ifndef BASE_LOG_QUEUE_H
#define BASE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log_line.h"

enum {
    LOG_QUEUE_SIZE = 1024 * 1024
};

/* All zero: empty. */
struct log_queue {
    size_t begin, used;
    char ring[LOG_QUEUE_SIZE];
};

bool log_queue_push(struct log_queue *queue, const struct log_line *line);

/* Takes the oldest line; false: there is none. */
bool log_queue_pop(struct log_queue *queue, struct log_line *line_out);

#endif
