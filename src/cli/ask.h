/* SPDX-License-Identifier: BSD-2-Clause */
/* One question to the status server of a running daemon, in HTTP. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stddef.h>

#include "config/config.h"

struct answer {
    char *text; /* owned: free(); terminated */
    size_t size, room;
    char *body; /* in text */
};

/* GETs path of the daemon that runs with config; or, with body not NULL, POSTs
 * that.  False, and a sentence in err: also for an answer that is no 200. */
MUST_CHECK bool ask(const struct config *config, const char *path,
                    const char *body, struct answer *answer_out,
                    struct error *err);

#endif
