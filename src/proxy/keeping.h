/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes an answer to its state file, or removes the file when the answer is
 * "none", in the pool: a full or hung disk delays nobody.
 */
#ifndef PROXY_KEEPING_H
#define PROXY_KEEPING_H

#include "base/loop.h"
#include "base/pool.h"
#include "directory/discovery.h"

/* Fire and forget; what goes wrong is logged.  Texts are copied, the discovery
 * is held. */
void keeping_submit(struct pool *pool, struct loop *loop, const char *path,
                    const char *question, struct discovery *discovery);

#endif
