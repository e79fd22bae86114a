/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The job that carries a context to a pool thread and back.  While the job is
 * in the pool nobody else touches the context; an abandoned job frees it.
 */
#include "proxy/step.h"

#include <stdlib.h>

struct step {
    struct job job; /* first: the pool's view */
    /* owned */
    struct context *context;
    struct bytes token;
    struct context_output output;
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    void *arg;
    /* plain */
    step_done *done;
    enum context_status status;
    bool fetch;
};

static void
step_free(struct step *step)
{
    bytes_clear(&step->token);
    free(step->output.token);
    context_free(step->context);
    free(step);
}

static void
run(struct job *job)
{
    struct step *step = (struct step *)job;
    struct context *context = step->context;

    if (step->fetch && !context->ops->fetch(context, &step->output.error)) {
        step->status = CONTEXT_FAILED;
        return;
    }
    step->status = context->ops->step(context, step->token.data,
                                      step->token.size, &step->output);
}

static void
on_done(struct job *job)
{
    struct step *step = (struct step *)job;

    if (step->status == CONTEXT_NEED_TICKET && !step->fetch) {
        step->fetch = true;
        pool_submit(step->pool, step->context->lane, step->loop, &step->job);
        return;
    }
    if (step->status == CONTEXT_NEED_TICKET) {
        error_set(&step->output.error,
                  "cannot use the service ticket: the KDC issued one that has "
                  "expired already; compare the clocks");
        step->status = CONTEXT_FAILED;
    }
    struct step_result result = {
        .status = step->status,
        .context = step->context,
        .output = &step->output,
    };
    step->context = NULL;
    step->done(&result, step->arg);
    step_free(step);
}

static void
discard(struct job *job)
{
    step_free((struct step *)job);
}

struct step *
step_start(struct loop *loop, struct pool *pool, struct context *context,
           const struct bytes *token, step_done *done, void *arg)
{
    struct step *step = calloc(1, sizeof *step);
    if (step == NULL)
        return NULL;
    if (!bytes_append(&step->token, token->data, token->size)) {
        free(step);
        return NULL;
    }
    step->context = context;
    step->loop = loop;
    step->pool = pool;
    step->done = done;
    step->arg = arg;
    step->job.run = run;
    step->job.done = on_done;
    step->job.discard = discard;
    pool_submit(pool, LANE_PROMPT, loop, &step->job);
    return step;
}

void
step_cancel(struct step *step)
{
    if (step != NULL)
        pool_abandon(&step->job);
}

bool
step_is_fetching(const struct step *step)
{
    return step->fetch;
}
