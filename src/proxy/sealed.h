/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single messages as sealed frames: for the handshake and for last words.  The
 * relay seals batches by itself.
 */
#ifndef PROXY_SEALED_H
#define PROXY_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "gss/channel.h"
#include "wire/message.h"

/* Bytes that are on their way to a socket. */
struct bytes {
    uint8_t *data; /* owned; NULL when size is 0 */
    size_t size;
};

void bytes_clear(struct bytes *bytes);

/* Appends a copy; false for lack of memory, bytes unchanged. */
MUST_CHECK bool bytes_append(struct bytes *bytes, const void *data,
                             size_t size);

/* Appends one frame whose token seals plain, encrypted. */
MUST_CHECK bool sealed_append(struct bytes *bytes, struct channel *channel,
                              const uint8_t *plain, size_t size,
                              struct error *err);
MUST_CHECK bool sealed_append_hello(struct bytes *bytes,
                                    struct channel *channel,
                                    const struct hello *hello,
                                    struct error *err);
MUST_CHECK bool sealed_append_reset(struct bytes *bytes,
                                    struct channel *channel,
                                    enum reset_code code, const char *sentence,
                                    struct error *err);

/* May another server succeed where this reset was sent? */
bool reset_is_retryable(enum reset_code code);

/* A token as it came; the record points into it, and may be empty. */
MUST_CHECK bool sealed_open(struct channel *channel, uint8_t *token,
                            size_t size, struct unseal_record *record_out,
                            struct error *err);

#endif
