/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one lookup brought: candidates with verdicts, and who was asked what.
 * Immutable once made, reference counted, shared by threads.
 */
#ifndef DIRECTORY_DISCOVERY_H
#define DIRECTORY_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/guid.h"
#include "directory/host.h"
#include "directory/srv.h"

enum discovery_outcome {
    DISCOVERY_FOUND,     /* at least one candidate is accepted */
    DISCOVERY_NONE,      /* the directory answered: there is none */
    DISCOVERY_NO_ANSWER, /* nothing is known; reason says why */
};

struct candidate {
    char *dn; /* owned; of the SCP, raw: sanitise */
    struct guid guid;
    bool has_guid;
    size_t scp;                /* candidates of one SCP share this number */
    char host[HOST_SIZE];      /* "" when none could be made out */
    uint16_t port;             /* 0 likewise */
    uint16_t priority, weight; /* of its SRV record, else 0 */
    bool accepted;
    char *spn;     /* owned; NULL unless accepted */
    char *verdict; /* owned; "accepted by allow_host", or why not; safe */
};

struct discovery {
    enum discovery_outcome outcome;
    int64_t time; /* of the answer, seconds since 1970 */
    bool kept;    /* read from the state file */
    char *reason; /* owned; NULL when FOUND; safe to print */
    /* Owned; rejected ones included; those of one SCP stand together. */
    struct candidate *candidates;
    size_t count, room;
    size_t accepted_count;
    /* Owned; sentences, in order: what was asked of whom; safe to print. */
    char **journal;
    size_t journal_count;
    int references; /* discovery_hold, discovery_release only */
};

/* For whoever makes one: empty, NO_ANSWER, one reference. */
MUST_CHECK struct discovery *discovery_new(struct error *err);

/* Copies candidate, its texts too. */
MUST_CHECK bool discovery_add(struct discovery *discovery,
                              const struct candidate *candidate,
                              struct error *err);

/* One more line of the journal; left out when there is no memory for it. */
void discovery_note(struct discovery *discovery, const char *format, ...)
    PRINTF_LIKE(2, 3);

struct discovery *discovery_hold(struct discovery *discovery);
void discovery_release(struct discovery *discovery); /* NULL is fine */

/*
 * The accepted candidates in the order of dialling, drawn anew at each call:
 * SCPs at random, and within one by SRV priority and weight.  source NULL
 * (select = listed): as they stand, then priority, then weight downwards.
 * order has room for accepted_count indices of candidates.
 */
void discovery_order(const struct discovery *discovery, random_source *source,
                     void *arg, size_t *order);

/* "found", "none", "no answer". */
const char *discovery_outcome_name(enum discovery_outcome outcome);

#endif
