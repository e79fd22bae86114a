/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a directory answered, as plain data: entries, attributes, values of any
 * bytes.  Limits are kept here, so that no server can make the list larger; what
 * did not fit is marked as cut, never silently missing.
 */
#ifndef DIRECTORY_ENTRY_H
#define DIRECTORY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    ENTRY_DN_MAX = 4096,
    ENTRY_VALUES_MAX = 5000, /* of one attribute */
    ENTRY_VALUE_MAX = 4096,
    ENTRY_ATTRIBUTE_MAX = 256 * 1024, /* bytes, of all its values */
    ENTRY_ATTRIBUTES_MAX = 32,
    ENTRY_LIST_MAX = 10000,
};

struct value {
    char *bytes; /* owned; a NUL follows that length does not count */
    size_t length;
};

struct attribute {
    char *name;           /* owned */
    struct value *values; /* owned */
    size_t count;
    size_t size; /* bytes of the values */
    bool cut;    /* there were more values, or longer ones, than fit */
};

struct entry {
    char *dn;                     /* owned; as the server wrote it */
    struct attribute *attributes; /* owned */
    size_t count;
};

struct entry_list {
    struct entry *entries; /* owned */
    size_t count;
    size_t room;
    bool cut; /* the server had more entries than ENTRY_LIST_MAX */
};

/* dn is copied; over ENTRY_DN_MAX is an error. */
MUST_CHECK bool entry_init(struct entry *entry, const char *dn,
                           struct error *err);
void entry_clear(struct entry *entry);

/* Copies one value; one that breaks a limit is left out and marks the
 * attribute as cut.  False only for lack of memory. */
MUST_CHECK bool entry_add(struct entry *entry, const char *name,
                          const void *bytes, size_t length, struct error *err);

/* Names are compared ignoring case, as LDAP does; NULL when absent. */
const struct attribute *entry_attribute(const struct entry *entry,
                                        const char *name);

/* The value of an attribute that has exactly one, which is not empty and holds
 * no NUL; otherwise NULL. */
const char *entry_text(const struct entry *entry, const char *name);

/* Is one of the values this text, ignoring case? */
bool entry_has(const struct entry *entry, const char *name, const char *text);

/* Takes entry over, and clears it, whether there was room or not; false only
 * for lack of memory. */
MUST_CHECK bool entry_list_take(struct entry_list *list, struct entry *entry,
                                struct error *err);
void entry_list_clear(struct entry_list *list);

#endif
