/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing to the directory: what can be changed, and what can come of it.  A
 * table of calls beside struct directory_ops, for those few who write.
 */
#ifndef DIRECTORY_WRITE_H
#define DIRECTORY_WRITE_H

#include <stddef.h>

#include "base/error.h"

enum change_kind {
    CHANGE_ADD,     /* a value that is there already is fine */
    CHANGE_DELETE,  /* one that is gone already, too */
    CHANGE_REPLACE, /* all values; with none the attribute goes */
};

struct change {
    enum change_kind kind; /* of no interest to an object that is made */
    const char *attribute;
    const char *const *values; /* NULL at the end */
};

enum write_status {
    WRITE_DONE,
    WRITE_LOST,       /* no answer: it may have been done, or not */
    WRITE_DENIED,     /* the right is missing */
    WRITE_CONSTRAINT, /* the server does not want these values */
    WRITE_EXISTS,     /* an object of that name is there */
    WRITE_ABSENT,     /* no object of that name is there */
    WRITE_REFUSED,    /* anything else */
};

/* All of them block.  err has the server's own words unless WRITE_DONE. */
struct directory_writes {
    /* Each attribute once. */
    enum write_status (*add)(void *connection, const char *dn,
                             const struct change *attributes, size_t count,
                             struct error *err);
    enum write_status (*modify)(void *connection, const char *dn,
                                const struct change *changes, size_t count,
                                struct error *err);
    enum write_status (*remove)(void *connection, const char *dn,
                                struct error *err);
};

/* The real one: connections are those of directory_real. */
extern const struct directory_writes directory_real_writes;

#endif
