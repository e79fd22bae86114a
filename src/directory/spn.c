/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service principal names as Kerberos text: composing with the escapes that
 * Kerberos reads back, and comparing what such texts mean rather than how they
 * are spelled.  No name service, no directory, no KDC.
 */
#include "directory/spn.h"

#include <stdio.h>
#include <string.h>

/* One unit of Kerberos text: a byte of a component, or one of these. */
enum {
    UNIT_SEPARATOR = 256, /* an unescaped '/' */
    UNIT_END,             /* the end, or the '@' that starts the realm */
    UNIT_BAD,             /* a backslash that escapes nothing */
};

static int
lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

/* What a backslash and this letter stand for. */
static int
unescaped(char letter)
{
    switch (letter) {
    case '\0':
        return UNIT_BAD;
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case '0':
        return '\0';
    default:
        return lower((uint8_t)letter);
    }
}

/* Takes the next unit, case folded; stays at the end once it is reached. */
static int
next_unit(const char **at)
{
    char byte = **at;

    if (byte == '\0' || byte == '@')
        return UNIT_END;
    (*at)++;
    if (byte == '/')
        return UNIT_SEPARATOR;
    if (byte != '\\')
        return lower((uint8_t)byte);

    int unit = unescaped(**at);
    if (unit != UNIT_BAD)
        (*at)++;
    return unit;
}

static bool
same_name(const char *a, const char *b)
{
    for (;;) {
        int unit = next_unit(&a);

        if (unit != next_unit(&b) || unit == UNIT_BAD)
            return false;
        if (unit == UNIT_END)
            return true;
    }
}

/* Is it CLASS/ and something, with CLASS a plain text? */
static bool
has_class(const char *name, const char *service_class)
{
    int unit;

    do {
        unit = next_unit(&name);
        if (unit == UNIT_SEPARATOR)
            return *service_class == '\0' && next_unit(&name) < UNIT_SEPARATOR;
        if (*service_class == '\0')
            return false;
    } while (unit == lower((uint8_t)*service_class++));
    return false;
}

bool
spn_is_ours(const char *asked, const char *service_class,
            const char *const *names, size_t count)
{
    if (count == 0)
        return *service_class != '\0' && has_class(asked, service_class);
    for (size_t i = 0; i < count; i++) {
        if (*asked != '\0' && same_name(asked, names[i]))
            return true;
    }
    return false;
}

/* A name that is being composed; full stays set once it is. */
struct draft {
    char text[SPN_SIZE];
    size_t length;
    bool full;
};

static void
draft_put(struct draft *draft, char byte)
{
    if (draft->length + 1 >= sizeof draft->text)
        draft->full = true;
    else
        draft->text[draft->length++] = byte;
}

static void
draft_put_escaped(struct draft *draft, const char *part)
{
    for (; *part != '\0'; part++) {
        if (*part == '@' || *part == '\\')
            draft_put(draft, '\\');
        draft_put(draft, *part);
    }
}

static bool
part_is_sound(const char *what, const char *part, struct error *err)
{
    if (*part == '\0') {
        error_set(err, "cannot compose an SPN: the %s is empty", what);
        return false;
    }
    for (; *part != '\0'; part++) {
        uint8_t byte = (uint8_t)*part;

        if (byte == '/') {
            error_set(err, "cannot compose an SPN: the %s contains a slash",
                      what);
            return false;
        }
        if (byte < 0x20 || byte == 0x7f) {
            error_set(err,
                      "cannot compose an SPN: the %s contains a control "
                      "character",
                      what);
            return false;
        }
    }
    return true;
}

bool
spn_make(const char *service_class, const char *host, uint16_t port,
         const char *name, char spn[SPN_SIZE], struct error *err)
{
    struct draft draft = {.length = 0};
    char digits[sizeof ":65535"];

    if (!part_is_sound("service class", service_class, err) ||
        !part_is_sound("host", host, err) ||
        (name != NULL && !part_is_sound("service name", name, err)))
        return false;

    draft_put_escaped(&draft, service_class);
    draft_put(&draft, '/');
    draft_put_escaped(&draft, host);
    if (port != 0) {
        snprintf(digits, sizeof digits, ":%u", (unsigned)port);
        draft_put_escaped(&draft, digits);
    }
    if (name != NULL) {
        draft_put(&draft, '/');
        draft_put_escaped(&draft, name);
    }
    if (draft.full) {
        error_set(err, "cannot compose an SPN: it is longer than %d bytes",
                  SPN_SIZE - 1);
        return false;
    }
    memcpy(spn, draft.text, draft.length);
    spn[draft.length] = '\0';
    return true;
}

bool
spn_compose(enum spn_format format, const char *service_class, const char *host,
            uint16_t port, const char *dn, const struct guid *guid,
            char spn[SPN_SIZE], struct error *err)
{
    char text[GUID_TEXT_SIZE];

    switch (format) {
    case SPN_FORMAT_HOST:
        return spn_make(service_class, host, 0, NULL, spn, err);
    case SPN_FORMAT_PORT:
        return spn_make(service_class, host, port, NULL, spn, err);
    case SPN_FORMAT_SCP:
        if (strchr(dn, '/') != NULL) {
            error_set(err,
                      "cannot compose an SPN: the name of its SCP contains "
                      "a slash; use spn_format = guid");
            return false;
        }
        return spn_make(service_class, host, 0, dn, spn, err);
    case SPN_FORMAT_GUID:
        if (guid == NULL) {
            error_set(err, "cannot compose an SPN: its SCP has no objectGUID");
            return false;
        }
        guid_format(guid, text);
        return spn_make(service_class, host, 0, text, spn, err);
    }
    error_set(err, "cannot compose an SPN: unknown spn_format");
    return false;
}
