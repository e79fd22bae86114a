/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lookup under way, and its steps.  Private to lookup.c, which says whose turn
 * it is, and lookup_steps.c, which does what it is the turn of.
 */
#ifndef DIRECTORY_LOOKUP_PARTS_H
#define DIRECTORY_LOOKUP_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/lookup.h"
#include "directory/question.h"
#include "directory/source.h"
#include "directory/survey.h"

enum {
    SOURCES_MAX = 16,
    SRV_NAMES_MAX = 64, /* resolved for one lookup */
};

struct lookup {
    const struct lookup_settings *settings; /* borrowed */
    /* owned */
    struct question question;
    struct findings findings;
    struct discovery *discovery;
    struct source sources[SOURCES_MAX];
    /* plain */
    size_t source_count;
    size_t current;       /* source; those before it are done with */
    size_t resolved;      /* findings; likewise, their SRV names */
    size_t names;         /* SRV names that were looked up */
    char home[HOST_SIZE]; /* domain; "" until known */
    bool incomplete;      /* somebody did not answer: */
    struct error error;
};

/* Somebody did not answer, so that "none" cannot be said any more. */
void lookup_fail(struct lookup *lookup, const struct error *why);

MUST_CHECK bool lookup_add_source(struct lookup *lookup, enum source_kind kind,
                                  const char *domain, char *const *uris,
                                  size_t count, struct error *err);

/* Each moves the source on; errors are left in it, and noted. */
void step_locate(struct lookup *lookup, struct source *source);
void step_ticket(struct lookup *lookup, struct source *source);
void step_survey(struct lookup *lookup, struct source *source);

/* Looks the SRV name of a finding up: it has targets then, or a verdict. */
void step_resolve(struct lookup *lookup, struct finding *finding);

#endif
