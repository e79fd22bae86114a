/* SPDX-License-Identifier: BSD-2-Clause */
/* A Kerberos principal in its parts.  Pure; no GSSAPI. */
#ifndef GSS_PRINCIPAL_H
#define GSS_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
    PRINCIPAL_COMPONENTS_MAX = 8
};

/* Texts end with NUL and hold none: names that do are refused. */
struct principal {
    /* owned */
    char *components[PRINCIPAL_COMPONENTS_MAX];
    char *realm;
    /* plain */
    size_t count;
};

/* From the display form that MIT prints (backslash escapes); the realm must be
 * there, and no part may be empty. */
MUST_CHECK bool principal_parse(const char *text, struct principal *out,
                                struct error *err);
void principal_clear(struct principal *principal);

/* The same, but every part keeps its backslashes: for patterns.  what is the
 * word for text in errors. */
MUST_CHECK bool principal_split(const char *text, const char *what,
                                struct principal *out, struct error *err);

#endif
