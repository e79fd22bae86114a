/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of what is allowed, not of what is not: a type that is new to this
 * file is refused until somebody has thought about it.
 */
#include "gss/enctype.h"

#include <stddef.h>
#include <stdio.h>
#include <krb5.h>

static const struct {
    int32_t enctype;
    const char *name;
} aes_types[] = {
    {ENCTYPE_AES128_CTS_HMAC_SHA1_96, "aes128-cts-hmac-sha1-96"},
    {ENCTYPE_AES256_CTS_HMAC_SHA1_96, "aes256-cts-hmac-sha1-96"},
    {ENCTYPE_AES128_CTS_HMAC_SHA256_128, "aes128-cts-hmac-sha256-128"},
    {ENCTYPE_AES256_CTS_HMAC_SHA384_192, "aes256-cts-hmac-sha384-192"},
};

const char *
enctype_aes_name(int32_t enctype)
{
    for (size_t i = 0; i < sizeof aes_types / sizeof aes_types[0]; i++) {
        if (aes_types[i].enctype == enctype)
            return aes_types[i].name;
    }
    return NULL;
}

void
enctype_describe(int32_t enctype, char name[ENCTYPE_NAME_SIZE])
{
    if (krb5_enctype_to_name(enctype, 0, name, ENCTYPE_NAME_SIZE) != 0)
        snprintf(name, ENCTYPE_NAME_SIZE, "encryption type %d", (int)enctype);
}
