/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A buffer that fills byte by byte: the verdict may change from "need more" to
 * a final one, never back, and a frame that is ready lies inside the buffer.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t max = PLAINTEXT_MAX + TOKEN_OVERHEAD_MAX;
    enum frame_status before = FRAME_NEED_MORE;

    for (size_t length = 0; length <= size; length++) {
        size_t token_size = 0;
        enum frame_status now = frame_parse(bytes, length, max, &token_size);

        if (before != FRAME_NEED_MORE && now != before)
            abort();
        if (now == FRAME_READY &&
            (token_size == 0 || token_size > length - FRAME_HEADER_SIZE))
            abort();
        before = now;
    }
    return 0;
}
