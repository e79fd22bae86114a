/* SPDX-License-Identifier: BSD-2-Clause */
#include "engines.h"

#include <ctype.h>
#include <stdio.h>

#include "gss/seal_openssl.h"

const struct engine engines[ENGINE_COUNT] = {
    {"openssl", seal_openssl_new, MULTIBUFFER_BEST},
    {"multibuffer", seal_multibuffer_new, MULTIBUFFER_BEST},
    {"multibuffer (SSE)", seal_multibuffer_new, MULTIBUFFER_SSE},
    {"multibuffer (AVX2)", seal_multibuffer_new, MULTIBUFFER_AVX2},
    {"multibuffer (VAES)", seal_multibuffer_new, MULTIBUFFER_VAES},
    {"multibuffer (AVX-512)", seal_multibuffer_new, MULTIBUFFER_AVX512},
};

bool
engine_use(const struct engine *engine)
{
    struct error err;

    if (engine->make == seal_openssl_new)
        return true;
    if (!seal_multibuffer_check(&err)) {
        fprintf(stderr, "skipped %s: %s\n", engine->name, err.text);
        return false;
    }
    if (!seal_multibuffer_use(engine->form)) {
        fprintf(stderr, "skipped %s: not with this processor\n", engine->name);
        return false;
    }
    return true;
}

size_t
hex_bytes(const char *text, unsigned char *bytes)
{
    size_t count = 0;
    unsigned byte;

    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text))
            continue;
        sscanf(text++, "%2x", &byte);
        bytes[count++] = (unsigned char)byte;
    }
    return count;
}
