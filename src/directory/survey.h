/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one directory server is asked over an open connection: the service
 * connection points, the objects above them, the groups those are in.  Private
 * to the lookup.
 */
#ifndef DIRECTORY_SURVEY_H
#define DIRECTORY_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/directory.h"
#include "directory/discovery.h"
#include "directory/host.h"
#include "directory/judge.h"
#include "directory/scp.h"

/* One SCP, and what is thought of it so far. */
struct finding {
    struct scp scp;
    enum judge_anchor anchor; /* ANCHOR_NONE: rejected */
    char *verdict;            /* owned; why, when rejected */
    /* An SRV name, once resolved. */
    struct srv_list *targets; /* owned */
};

struct findings {
    struct finding *items; /* owned */
    size_t count, room;
};

void survey_findings_truncate(struct findings *findings, size_t count);
void survey_findings_clear(struct findings *findings);

struct survey {
    /* borrowed */
    const struct directory_ops *ops;
    void *connection;
    const char *server; /* for the journal */
    const struct judge_rules *rules;
    struct discovery *discovery; /* its journal */
    struct findings *findings;
};

/* What a server says of itself. */
struct survey_root {
    char *base;             /* owned; default naming context; NULL: none */
    char forest[HOST_SIZE]; /* DNS name of its first domain; "": not told */
};

MUST_CHECK enum directory_status survey_root(struct survey *survey,
                                             struct survey_root *root_out,
                                             struct error *err);

/* Adds the SCPs that search finds, judged; tree is where groups are looked for. */
MUST_CHECK enum directory_status survey_scps(struct survey *survey,
                                             const struct search *search,
                                             const char *tree,
                                             struct error *err);

#endif
