/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps that are all taken or none: when one fails, those before it are taken
 * back in reverse order.  Each step knows what takes it back.
 */
#ifndef DIRECTORY_TRANSACTION_H
#define DIRECTORY_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/changes.h"
#include "directory/registry.h"

enum step_kind {
    STEP_MODIFY, /* taken back by the changes of undo */
    STEP_CREATE, /* taken back by removing the object */
    STEP_REMOVE, /* taken back by creating it with the attributes of undo */
};

struct step {
    enum step_kind kind;
    /* owned */
    char *dn;
    char *deed; /* "register the SPN x on y", for the words; safe to print */
    char *spn;  /* what it registers, NULL for anything else */
    struct changes apply;
    struct changes undo;
};

enum {
    STEPS_MAX = 256
};

/* All zero: none. */
struct steps {
    struct step *items; /* owned */
    size_t count;
};

/* A step to be filled; NULL: err.  dn is copied, deed is a format. */
MUST_CHECK struct step *steps_add(struct steps *steps, enum step_kind kind,
                                  const char *dn, struct error *err,
                                  const char *deed, ...) PRINTF_LIKE(5, 6);
void steps_clear(struct steps *steps);

/* done: it was done; undone: it was taken back; kept: it could not be. */
struct transaction_events {
    void (*on_done)(const struct step *step, void *arg);
    void (*on_undone)(const struct step *step, void *arg);
    void (*on_kept)(const struct step *step, const struct error *why,
                    void *arg);
    void *arg;
};

enum transaction_status {
    TRANSACTION_DONE,
    TRANSACTION_UNDONE, /* a step failed, all is as before */
    TRANSACTION_TORN,   /* ... but some steps could not be taken back */
};

/* Unless DONE, err says why, *failed_out is the step that failed, and
 * *status_out what the server said to it. */
MUST_CHECK enum transaction_status transaction_run(
    struct registry *registry, const struct steps *steps,
    const struct transaction_events *events, const struct step **failed_out,
    enum write_status *status_out, struct error *err);

#endif
