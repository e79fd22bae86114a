/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message, one frame.  Slow beside the relay's batches, and only used a
 * handful of times in a connection's life.
 */
#include "proxy/sealed.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/frame.h"

void
bytes_clear(struct bytes *bytes)
{
    free(bytes->data);
    bytes->data = NULL;
    bytes->size = 0;
}

bool
bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return true;
    uint8_t *grown = realloc(bytes->data, bytes->size + size);
    if (grown == NULL)
        return false;
    memcpy(grown + bytes->size, data, size);
    bytes->data = grown;
    bytes->size += size;
    return true;
}

bool
sealed_append(struct bytes *bytes, struct channel *channel,
              const uint8_t *plain, size_t size, struct error *err)
{
    struct token_shape shape;
    channel->ops->shape(channel, true, &shape);
    size_t token_size = shape.header + size + shape.trailer;
    uint8_t *grown = realloc(bytes->data,
                             bytes->size + FRAME_HEADER_SIZE + token_size);
    if (grown == NULL) {
        error_set(err, "cannot seal a message: out of memory");
        return false;
    }
    bytes->data = grown;

    uint8_t *frame = grown + bytes->size;
    struct seal_record record = {
        .token = frame + FRAME_HEADER_SIZE,
        .plain_size = size,
    };
    memcpy(record.token + shape.header, plain, size);
    if (!channel->ops->seal(channel, true, &record, 1, err))
        return false;
    frame_encode(frame, token_size);
    bytes->size += FRAME_HEADER_SIZE + token_size;
    return true;
}

bool
sealed_append_hello(struct bytes *bytes, struct channel *channel,
                    const struct hello *hello, struct error *err)
{
    uint8_t plain[HELLO_SIZE_MAX];
    size_t size = hello_encode(hello, plain);
    return sealed_append(bytes, channel, plain, size, err);
}

bool
reset_is_retryable(enum reset_code code)
{
    /* What lies in this one server, not in who asks or for what. */
    return code == RESET_INTERNAL || code == RESET_UNREACHABLE ||
           code == RESET_SHUTDOWN || code == RESET_LIMIT;
}

bool
sealed_append_reset(struct bytes *bytes, struct channel *channel,
                    enum reset_code code, const char *sentence,
                    struct error *err)
{
    struct reset reset = {
        .code = (uint8_t)code,
        .retryable = reset_is_retryable(code),
    };
    text_sanitize(sentence, strlen(sentence), reset.sentence,
                  sizeof reset.sentence);
    uint8_t plain[RESET_SIZE_MAX];
    size_t size = reset_encode(&reset, plain);
    return sealed_append(bytes, channel, plain, size, err);
}

bool
sealed_open(struct channel *channel, uint8_t *token, size_t size,
            struct unseal_record *record_out, struct error *err)
{
    struct unseal_record record = {.token = token, .token_size = size};
    if (channel->ops->unseal(channel, &record, 1, err) != 1)
        return false;
    *record_out = record;
    return true;
}
