/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objectGUID: 16 octets as Active Directory stores them, and the dashed text, in
 * which the first three fields are read little-endian (MS-DTYP 2.3.4).
 */
#ifndef DIRECTORY_GUID_H
#define DIRECTORY_GUID_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GUID_SIZE = 16,
    GUID_TEXT_SIZE = 37
};

struct guid {
    uint8_t octets[GUID_SIZE]; /* in the directory's order */
};

/* "b7b1311c-b82e-11d0-afee-0000f80367c1", in braces or not, any case. */
bool guid_parse(const char *text, struct guid *guid_out);

/* Lower case, no braces. */
void guid_format(const struct guid *guid, char text[GUID_TEXT_SIZE]);

bool guid_equal(const struct guid *a, const struct guid *b);

#endif
