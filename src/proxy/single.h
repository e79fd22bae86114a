/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of a [client NAME] without a listener: between two descriptors,
 * from the first byte to the last, in the calling thread.
 */
#ifndef PROXY_SINGLE_H
#define PROXY_SINGLE_H

#include "base/error.h"
#include "config/config.h"

struct single_settings {
    struct config *config;                  /* held meanwhile */
    const struct service_settings *service; /* in config */
    int input, output;                      /* of any kind */
};

enum single_end {
    SINGLE_FINISHED, /* both directions ended, all is written */
    SINGLE_FAILED,   /* err says why */
};

/*
 * idle_out false: a thread is stuck in a library, so the process must end by
 * _Exit.  One that waits for input may be left in any case.
 */
MUST_CHECK enum single_end single_run(const struct single_settings *settings,
                                      bool *idle_out, struct error *err);

#endif
