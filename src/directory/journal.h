/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kerbwrap has put into the directory for one service, in a file of
 * state_dir: so that it is found again when it has moved, and that only what is
 * ours is changed or deleted.  Before a change it is written down what will be
 * ours; after it, that it is.  So whoever is killed in between leaves nothing
 * that the next run does not know of.
 */
#ifndef DIRECTORY_JOURNAL_H
#define DIRECTORY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/guid.h"

/* Texts, each once; spellings that differ in case are one. */
struct journal_texts {
    char **items; /* owned */
    size_t count;
};

struct journal {
    bool under_way;   /* a change began and did not end */
    bool scp_created; /* by us, rather than found and updated */
    bool has_guid;
    struct guid guid; /* of the SCP */
    /* owned; NULL when not known */
    char *scp_dn;
    char *account; /* that spns are registered on, by its name */
    /* What we added; what was there before is not here. */
    struct journal_texts spns, keywords, bindings;
};

/* STATE_DIR/NAME.published */
MUST_CHECK bool journal_path(const char *state_dir, const char *name,
                             char *path, size_t size);

/* Keeps others from publishing the same; the descriptor is to be closed.  -1:
 * somebody else does, or the file cannot be made. */
MUST_CHECK int journal_lock(const char *path, struct error *err);

/* No file is an empty journal. */
MUST_CHECK bool journal_load(const char *path, struct journal *journal_out,
                             struct error *err);
/* One that holds nothing is removed. */
MUST_CHECK bool journal_save(const char *path, const struct journal *journal,
                             struct error *err);
void journal_clear(struct journal *journal);

bool journal_has(const struct journal_texts *texts, const char *text);
MUST_CHECK bool journal_add(struct journal_texts *texts, const char *text,
                            struct error *err);
void journal_drop(struct journal_texts *texts, const char *text);
/* Replaces a text; text may be NULL. */
MUST_CHECK bool journal_set(char **member, const char *text, struct error *err);

/* Hostile bytes. */
MUST_CHECK bool journal_parse(const char *bytes, size_t length,
                              struct journal *journal_out, struct error *err);

#endif
