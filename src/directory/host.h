/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names and ports as strangers write them: strict, and pure. */
#ifndef DIRECTORY_HOST_H
#define DIRECTORY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* With the terminator; RFC 1035 allows 253 bytes. */
enum {
    HOST_SIZE = 254
};

/* Is it a DNS name: labels of 1 to 63 letters, digits, '-' and '_', one of them
 * not all digits (so no IPv4 address), no dot at the end, at most 253 bytes? */
bool host_is_valid(const char *text);

bool host_equal(const char *a, const char *b);

/* Does host match pattern, ignoring case?  '*' stands for any run of characters,
 * dots too. */
bool host_matches(const char *pattern, const char *host);

/* Decimal, 1 to 65535, nothing around it. */
MUST_CHECK bool port_parse(const char *bytes, size_t length, uint16_t *port_out,
                           struct error *err);

#endif
