/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a name from a directory or a configuration.  What cracks is made anew
 * from its parts and reads the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/spnvalue.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
remake(const char *text)
{
    struct spn_cracked cracked;
    char value[SPN_SIZE];

    if (!spnvalue_crack(text, &cracked, NULL) || *cracked.label != '\0')
        return;
    bool hosted = cracked.part_count == 3;
    const struct spn_parts parts = {
        .service_class = cracked.service_class,
        .service_name = cracked.service_name,
        .instance = hosted ? cracked.host : NULL,
        .port = cracked.port,
    };
    /* A port with leading zeros is the same port. */
    if (!spnvalue_make(&parts, value, NULL) ||
        (strchr(text, '0') == NULL && strcmp(value, text) != 0))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char value[SPN_SIZE];
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    remake(text);
    if (spnvalue_from_text(text, value, NULL) && !spnvalue_equal(value, value))
        abort();
    free(text);
    return 0;
}
