/* SPDX-License-Identifier: BSD-2-Clause */
/* What a keytab holds: names, numbers and types of its keys, never the keys. */
#ifndef GSS_KEYTAB_H
#define GSS_KEYTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct keytab_key {
    /* owned */
    char *name; /* the principal without realm and without escapes */
    char *realm;
    /* plain */
    uint32_t kvno;
    int64_t written; /* into the file; seconds since 1970 */
    int32_t enctype;
    bool aes;
};

struct keytab_keys {
    struct keytab_key *items; /* owned */
    size_t count;
};

/* Reads the file at path.  To be cleared on success. */
MUST_CHECK bool keytab_read(const char *path, struct keytab_keys *keys_out,
                            struct error *err);
void keytab_clear(struct keytab_keys *keys);

/* The first name that is a computer's account, as "WEB1$"; NULL: none. */
const char *keytab_machine(const struct keytab_keys *keys);

/* Is there a key of this name, ignoring case? */
bool keytab_has(const struct keytab_keys *keys, const char *name);

#endif
