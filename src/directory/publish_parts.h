/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Publishing under way.  Private to publish.c, which says what comes after
 * what, publish_find.c, which reads the directory, and publish_plan.c and
 * publish_scp.c, which make steps of the difference.
 */
#ifndef DIRECTORY_PUBLISH_PARTS_H
#define DIRECTORY_PUBLISH_PARTS_H

#include "directory/account.h"
#include "directory/journal.h"
#include "directory/publish.h"
#include "directory/spnvalue.h"
#include "directory/transaction.h"

enum {
    PUBLISH_SPNS_MAX = 64,
    PUBLISH_SHOWN_SIZE = 600,
};

/* A stranger's text, safe to print; cut. */
struct publish_shown {
    char text[PUBLISH_SHOWN_SIZE];
};
struct publish_shown publishing_show(const char *text);

struct publishing {
    const struct publish_settings *settings; /* borrowed */
    /* owned */
    struct registry *registry;
    struct account computer; /* above the SCP */
    struct account holder;   /* of the SPNs */
    struct account former;   /* their holder before; dn NULL: the same */
    char *scp_dn;            /* where a new SCP would be */
    struct entry_list found; /* the SCP as it is: one entry, or none */
    struct journal journal;  /* as it was, and as it will be */
    struct steps steps;
    /* plain */
    char host[HOST_SIZE];     /* in serviceDNSName */
    char spn_host[HOST_SIZE]; /* in SPNs */
    char (*spns)[SPN_SIZE];   /* owned; values */
    size_t spn_count;
};

/* publish.c: connects, and finds all that has a name. */
MUST_CHECK enum directory_status publishing_prepare(
    struct publishing *publishing, struct error *err);
void publishing_clear(struct publishing *publishing);

/* publish_find.c: each reads what the next needs. */
MUST_CHECK enum directory_status publishing_find_accounts(
    struct publishing *publishing, struct error *err);
MUST_CHECK bool publishing_name(struct publishing *publishing,
                                struct error *err);
MUST_CHECK enum directory_status publishing_find_scp(
    struct publishing *publishing, struct error *err);
/* The SCP as it was found, or NULL. */
const struct entry *publishing_scp(const struct publishing *publishing);
/* Is the SCP that was found the one at scp_dn, or one that was moved? */
bool publishing_scp_fits(const struct publishing *publishing);
bool publishing_read_guid(const struct entry *entry, struct guid *guid_out);

/* publish_plan.c: adds to steps, and to the journal what they will make ours. */
MUST_CHECK enum directory_status plan_publish(struct publishing *publishing,
                                              struct error *err);
MUST_CHECK enum directory_status plan_unpublish(struct publishing *publishing,
                                                struct error *err);

/* publish_scp.c: the part of the plan that is about the SCP. */
MUST_CHECK bool plan_scp(struct publishing *publishing, struct error *err);
MUST_CHECK bool plan_no_scp(struct publishing *publishing, struct error *err);

/* publish_advice.c: the right that step lacks, into err, and the commands. */
void advise(const struct publishing *publishing, const struct step *step,
            enum write_status status, struct error *err);
void advise_spn(const struct publishing *publishing, const char *value);

void publishing_tell(const struct publishing *publishing,
                     enum publish_news news, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
