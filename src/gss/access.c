/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Principals and rules are both split at the unescaped '/' and '@' of their
 * text.  A principal is then unescaped; a rule keeps its backslashes, because
 * they tell a literal '*' from a wildcard, and is unescaped while it is
 * matched.  Nothing is compared before it was split.
 */
#include "gss/access.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
    SHOWN_SIZE = 256
};

/* The text of a principal or rule, made safe for an error sentence. */
struct shown {
    char text[SHOWN_SIZE];
};

static struct shown
show(const char *text)
{
    struct shown shown;

    text_sanitize(text, strlen(text), shown.text, sizeof(shown.text));
    return shown;
}

void
principal_clear(struct principal *principal)
{
    for (size_t i = 0; i < principal->count; i++)
        free(principal->components[i]);
    free(principal->realm);
    memset(principal, 0, sizeof(*principal));
}

/* The length of text up to the first unescaped byte of stops, or its end. */
static size_t
part_length(const char *text, const char *stops)
{
    size_t i = 0;

    while (text[i] != '\0' && strchr(stops, text[i]) == NULL) {
        if (text[i] == '\\' && text[i + 1] != '\0')
            i++;
        i++;
    }
    return i;
}

static bool
take_component(const char **cursor, struct principal *out, const char *what,
               const char *whole, struct error *err)
{
    size_t length = part_length(*cursor, "/@");

    if (length == 0) {
        error_set(err, "cannot use %s %s: a component is empty", what,
                  show(whole).text);
        return false;
    }
    if (out->count == PRINCIPAL_COMPONENTS_MAX) {
        error_set(err, "cannot use %s %s: more than %d components", what,
                  show(whole).text, PRINCIPAL_COMPONENTS_MAX);
        return false;
    }
    out->components[out->count] = strndup(*cursor, length);
    if (out->components[out->count] == NULL) {
        error_set(err, "cannot use %s %s: out of memory", what,
                  show(whole).text);
        return false;
    }
    out->count++;
    *cursor += length;
    return true;
}

static bool
take_realm(const char *text, struct principal *out, const char *what,
           const char *whole, struct error *err)
{
    size_t length = part_length(text, "@");

    if (length == 0 || text[length] != '\0') {
        error_set(err, "cannot use %s %s: %s", what, show(whole).text,
                  length == 0 ? "its realm is empty"
                              : "it has an '@' too many (write '\\@' for one "
                                "that belongs to a name)");
        return false;
    }
    out->realm = strdup(text);
    if (out->realm == NULL) {
        error_set(err, "cannot use %s %s: out of memory", what,
                  show(whole).text);
        return false;
    }
    return true;
}

/* Cuts text into still escaped components and realm. */
static bool
split(const char *text, const char *what, struct principal *out,
      struct error *err)
{
    const char *cursor = text;
    bool ok = false;

    memset(out, 0, sizeof(*out));
    for (;;) {
        if (!take_component(&cursor, out, what, text, err))
            goto out;
        if (*cursor != '/')
            break;
        cursor++;
    }
    if (*cursor == '\0') {
        error_set(err, "cannot use %s %s: it has no realm (add @REALM)", what,
                  show(text).text);
        goto out;
    }
    ok = take_realm(cursor + 1, out, what, text, err);
out:
    if (!ok)
        principal_clear(out);
    return ok;
}

/* What stands behind a backslash: control characters have letters. */
static char
escaped_char(char letter)
{
    switch (letter) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case '0':
        return '\0';
    default:
        return letter;
    }
}

/* In place; false when a NUL is escaped in it or it ends with a backslash. */
static bool
unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '\\') {
            from++;
            if (*from == '\0' || escaped_char(*from) == '\0')
                return false;
            *to++ = escaped_char(*from);
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return true;
}

bool
principal_parse(const char *text, struct principal *out, struct error *err)
{
    struct principal principal;
    bool ok;

    if (!split(text, "principal", &principal, err))
        return false;
    ok = unescape(principal.realm);
    for (size_t i = 0; i < principal.count; i++)
        ok = unescape(principal.components[i]) && ok;
    if (!ok) {
        error_set(err,
                  "cannot use principal %s: it holds a NUL or ends with "
                  "a backslash",
                  show(text).text);
        principal_clear(&principal);
        return false;
    }
    *out = principal;
    return true;
}

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

    if (!escapes_are_known(text)) {
        error_set(err,
                  "cannot use rule %s: a backslash stands before '/', '@', "
                  "'*' or another backslash only",
                  show(text).text);
        return false;
    }
    if (!split(text, "rule", &rule.pattern, err))
        return false;
    rule.text = strdup(text);
    if (rule.text == NULL) {
        error_set(err, "cannot use rule %s: out of memory", show(text).text);
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
static char
fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
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
