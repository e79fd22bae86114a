/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May this peer connect?  By the rules at once, or, where a group decides, after
 * a look-up of its members in the pool.  A name service that does not answer
 * lets nobody in.
 */
#ifndef PROXY_VETTING_H
#define PROXY_VETTING_H

#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "config/config.h"
#include "gss/context.h"

struct vetting;

struct vetting_result {
    bool allowed;
    bool unanswered;  /* not allowed, as the name service could not tell: asked
                        again it may say otherwise */
    const char *rule; /* that decided, or NULL; borrowed from the rules */
    struct error error; /* not allowed: why */
};

struct vetting_settings {
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    const struct context_peer *peer;  /* copied by vetting_start */
    struct config *config;            /* held meanwhile */
    const struct access_rules *rules; /* in config */
    /* plain */
    uint64_t timeout_ms; /* or DURATION_OFF */
};

typedef void vetting_done(const struct vetting_result *result, void *arg);

/* False: groups would decide, so vetting_start has to be asked. */
MUST_CHECK bool vetting_at_once(const struct access_rules *rules,
                                const struct context_peer *peer,
                                struct vetting_result *result_out);

/*
 * done fires exactly once, never inside vetting_start, never after
 * vetting_cancel; its result lasts as long as the call, the rule as long as the
 * config.  NULL for lack of memory.
 */
MUST_CHECK struct vetting *vetting_start(
    const struct vetting_settings *settings, vetting_done *done, void *arg);
void vetting_cancel(struct vetting *vetting);

#endif
