/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON: values stay within the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const struct json_value *value)
{
    for (; value != NULL; value = value->next) {
        if (value->kind == JSON_STRING && strlen(value->text) > 1000000)
            abort();
        look(value->first);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct error err;

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct json_value *value = json_parse(text, &err);
    look(value);
    json_free(value);
    free(text);
    return 0;
}
