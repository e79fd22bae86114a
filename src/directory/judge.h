/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a service connection point is believed.  It is a hint, not an
 * authority: any member computer may publish one with anybody's keywords below
 * itself.  docs/security.md has the argument.  Pure: every function either says
 * yes or gives the sentence of the refusal.
 */
#ifndef DIRECTORY_JUDGE_H
#define DIRECTORY_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/guid.h"
#include "directory/scp.h"

/* Borrowed; what is not set is NULL. */
struct judge_rules {
    const char *service_class;
    const char *scp_dn;          /* canonical; scp = DN */
    const struct guid *scp_guid; /* scp = objectGUID */
    const char *scp_base;        /* canonical */
    const char *allow_group;
    char *const *allow_host; /* patterns, host.h */
    size_t allow_host_count;
};

/* The object above the SCP, as far as it matters here. */
struct judge_parent {
    bool is_computer;
    bool in_group;       /* a member of allow_group, directly or not */
    char *dns_host_name; /* owned; NULL when it has none */
};

/* How the trust anchor held, for the words of the verdict. */
enum judge_anchor {
    ANCHOR_NONE,
    ANCHOR_SCP,
    ANCHOR_SCP_BASE,
    ANCHOR_HOST,
    ANCHOR_GROUP,
};

/* Before anything else is read about it: its class. */
MUST_CHECK bool judge_class(const struct judge_rules *rules,
                            const struct scp *scp, struct error *err);

/* Must its parent's membership be looked up: does nothing cheaper anchor it? */
bool judge_needs_group(const struct judge_rules *rules, const struct scp *scp);

/*
 * The SCP itself, with its parent: the computer's own name, and one anchor.  For
 * an SRV name the host of each target is judged later, by judge_target.
 */
MUST_CHECK bool judge_scp(const struct judge_rules *rules,
                          const struct scp *scp,
                          const struct judge_parent *parent,
                          enum judge_anchor *anchor_out, struct error *err);

/* The target of an SRV record: it must itself be in allow_host. */
MUST_CHECK bool judge_target(const struct judge_rules *rules, const char *host,
                             struct error *err);

/* "allow_host", ...: the key that let it in. */
const char *judge_anchor_name(enum judge_anchor anchor);

#endif
