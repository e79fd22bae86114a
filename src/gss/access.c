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

static const char group_prefix[] = "group:";

/* Any text may be the name of a group. */
static bool
parse_group(const char *text, struct access_rule *rule, struct error *err)
{
    if (text[sizeof group_prefix - 1] == '\0') {
        error_set(err, "cannot use rule group:: it names no group");
        return false;
    }
    rule->group = text + sizeof group_prefix - 1;
    return true;
}

bool
access_rule_parse(const char *text, struct access_rule *out, struct error *err)
{
    struct access_rule rule = {0};
    char shown[SHOWN_SIZE];

    if (strncmp(text, group_prefix, sizeof group_prefix - 1) == 0) {
        if (!parse_group(text, &rule, err))
            return false;
    } else if (!escapes_are_known(text)) {
        text_sanitize(text, strlen(text), shown, sizeof shown);
        error_set(err,
                  "cannot use rule %s: a backslash stands before '/', '@', "
                  "'*' or another backslash only",
                  shown);
        return false;
    } else if (!principal_split(text, "rule", &rule.pattern, err)) {
        return false;
    }
    rule.text = strdup(text);
    if (rule.text == NULL) {
        error_set(err, "cannot keep a rule: out of memory");
        principal_clear(&rule.pattern);
        return false;
    }
    if (rule.group != NULL)
        rule.group = rule.text + sizeof group_prefix - 1;
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

    if (rule->group != NULL || pattern->count != principal->count ||
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

static bool
has_groups(const struct access_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].group != NULL)
            return true;
    return false;
}

/* The best that any group of rules is to the oracle: MEMBER, else UNTOLD. */
static enum access_member
ask(const struct access_rule *rules, size_t count,
    const struct access_oracle *oracle, const char **rule_out)
{
    enum access_member best = ACCESS_NO_MEMBER;

    for (size_t i = 0; i < count && best != ACCESS_MEMBER; i++) {
        enum access_member member = ACCESS_NO_MEMBER;
        if (rules[i].group != NULL)
            member = oracle->is_member(rules[i].group, oracle->arg);
        if (member == ACCESS_MEMBER ||
            (member == ACCESS_MEMBER_UNTOLD && best == ACCESS_NO_MEMBER)) {
            best = member;
            *rule_out = rules[i].text;
        }
    }
    return best;
}

static enum access_verdict
decide_by_groups(const struct access_rules *rules,
                 const struct access_rule *allowed_by,
                 const struct access_oracle *oracle, const char **rule_out)
{
    const char *rule = NULL;

    switch (ask(rules->deny, rules->deny_count, oracle, rule_out)) {
    case ACCESS_MEMBER:
        return ACCESS_DENIED;
    case ACCESS_MEMBER_UNTOLD:
        return ACCESS_UNTOLD;
    case ACCESS_NO_MEMBER:
    default:
        break;
    }
    if (allowed_by != NULL)
        rule = allowed_by->text;
    else if (ask(rules->allow, rules->allow_count, oracle, &rule) !=
             ACCESS_MEMBER)
        rule = NULL;
    *rule_out = rule;
    return rule != NULL ? ACCESS_ALLOWED : ACCESS_NO_RULE;
}

enum access_verdict
access_decide(const struct access_rules *rules,
              const struct principal *principal,
              const struct access_oracle *oracle, const char **rule_out)
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
    if (rule == NULL && !has_groups(rules->allow, rules->allow_count))
        return ACCESS_NO_RULE;
    if (rule == NULL || has_groups(rules->deny, rules->deny_count))
        return oracle == NULL ? ACCESS_ASKS
                              : decide_by_groups(rules, rule, oracle, rule_out);
    *rule_out = rule->text;
    return ACCESS_ALLOWED;
}
