/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at a keytab from time to time, in the pool, so that whoever watches the
 * daemon sees when it was rotated, or can be read no more.  For looking only:
 * connections read the file themselves.
 */
#ifndef PROXY_KEYWATCH_H
#define PROXY_KEYWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/pool.h"

struct keywatch;

struct key_facts {
    bool readable;
    uint32_t kvno; /* the highest */
    uint64_t age;  /* seconds since the newest key was written */
};

/* path is borrowed.  NULL: out of memory. */
struct keywatch *keywatch_start(struct loop *loop, struct pool *pool,
                                const char *path);
void keywatch_cancel(struct keywatch *watch); /* NULL is fine */

/* False: it was not looked at yet, or watch is NULL. */
bool keywatch_facts(const struct keywatch *watch, struct key_facts *facts_out);

#endif
