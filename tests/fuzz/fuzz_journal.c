/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a journal of what is published. */
#include <stddef.h>
#include <stdint.h>

#include "directory/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct journal journal;

    if (journal_parse((const char *)bytes, size, &journal, NULL))
        journal_clear(&journal);
    return 0;
}
