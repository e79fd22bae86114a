/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps an initiator's tickets fresh: gets them at once, again ahead of their
 * end, and after a failure with growing pauses.  KDC exchanges run in the pool.
 */
#ifndef PROXY_UPKEEP_H
#define PROXY_UPKEEP_H

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "gss/credential.h"

struct upkeep;

/* credential is held; service names it in the log and is borrowed. */
MUST_CHECK struct upkeep *upkeep_start(struct loop *loop, struct pool *pool,
                                       struct credential *credential,
                                       const char *service);
void upkeep_cancel(struct upkeep *upkeep);

#endif
