/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kept answer's bytes, as they are and with a sum that fits.  What is believed
 * must survive being written and read again.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_again(const struct discovery *discovery)
{
    struct discovery *again = NULL;
    size_t length;
    char *text = kept_encode("q", discovery, &length, NULL);

    if (text == NULL || !kept_parse(text, length, "q", &again, NULL) ||
        again->count != discovery->count)
        abort();
    discovery_release(again);
    free(text);
}

static void
try_bytes(const char *bytes, size_t length)
{
    struct discovery *discovery = NULL;
    struct error err;

    if (!kept_parse(bytes, length, NULL, &discovery, &err))
        return;
    read_again(discovery);
    discovery_release(discovery);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0xcbf29ce484222325u;
    char *whole = NULL;

    try_bytes((const char *)data, size);
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ data[i]) * 0x100000001b3u;
    int length = asprintf(&whole, "%.*ssum %016" PRIx64 "\n", (int)size,
                          (const char *)data, sum);
    if (length >= 0)
        try_bytes(whole, (size_t)length);
    free(whole);
    return 0;
}
