/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A principal is cut at the unescaped '/' and '@' of its text, and only then
 * unescaped: what a name contains can never become structure.
 */
#include "gss/principal.h"

#include <stdlib.h>
#include <string.h>

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
    struct shown shown = {0};

    text_sanitize(text, strlen(text), shown.text, sizeof shown.text);
    return shown;
}

void
principal_clear(struct principal *principal)
{
    for (size_t i = 0; i < principal->count; i++)
        free(principal->components[i]);
    free(principal->realm);
    memset(principal, 0, sizeof *principal);
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

bool
principal_split(const char *text, const char *what, struct principal *out,
                struct error *err)
{
    const char *cursor = text;
    bool ok = false;

    memset(out, 0, sizeof *out);
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

    if (!principal_split(text, "principal", &principal, err))
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
