/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that can seal, so that suites may try each of them. */
#ifndef TESTS_ENGINES_H
#define TESTS_ENGINES_H

#include <stdbool.h>
#include <stddef.h>

#include "gss/seal_multibuffer.h"

struct engine {
    const char *name;
    bool (*make)(const struct seal_secrets *secrets, struct seal **seal_out,
                 struct error *err);
    enum multibuffer_form form;
};

enum {
    ENGINE_COUNT = 6
};
extern const struct engine engines[ENGINE_COUNT];

/* What this thread makes and uses next is of this engine; false, and a line
 * that says so: this build or this processor cannot. */
bool engine_use(const struct engine *engine);

/* The bytes of a text in hexadecimal, as RFCs print them; blanks are fine.
 * Returns how many. */
size_t hex_bytes(const char *text, unsigned char *bytes);

#endif
