/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may connect: rules over the components of a Kerberos principal, never
 * over its display text.  Pure; no GSSAPI.
 *
 * A rule is COMPONENT[/COMPONENT...]@REALM, where '*' stands for any run of
 * characters inside one component (or in the realm) and a backslash makes the
 * next '/', '@', '*' or backslash literal.  Allow matches exactly, deny
 * ignoring case, deny wins, no match means no.
 */
#ifndef GSS_ACCESS_H
#define GSS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "gss/principal.h"

struct access_rule {
    struct principal pattern; /* owned; still escaped */
    char *text;               /* owned; as written, for the log */
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
};

/* rule_out: the text of the rule that decided, borrowed from rules; NULL for
 * NO_RULE and AMBIGUOUS. */
enum access_verdict access_decide(const struct access_rules *rules,
                                  const struct principal *principal,
                                  const char **rule_out);

#endif
