/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Durations, sizes, numbers, globs and misspellings.  Every parser takes the
 * whole text or refuses it, and never wraps around.
 */
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How much of a refused text an error shows. */
enum {
    SHOWN_SIZE = 48
};

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first: the first that divides a value gives its shortest text. */
static const struct unit duration_units[] = {
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};
static const struct unit size_units[] = {
    {"g", 1 << 30},
    {"m", 1 << 20},
    {"k", 1 << 10},
    {"", 1},
};
enum {
    UNIT_COUNT = 4
};

static const uint64_t duration_max = UINT64_C(10) * 365 * 24 * 3600000;
static const uint64_t size_max = UINT64_C(1) << 40;

/* Reads leading digits; false when there are none or too many.  cursor_out is
 * where they end. */
static bool
take_digits(const char *text, const char **cursor_out, uint64_t *value_out)
{
    uint64_t value = 0;
    const char *cursor = text;

    for (; *cursor >= '0' && *cursor <= '9'; cursor++) {
        unsigned digit = (unsigned)(*cursor - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *cursor_out = cursor;
    *value_out = value;
    return cursor != text;
}

enum scaled {
    SCALED_OK,
    SCALED_MALFORMED,
    SCALED_TOO_LARGE,
};

static enum scaled
parse_scaled(const char *text, const struct unit *units, uint64_t max,
             uint64_t *value_out)
{
    const char *suffix;
    uint64_t count;

    if (!take_digits(text, &suffix, &count))
        return SCALED_MALFORMED;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strcmp(suffix, units[i].name) != 0)
            continue;
        if (count > max / units[i].factor)
            return SCALED_TOO_LARGE;
        *value_out = count * units[i].factor;
        return SCALED_OK;
    }
    return SCALED_MALFORMED;
}

static void
format_scaled(uint64_t value, const struct unit *units, char *text, size_t size)
{
    size_t i = 0;

    while (value % units[i].factor != 0)
        i++;
    snprintf(text, size, "%" PRIu64 "%s", value / units[i].factor,
             units[i].name);
}

static void
refuse(struct error *err, const char *text, const char *as, const char *reason)
{
    char shown[SHOWN_SIZE];

    text_sanitize(text, strlen(text), shown, sizeof shown);
    error_set(err, "cannot read \"%s\" as %s: %s", shown, as, reason);
}

bool
duration_parse(const char *text, uint64_t *ms_out, struct error *err)
{
    if (strcmp(text, "off") == 0) {
        *ms_out = DURATION_OFF;
        return true;
    }
    switch (parse_scaled(text, duration_units, duration_max, ms_out)) {
    case SCALED_OK:
        return true;
    case SCALED_TOO_LARGE:
        refuse(err, text, "a duration", "it is over 10 years");
        return false;
    case SCALED_MALFORMED:
    default:
        refuse(err, text, "a duration",
               "write a number with ms, s, m or h, as 10s, or off");
        return false;
    }
}

void
duration_format(uint64_t ms, char *text, size_t size)
{
    if (ms == DURATION_OFF)
        snprintf(text, size, "off");
    else if (ms == 0)
        snprintf(text, size, "0s");
    else
        format_scaled(ms, duration_units, text, size);
}

bool
size_parse(const char *text, uint64_t *bytes_out, struct error *err)
{
    switch (parse_scaled(text, size_units, size_max, bytes_out)) {
    case SCALED_OK:
        return true;
    case SCALED_TOO_LARGE:
        refuse(err, text, "a size", "it is over 1024g");
        return false;
    case SCALED_MALFORMED:
    default:
        refuse(err, text, "a size",
               "write a number of bytes, or with k, m or g, as 64k");
        return false;
    }
}

void
size_format(uint64_t bytes, char *text, size_t size)
{
    if (bytes == 0)
        snprintf(text, size, "0");
    else
        format_scaled(bytes, size_units, text, size);
}

bool
number_parse(const char *text, uint64_t low, uint64_t high, uint64_t *value_out,
             struct error *err)
{
    char range[80];
    const char *end;
    uint64_t value;

    snprintf(range, sizeof range,
             "it must be from %" PRIu64 " to %" PRIu64 ", in digits only", low,
             high);
    if (!take_digits(text, &end, &value) || *end != '\0' || value < low ||
        value > high) {
        refuse(err, text, "a number", range);
        return false;
    }
    *value_out = value;
    return true;
}

/*
 * Only the last star is ever reconsidered: what an earlier one could reach by
 * taking more, the later one can reach as well, unless a stop byte lies
 * between, and no star passes that.
 */
bool
glob_match(const char *pattern, const char *text, const char *stop)
{
    const char *star = NULL;
    const char *resume = NULL;

    while (*text != '\0' || *pattern != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*text != '\0' && *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL && *resume != '\0' &&
                   strchr(stop, *resume) == NULL) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    return true;
}

/* No key is nearly as long; a longer text is no misspelling of one. */
enum {
    WORD_MAX = 63
};

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool
same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Insertions, deletions, replacements and swaps of neighbours that turn a into
 * b (the restricted Damerau-Levenshtein distance), ignoring case.
 */
static size_t
edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = least(least(above[j], row[j - 1]) + 1,
                           above[j - 1] + cost);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

const char *
nearest_word(const char *text, const char *const *words, size_t count)
{
    size_t length = strlen(text);
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;

    if (length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t word_length = strlen(words[i]);
        if (word_length > WORD_MAX)
            continue;
        size_t distance = edit_distance(text, length, words[i], word_length);
        size_t allowed = word_length < 3 ? 1 : word_length / 3;
        if (distance <= allowed && distance < nearest_distance) {
            nearest = words[i];
            nearest_distance = distance;
        }
    }
    return nearest;
}
