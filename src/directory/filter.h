/* SPDX-License-Identifier: BSD-2-Clause */
/* Search filters, RFC 4515: every value goes through filter_escape. */
#ifndef DIRECTORY_FILTER_H
#define DIRECTORY_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Writes value, any bytes, so that it can stand behind '='.  Returns the bytes
 * needed without terminator, like snprintf. */
size_t filter_escape(const void *value, size_t length, char *out, size_t size);

/* "(ATTRIBUTE=VALUE)", to be freed; NULL for lack of memory. */
MUST_CHECK char *filter_equal(const char *attribute, const void *value,
                              size_t length, struct error *err);

/* "(&(objectClass=CLASS)(ATTRIBUTE=V1)(ATTRIBUTE=V2)...)", to be freed. */
MUST_CHECK char *filter_all(const char *object_class, const char *attribute,
                            char *const *values, size_t count,
                            struct error *err);

#endif
