/* SPDX-License-Identifier: BSD-2-Clause */
/* The encryption types that are good enough: RFC 3962's and RFC 8009's. */
#ifndef GSS_ENCTYPE_H
#define GSS_ENCTYPE_H

#include <stdint.h>

enum {
    ENCTYPE_NAME_SIZE = 64
};

/* "aes256-cts-hmac-sha1-96" ..., or NULL for anything but AES. */
const char *enctype_aes_name(int32_t enctype);

/* The name of any type, its number when it has none. */
void enctype_describe(int32_t enctype, char name[ENCTYPE_NAME_SIZE]);

#endif
