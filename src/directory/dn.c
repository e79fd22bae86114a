/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distinguished names, RFC 4514 section 3, read strictly: the looser forms of
 * older RFCs (quoted values, ';') are refused rather than understood in a way
 * that a server might not.  One byte of text becomes at most three.
 */
#include "directory/dn.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/ascii.h"
#include "directory/entry.h"

enum {
    RDN_PARTS_MAX = 16
};

static const char hex_digits[] = "0123456789abcdef";

/* Between the text that is read and the canonical form that is written. */
struct rewrite {
    const char *in;
    char *out;
};

static bool
is_letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* Is it the end of a value: of an RDN's part, of an RDN, of the name? */
static bool
is_end(char byte)
{
    return byte == '\0' || byte == ',' || byte == '+';
}

static void
skip_blanks(struct rewrite *dn)
{
    while (*dn->in == ' ')
        dn->in++;
}

static void
put_value_byte(struct rewrite *dn, uint8_t byte)
{
    if (is_letter_or_digit((char)byte) || byte >= 0x80 ||
        (byte != '\0' && strchr("-._ $@/", byte) != NULL)) {
        *dn->out++ = ascii_lower((char)byte);
        return;
    }
    *dn->out++ = '\\';
    *dn->out++ = hex_digits[byte >> 4];
    *dn->out++ = hex_digits[byte & 0xf];
}

static bool
rewrite_type(struct rewrite *dn)
{
    const char *start = dn->in;

    while (is_letter_or_digit(*dn->in) || *dn->in == '-' || *dn->in == '.') {
        *dn->out++ = ascii_lower(*dn->in++);
    }
    bool found = dn->in != start;
    skip_blanks(dn);
    if (!found || *dn->in++ != '=')
        return false;
    *dn->out++ = '=';
    skip_blanks(dn);
    return true;
}

/* '#' and the octets of the value's encoding. */
static bool
rewrite_hex(struct rewrite *dn)
{
    *dn->out++ = *dn->in++;
    const char *start = dn->in;
    while (ascii_hex_value(dn->in[0]) >= 0 && ascii_hex_value(dn->in[1]) >= 0) {
        *dn->out++ = ascii_lower(*dn->in++);
        *dn->out++ = ascii_lower(*dn->in++);
    }
    bool found = dn->in != start;
    skip_blanks(dn);
    return found && is_end(*dn->in);
}

/* The byte behind a backslash: itself, or two digits. */
static bool
rewrite_escape(struct rewrite *dn)
{
    int high = ascii_hex_value(dn->in[0]);
    int low = high < 0 ? -1 : ascii_hex_value(dn->in[1]);

    if (low >= 0) {
        put_value_byte(dn, (uint8_t)(high << 4 | low));
        dn->in += 2;
        return true;
    }
    if (*dn->in == '\0' || strchr(" \"#+,;<=>\\", *dn->in) == NULL)
        return false;
    put_value_byte(dn, (uint8_t)*dn->in++);
    return true;
}

static bool
rewrite_text(struct rewrite *dn)
{
    char *solid = dn->out; /* behind the last byte that is not a bare blank */

    while (!is_end(*dn->in)) {
        char byte = *dn->in++;
        if (byte == '\\') {
            if (!rewrite_escape(dn))
                return false;
        } else if ((uint8_t)byte < ' ' || strchr("\";<>", byte) != NULL) {
            return false;
        } else {
            put_value_byte(dn, (uint8_t)byte);
        }
        if (byte != ' ')
            solid = dn->out;
    }
    dn->out = solid;
    return true;
}

static int
compare_parts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the count parts of the RDN that begins at start. */
static bool
sort_parts(struct rewrite *dn, char *start, size_t count)
{
    char *parts[RDN_PARTS_MAX];
    size_t length = (size_t)(dn->out - start);
    char *copy = strndup(start, length);

    if (copy == NULL)
        return false;
    char *rest = copy;
    for (size_t i = 0; i < count; i++)
        parts[i] = strsep(&rest, "+");
    qsort(parts, count, sizeof parts[0], compare_parts);
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            *start++ = '+';
        start = stpcpy(start, parts[i]);
    }
    free(copy);
    return true;
}

static bool
rewrite_rdn(struct rewrite *dn)
{
    char *start = dn->out;

    for (size_t parts = 1;; parts++) {
        skip_blanks(dn);
        if (parts > RDN_PARTS_MAX || !rewrite_type(dn) ||
            !(*dn->in == '#' ? rewrite_hex(dn) : rewrite_text(dn)))
            return false;
        if (*dn->in != '+')
            return parts == 1 || sort_parts(dn, start, parts);
        *dn->out++ = *dn->in++;
    }
}

char *
dn_canonical(const char *text, struct error *err)
{
    size_t length = strnlen(text, ENTRY_DN_MAX + 1);
    char *canonical = malloc(3 * length + 1);
    struct rewrite dn = {.in = text, .out = canonical};
    char shown[160];

    if (canonical == NULL) {
        error_set(err, "cannot read a distinguished name: out of memory");
        return NULL;
    }
    bool sound = length <= ENTRY_DN_MAX && rewrite_rdn(&dn);
    while (sound && *dn.in == ',') {
        *dn.out++ = *dn.in++;
        sound = rewrite_rdn(&dn);
    }
    if (sound) {
        *dn.out = '\0';
        return canonical;
    }
    error_set(err, "'%s' is not a distinguished name",
              text_sanitize(text, length, shown, sizeof shown));
    free(canonical);
    return NULL;
}

const char *
dn_parent(const char *canonical)
{
    const char *comma = strchr(canonical, ',');

    return comma == NULL ? NULL : comma + 1;
}

bool
dn_is_below(const char *canonical, const char *ancestor)
{
    size_t length = strlen(canonical);
    size_t tail = strlen(ancestor);

    return tail != 0 && length > tail + 1 &&
           canonical[length - tail - 1] == ',' &&
           strcmp(canonical + length - tail, ancestor) == 0;
}

const char *
dn_parent_text(const char *text)
{
    for (; *text != '\0' && *text != ','; text++) {
        if (*text == '\\' && text[1] != '\0')
            text++;
    }
    return *text == '\0' ? NULL : text + 1 + strspn(text + 1, " ");
}

bool
dn_domain(const char *canonical, char *domain, size_t size)
{
    size_t length = 0;

    for (const char *rdn = canonical; rdn != NULL; rdn = dn_parent(rdn)) {
        size_t rdn_length = strcspn(rdn, ",");
        if (strncmp(rdn, "dc=", 3) != 0 ||
            memchr(rdn, '+', rdn_length) != NULL) {
            length = 0;
            continue;
        }
        int written = snprintf(domain + length, size - length, "%s%.*s",
                               length == 0 ? "" : ".", (int)rdn_length - 3,
                               rdn + 3);
        if (written < 0 || (size_t)written >= size - length)
            return false;
        length += (size_t)written;
    }
    return length != 0 && strchr(domain, '\\') == NULL;
}

bool
dn_of_domain(const char *domain, char *dn, size_t size)
{
    size_t length = 0;

    while (*domain != '\0') {
        size_t label = strcspn(domain, ".");
        int written = snprintf(dn + length, size - length, "%sDC=%.*s",
                               length == 0 ? "" : ",", (int)label, domain);
        if (label == 0 || written < 0 || (size_t)written >= size - length)
            return false;
        length += (size_t)written;
        domain += label;
        if (*domain == '.')
            domain++;
    }
    return length != 0;
}

size_t
dn_escape(const void *value, size_t length, char *out, size_t size)
{
    const uint8_t *bytes = value;
    size_t needed = 0;

    for (size_t i = 0; i < length; i++) {
        bool at_edge = i == 0 || i + 1 == length;
        bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7f &&
                     strchr("\"+,;<=>\\", bytes[i]) == NULL &&
                     !(at_edge && bytes[i] == ' ') &&
                     !(i == 0 && bytes[i] == '#');
        char shown[4] = {(char)bytes[i]};
        if (!plain)
            snprintf(shown, sizeof shown, "\\%02x", bytes[i]);
        size_t step = strlen(shown);
        if (needed + step < size)
            memcpy(out + needed, shown, step + 1);
        needed += step;
    }
    if (needed == 0 && size != 0)
        *out = '\0';
    return needed;
}
