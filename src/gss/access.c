/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule is split like a principal but keeps its backslashes, because they tell
 * a literal '*' from a wildcard; it is unescaped while it is matched, component
 * by component.
 */
#include "gss/access.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
    SHOWN_SIZE = 256
};

/* Of letters only those that make something literal: the others would have
 * meanings that nobody expects in a rule. */
static bool
escapes_are_known(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text != '\\')
            continue;
        text++;
        if (*text == '\0' || strchr("/@*\\", *text) == NULL)
            return false;
    }
    return true;
}

bool
access_rule_parse(const char *text, struct access_rule *out, struct error *err)
{
    struct access_rule rule = {0};
    char shown[SHOWN_SIZE];

    if (!escapes_are_known(text)) {
        text_sanitize(text, strlen(text), shown, sizeof shown);
        error_set(err,
                  "cannot use rule %s: a backslash stands before '/', '@', "
                  "'*' or another backslash only",
                  shown);
        return false;
    }
    if (!principal_split(text, "rule", &rule.pattern, err))
        return false;
    rule.text = strdup(text);
    if (rule.text == NULL) {
        error_set(err, "cannot keep a rule: out of memory");
        principal_clear(&rule.pattern);
        return false;
    }
    *out = rule;
    return true;
}

void
access_rule_clear(struct access_rule *rule)
{
    principal_clear(&rule->pattern);
    free(rule->text);
    rule->text = NULL;
}

/* ASCII only: what more a KDC holds equal, it alone knows. */
static unsigned char
fold(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

static bool
same_char(char a, char b, bool ignore_case)
{
    return a == b || (ignore_case && fold(a) == fold(b));
}

/*
 * Does the still escaped pattern match all of text?  On a mismatch the last
 * star takes one character more; stars before it need not be tried again.
 */
static bool
part_matches(const char *pattern, const char *text, bool ignore_case)
{
    const char *after_star = NULL, *retry = NULL;

    while (*text != '\0') {
        size_t escape = *pattern == '\\' ? 1 : 0;

        if (*pattern == '*') {
            after_star = ++pattern;
            retry = text;
        } else if (*pattern != '\0' &&
                   same_char(pattern[escape], *text, ignore_case)) {
            pattern += escape + 1;
            text++;
        } else if (after_star != NULL) {
            pattern = after_star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool
rule_matches(const struct access_rule *rule, const struct principal *principal,
             bool ignore_case)
{
    const struct principal *pattern = &rule->pattern;

    if (pattern->count != principal->count ||
        !part_matches(pattern->realm, principal->realm, ignore_case))
        return false;
    for (size_t i = 0; i < pattern->count; i++) {
        if (!part_matches(pattern->components[i], principal->components[i],
                          ignore_case))
            return false;
    }
    return true;
}

/* Names whose one spelling may stand for several people, or for nobody. */
static bool
is_ambiguous(const struct principal *principal)
{
    if (principal->count == 0 ||
        strncasecmp(principal->realm, "WELLKNOWN:", 10) == 0)
        return true;
    if (strcasecmp(principal->components[0], "WELLKNOWN") == 0)
        return true;
    return principal->count == 1 &&
           strchr(principal->components[0], '@') != NULL;
}

static const struct access_rule *
find_match(const struct access_rule *rules, size_t count,
           const struct principal *principal, bool ignore_case)
{
    for (size_t i = 0; i < count; i++) {
        if (rule_matches(&rules[i], principal, ignore_case))
            return &rules[i];
    }
    return NULL;
}

enum access_verdict
access_decide(const struct access_rules *rules,
              const struct principal *principal, const char **rule_out)
{
    const struct access_rule *rule;

    *rule_out = NULL;
    if (is_ambiguous(principal))
        return ACCESS_AMBIGUOUS;
    rule = find_match(rules->deny, rules->deny_count, principal, true);
    if (rule != NULL) {
        *rule_out = rule->text;
        return ACCESS_DENIED;
    }
    rule = find_match(rules->allow, rules->allow_count, principal, false);
    if (rule == NULL)
        return ACCESS_NO_RULE;
    *rule_out = rule->text;
    return ACCESS_ALLOWED;
}
