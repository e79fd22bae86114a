/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lookup asks, made ready: the filter, and the rules with their names in
 * canonical form.  And the same in words, to know a kept answer's question by.
 */
#ifndef DIRECTORY_QUESTION_H
#define DIRECTORY_QUESTION_H

#include "base/error.h"
#include "directory/judge.h"
#include "directory/lookup.h"

struct question {
    struct judge_rules rules; /* borrows what follows, and the settings */
    /* owned */
    char *filter;   /* of the SCPs */
    char *scp_dn;   /* canonical; NULL unless scp is a DN */
    char *scp_base; /* canonical; NULL when not set */
    /* plain */
    struct guid scp_guid;
};

/* It must not be moved afterwards.  To be cleared also after a failure. */
MUST_CHECK bool question_init(struct question *question,
                              const struct lookup_settings *settings,
                              struct error *err);
void question_clear(struct question *question);

/*
 * All that the answer depends on, one line, to be freed.  A kept answer is used
 * only for the question that it answered.
 */
MUST_CHECK char *question_text(const struct lookup_settings *settings,
                               struct error *err);

#endif
