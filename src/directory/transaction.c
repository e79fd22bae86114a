/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwards, and back again.  A step whose answer was lost may have been taken:
 * it is taken back with the others, and what was not there then is fine.
 */
#include "directory/transaction.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct step *
steps_add(struct steps *steps, enum step_kind kind, const char *dn,
          struct error *err, const char *deed, ...)
{
    struct step *larger = NULL;
    struct step step = {.kind = kind};
    va_list args;

    if (steps->count < STEPS_MAX)
        larger = realloc(steps->items, (steps->count + 1) * sizeof *larger);
    if (larger != NULL) {
        steps->items = larger;
        step.dn = strdup(dn);
        va_start(args, deed);
        if (vasprintf(&step.deed, deed, args) < 0)
            step.deed = NULL;
        va_end(args);
    }
    if (step.dn == NULL || step.deed == NULL) {
        free(step.dn);
        free(step.deed);
        error_set(err, "cannot prepare a change of the directory: out of "
                       "memory");
        return NULL;
    }
    steps->items[steps->count] = step;
    return &steps->items[steps->count++];
}

void
steps_clear(struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = &steps->items[i];
        changes_clear(&step->apply);
        changes_clear(&step->undo);
        free(step->dn);
        free(step->deed);
        free(step->spn);
    }
    free(steps->items);
    *steps = (struct steps){.count = 0};
}

static enum write_status
take(struct registry *registry, const struct step *step, struct error *err)
{
    switch (step->kind) {
    case STEP_MODIFY:
        return registry_modify(registry, step->dn, step->apply.items,
                               step->apply.count, err);
    case STEP_CREATE:
        return registry_add(registry, step->dn, step->apply.items,
                            step->apply.count, err);
    case STEP_REMOVE:
        break;
    }
    return registry_remove(registry, step->dn, err);
}

static bool
take_back(struct registry *registry, const struct step *step, struct error *err)
{
    enum write_status status;

    switch (step->kind) {
    case STEP_MODIFY:
        return registry_modify(registry, step->dn, step->undo.items,
                               step->undo.count, err) == WRITE_DONE;
    case STEP_CREATE:
        status = registry_remove(registry, step->dn, err);
        return status == WRITE_DONE || status == WRITE_ABSENT;
    case STEP_REMOVE:
        break;
    }
    status = registry_add(registry, step->dn, step->undo.items,
                          step->undo.count, err);
    return status == WRITE_DONE || status == WRITE_EXISTS;
}

static enum transaction_status
take_all_back(struct registry *registry, const struct steps *steps,
              size_t count, const struct transaction_events *events)
{
    enum transaction_status status = TRANSACTION_UNDONE;
    struct error why;

    while (count-- > 0) {
        const struct step *step = &steps->items[count];
        if (take_back(registry, step, &why)) {
            events->on_undone(step, events->arg);
        } else {
            events->on_kept(step, &why, events->arg);
            status = TRANSACTION_TORN;
        }
    }
    return status;
}

enum transaction_status
transaction_run(struct registry *registry, const struct steps *steps,
                const struct transaction_events *events,
                const struct step **failed_out, enum write_status *status_out,
                struct error *err)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        enum write_status status = take(registry, step, err);
        if (status == WRITE_DONE ||
            (status == WRITE_ABSENT && step->kind == STEP_REMOVE)) {
            events->on_done(step, events->arg);
            continue;
        }
        *failed_out = step;
        *status_out = status;
        return take_all_back(registry, steps, status == WRITE_LOST ? i + 1 : i,
                             events);
    }
    return TRANSACTION_DONE;
}
