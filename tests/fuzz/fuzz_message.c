/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever parses must encode within its limits, and parse to the same again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
try_hello(const uint8_t *bytes, size_t size)
{
    struct hello hello, again;
    uint8_t out[HELLO_SIZE_MAX];
    struct error err;

    if (!hello_parse(bytes, size, &hello, &err))
        return;
    size = hello_encode(&hello, out);
    if (size > sizeof out || !hello_parse(out, size, &again, NULL))
        abort();
    if (hello.protection != again.protection ||
        hello.connection_id != again.connection_id ||
        strcmp(hello.target, again.target) != 0 ||
        strcmp(hello.label, again.label) != 0 ||
        strcmp(hello.agent, again.agent) != 0)
        abort();
}

static void
try_reset(const uint8_t *bytes, size_t size)
{
    struct reset reset, again;
    uint8_t out[RESET_SIZE_MAX];
    struct error err;

    if (!reset_parse(bytes, size, &reset, &err))
        return;
    size = reset_encode(&reset, out);
    if (size > sizeof out || !reset_parse(out, size, &again, NULL))
        abort();
    if (reset.code != again.code || reset.retryable != again.retryable ||
        strcmp(reset.sentence, again.sentence) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0 && bytes[0] == MESSAGE_HELLO)
        try_hello(bytes, size);
    if (size > 0 && bytes[0] == MESSAGE_RESET)
        try_reset(bytes, size);
    return 0;
}
