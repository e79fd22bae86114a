/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GSS steps in the pool.  A prompt step first; when it wants a ticket, the
 * fetch goes to the KDC's own lane, and the step is taken again there.
 */
#ifndef PROXY_STEP_H
#define PROXY_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "gss/context.h"
#include "proxy/sealed.h"

struct step;

struct step_result {
    enum context_status status;    /* never NEED_TICKET */
    struct context *context;       /* given back; the receiver's again */
    struct context_output *output; /* valid during the call */
};

typedef void step_done(struct step_result *result, void *arg);

/*
 * Takes the context over until done, which fires exactly once, never inside
 * step_start, never after step_cancel.  token is copied.  NULL for lack of
 * memory: the context stays the caller's.
 */
MUST_CHECK struct step *step_start(struct loop *loop, struct pool *pool,
                                   struct context *context,
                                   const struct bytes *token, step_done *done,
                                   void *arg);

/* The context goes with it. */
void step_cancel(struct step *step);

/* Does it wait for a KDC? */
bool step_is_fetching(const struct step *step);

#endif
