/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One job, one file.
 */
#include "proxy/keeping.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "directory/kept.h"

struct keeping {
    struct job job;              /* first: the pool's view */
    char *path, *question;       /* owned */
    struct discovery *discovery; /* held */
};

static void
keeping_free(struct job *job)
{
    struct keeping *keeping = (struct keeping *)job;

    discovery_release(keeping->discovery);
    free(keeping->path);
    free(keeping->question);
    free(keeping);
}

static void
run(struct job *job)
{
    const struct keeping *keeping = (const struct keeping *)job;
    struct error error;
    bool done = keeping->discovery->outcome == DISCOVERY_FOUND
                    ? kept_save(keeping->path, keeping->question,
                                keeping->discovery, &error)
                    : kept_remove(keeping->path, &error);

    if (!done)
        log_event(EVENT_WARN, LOG_TEXT("reason", error.text));
}

void
keeping_submit(struct pool *pool, struct loop *loop, const char *path,
               const char *question, struct discovery *discovery)
{
    struct keeping *keeping = calloc(1, sizeof *keeping);
    if (keeping == NULL)
        return;
    keeping->path = strdup(path);
    keeping->question = strdup(question);
    keeping->discovery = discovery_hold(discovery);
    keeping->job.run = run;
    keeping->job.done = keeping_free;
    keeping->job.discard = keeping_free;
    if (keeping->path != NULL && keeping->question != NULL)
        pool_submit(pool, "state files", loop, &keeping->job);
    else
        keeping_free(&keeping->job);
}
