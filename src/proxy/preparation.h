/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of a reload, or of the start, that can keep one waiting, in the pool: the
 * file, what it names, directories, keytabs, the name service.  Nothing that
 * runs is touched, so that it can be given up at any moment.
 */
#ifndef PROXY_PREPARATION_H
#define PROXY_PREPARATION_H

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/pool.h"
#include "base/users.h"
#include "config/config.h"
#include "proxy/confinement.h"
#include "proxy/provision.h"

struct preparation;

struct preparation_settings {
    /* borrowed; also by a job that is left behind */
    struct pool *pool;
    const struct confinement *confinement; /* NULL: none */
    /* borrowed */
    struct loop *loop;
    /* held meanwhile */
    struct config
        *before; /* in force, whose file is read again; or NULL, ... */
    struct config *config; /* ... at start: read already */
    /* plain */
    struct owner owner; /* whose sockets and directories are */
    uint64_t patience_ms;
};

struct prepared {
    struct config *config;        /* held */
    struct provision *provisions; /* owned, one a service */
    struct log_target *log;       /* owned; NULL: the same as before */
};

/* prepared: NULL, and err says why; else the receiver takes what it wants of it,
 * the rest is cleared when it returns. */
typedef void preparation_done(struct prepared *prepared,
                              const struct error *err, void *arg);

/*
 * done fires exactly once, never inside preparation_start, never after
 * preparation_cancel; at the latest when patience_ms are over, with what was
 * being waited for.  What is wrong with the file is logged.  NULL for lack of
 * memory.
 */
MUST_CHECK struct preparation *preparation_start(
    const struct preparation_settings *settings, preparation_done *done,
    void *arg);
void preparation_cancel(struct preparation *preparation); /* NULL is fine */

#endif
