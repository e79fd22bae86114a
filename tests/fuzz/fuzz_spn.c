/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: class, host, service name and a stranger's target, NUL between them.
 * What was composed is recognised as ours; the stranger's may be anything.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/spn.h"

enum {
    FIELDS = 4
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The fields end where the text does: missing ones are empty. */
static void
split(const char *text, size_t size, const char *fields[FIELDS])
{
    const char *end = text + size;

    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = text;
        text += strlen(text);
        if (text < end)
            text++;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *fields[FIELDS];
    char spn[SPN_SIZE];
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    split(text, size, fields);

    const char *name = *fields[2] != '\0' ? fields[2] : NULL;
    uint16_t port = (uint16_t)size;
    if (spn_make(fields[0], fields[1], port, name, spn, NULL)) {
        if (!spn_is_ours(spn, "", (const char *[]){spn}, 1))
            abort();
        if (strpbrk(fields[0], "@\\") == NULL &&
            !spn_is_ours(spn, fields[0], NULL, 0))
            abort();
    }
    (void)spn_is_ours(fields[3], fields[0], NULL, 0);
    (void)spn_is_ours(fields[3], "", &fields[1], 1);
    free(text);
    return 0;
}
