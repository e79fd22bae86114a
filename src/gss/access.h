/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may connect: rules over the components of a Kerberos principal, never
 * over its display text, and over the groups of its local user, which an oracle
 * is asked for.  Pure; no GSSAPI.
 *
 * A rule is COMPONENT[/COMPONENT...]@REALM, where '*' stands for any run of
 * characters inside one component (or in the realm) and a backslash makes the
 * next '/', '@', '*' or backslash literal; or group:NAME.  Allow matches exactly,
 * deny ignoring case, deny wins, no match means no.
 */
#ifndef GSS_ACCESS_H
#define GSS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "gss/principal.h"

struct access_rule {
    struct principal pattern; /* owned; still escaped; none for a group */
    char *text;               /* owned; as written, for the log */
    const char *group;        /* in text; NULL: the rule is over principals */
};

MUST_CHECK bool access_rule_parse(const char *text, struct access_rule *out,
                                  struct error *err);
void access_rule_clear(struct access_rule *rule);

struct access_rules {
    struct access_rule *allow, *deny; /* owned arrays */
    size_t allow_count, deny_count;
};

enum access_verdict {
    ACCESS_ALLOWED,
    ACCESS_DENIED,    /* a deny rule matched */
    ACCESS_NO_RULE,   /* no allow rule matched */
    ACCESS_AMBIGUOUS, /* one component that holds '@', or WELLKNOWN/...: never */
    ACCESS_UNTOLD,    /* nobody knows if a deny rule's group has this member */
    ACCESS_ASKS,      /* only with an oracle: groups would decide */
};

enum access_member {
    ACCESS_MEMBER,
    ACCESS_NO_MEMBER,
    ACCESS_MEMBER_UNTOLD, /* of no group to allow: but of any group to deny */
};

/* Is the local user that the principal is mapped to a member of group? */
struct access_oracle {
    enum access_member (*is_member)(const char *group, void *arg);
    void *arg;
};

/*
 * Rules over principals are looked at first, so that the oracle is asked only
 * where it matters.  oracle: NULL when there is none at hand.  rule_out: the
 * text of the rule that decided, borrowed from rules; NULL for NO_RULE,
 * AMBIGUOUS and ASKS.
 */
enum access_verdict access_decide(const struct access_rules *rules,
                                  const struct principal *principal,
                                  const struct access_oracle *oracle,
                                  const char **rule_out);

#endif
