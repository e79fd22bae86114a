/* SPDX-License-Identifier: BSD-2-Clause */
/* A line lies in the ring as a head and its text, both of which may wrap. */
#include "base/log_queue.h"

#include <string.h>

struct head {
    size_t length, body;
    enum log_level level;
};

static void
put(struct log_queue *queue, const void *bytes, size_t length)
{
    size_t end = (queue->begin + queue->used) % LOG_QUEUE_SIZE;
    size_t first = LOG_QUEUE_SIZE - end < length ? LOG_QUEUE_SIZE - end
                                                 : length;

    memcpy(queue->ring + end, bytes, first);
    memcpy(queue->ring, (const char *)bytes + first, length - first);
    queue->used += length;
}

static void
take(struct log_queue *queue, void *bytes, size_t length)
{
    size_t left = LOG_QUEUE_SIZE - queue->begin;
    size_t first = left < length ? left : length;

    memcpy(bytes, queue->ring + queue->begin, first);
    memcpy((char *)bytes + first, queue->ring, length - first);
    queue->begin = (queue->begin + length) % LOG_QUEUE_SIZE;
    queue->used -= length;
}

bool
log_queue_push(struct log_queue *queue, const struct log_line *line)
{
    struct head head = {line->length, line->body, line->level};

    if (sizeof head + line->length > LOG_QUEUE_SIZE - queue->used)
        return false;
    put(queue, &head, sizeof head);
    put(queue, line->text, line->length);
    return true;
}

bool
log_queue_pop(struct log_queue *queue, struct log_line *line_out)
{
    struct head head;

    if (queue->used == 0)
        return false;
    take(queue, &head, sizeof head);
    take(queue, line_out->text, head.length);
    line_out->length = head.length;
    line_out->body = head.body;
    line_out->level = head.level;
    return true;
}
