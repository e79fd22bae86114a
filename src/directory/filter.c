/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Search filters composed from values that may hold anything.  Every byte that
 * is not a letter, digit or one of a few harmless marks is written as \xx.
 */
#include "directory/filter.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes above 0x7f are written as they are only as hex: a filter is UTF-8, a
 * value need not be. */
static bool
is_plain(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr(" -._$@/,=:+", byte) != NULL);
}

size_t
filter_escape(const void *value, size_t length, char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = value;
    size_t needed = 0;

    for (size_t i = 0; i < length; i++) {
        size_t step = is_plain(bytes[i]) ? 1 : 3;
        if (needed + step < size) {
            char *at = out + needed;
            if (step == 1) {
                *at++ = (char)bytes[i];
            } else {
                *at++ = '\\';
                *at++ = digits[bytes[i] >> 4];
                *at++ = digits[bytes[i] & 0xf];
            }
            *at = '\0';
        }
        needed += step;
    }
    if (needed == 0 && size != 0)
        *out = '\0';
    return needed;
}

/* "(ATTRIBUTE=VALUE)" at the end of filter. */
static bool
put_equal(FILE *filter, const char *attribute, const void *value, size_t length)
{
    size_t size = filter_escape(value, length, NULL, 0) + 1;
    char *escaped = malloc(size);

    if (escaped == NULL)
        return false;
    filter_escape(value, length, escaped, size);
    fprintf(filter, "(%s=%s)", attribute, escaped);
    free(escaped);
    return true;
}

/* Closes the stream that wrote text: text when all went well, or NULL. */
static char *
finish(FILE *filter, char **text, bool sound, struct error *err)
{
    if (filter != NULL && fclose(filter) != 0)
        sound = false;
    if (filter != NULL && sound)
        return *text;
    free(*text);
    error_set(err, "cannot compose a search filter: out of memory");
    return NULL;
}

char *
filter_equal(const char *attribute, const void *value, size_t length,
             struct error *err)
{
    char *text = NULL;
    size_t size;
    FILE *filter = open_memstream(&text, &size);
    bool sound = filter != NULL && put_equal(filter, attribute, value, length);

    return finish(filter, &text, sound, err);
}

char *
filter_all(const char *object_class, const char *attribute, char *const *values,
           size_t count, struct error *err)
{
    char *text = NULL;
    size_t size;
    FILE *filter = open_memstream(&text, &size);
    bool sound = filter != NULL;

    if (sound) {
        fputs("(&", filter);
        sound = put_equal(filter, "objectClass", object_class,
                          strlen(object_class));
    }
    for (size_t i = 0; sound && i < count; i++)
        sound = put_equal(filter, attribute, values[i], strlen(values[i]));
    if (sound)
        fputc(')', filter);
    return finish(filter, &text, sound, err);
}
