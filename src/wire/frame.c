/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the first frame of a buffer.  It neither keeps nor moves bytes: the
 * caller owns the buffer and decides what the largest acceptable frame is.
 */
#include "wire/frame.h"

#include <assert.h>

/*
 * The declared length, with zeros for header bytes that have not arrived: the
 * least that it can still become.
 */
static uint32_t
least_length(const uint8_t *bytes, size_t length)
{
    uint32_t value = 0;

    for (size_t i = 0; i < FRAME_HEADER_SIZE; i++)
        value = value << 8 | (i < length ? bytes[i] : 0u);
    return value;
}

enum frame_status
frame_parse(const uint8_t *bytes, size_t length, size_t max,
            size_t *token_size_out)
{
    uint32_t declared = least_length(bytes, length);

    /* Judged before the header is complete: a stranger who speaks HTTP or TLS
     * has shown it with the first byte. */
    if (declared > max) {
        *token_size_out = declared;
        return FRAME_TOO_LARGE;
    }
    if (length < FRAME_HEADER_SIZE)
        return FRAME_NEED_MORE;
    *token_size_out = declared;
    if (declared == 0)
        return FRAME_EMPTY;
    if (length - FRAME_HEADER_SIZE < declared)
        return FRAME_NEED_MORE;
    return FRAME_READY;
}

void
frame_encode(uint8_t header[FRAME_HEADER_SIZE], size_t token_size)
{
    assert(token_size > 0 && token_size <= UINT32_MAX);
    header[0] = (uint8_t)(token_size >> 24);
    header[1] = (uint8_t)(token_size >> 16);
    header[2] = (uint8_t)(token_size >> 8);
    header[3] = (uint8_t)token_size;
}
