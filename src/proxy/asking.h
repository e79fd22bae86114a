/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One inquiry from its first step to its answer, each step a job in its lane of
 * the pool.  A step that takes too long waits for a KDC, a directory or a name
 * server that does not answer: it is left behind, and that is the answer.
 */
#ifndef PROXY_ASKING_H
#define PROXY_ASKING_H

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "directory/discovery.h"
#include "proxy/inquiry.h"

struct asking;

/* answer is borrowed: hold it to keep it.  NULL: err says why there is none. */
typedef void asking_done(struct discovery *answer, const struct error *err,
                         void *arg);

/*
 * Takes inquiry over, also when it fails, which is for lack of memory.  done
 * comes once, never from inside; the asking is gone then.
 */
MUST_CHECK struct asking *asking_start(struct inquiry *inquiry,
                                       struct loop *loop, struct pool *pool,
                                       asking_done *done, void *arg);

/* done never comes.  Only before done; NULL is fine. */
void asking_cancel(struct asking *asking);

#endif
