/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sticky-error reader and its small counterpart.  cursor_take is the one
 * place that moves forward, and it never moves past the end.
 */
#include "wire/cursor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void
cursor_init(struct cursor *cursor, const uint8_t *bytes, size_t length)
{
    cursor->at = bytes;
    cursor->left = length;
    cursor->failed = false;
    cursor->fault.text[0] = '\0';
}

void
cursor_fail(struct cursor *cursor, const char *format, ...)
{
    va_list arguments;

    if (cursor->failed)
        return;
    cursor->failed = true;
    va_start(arguments, format);
    vsnprintf(cursor->fault.text, sizeof cursor->fault.text, format, arguments);
    va_end(arguments);
}

/* The next size bytes; NULL after a fault. */
static const uint8_t *
cursor_take(struct cursor *cursor, const char *field, size_t size)
{
    const uint8_t *bytes = cursor->at;

    if (cursor->left < size)
        cursor_fail(cursor, "the %s is cut short", field);
    if (cursor->failed)
        return NULL;
    cursor->at += size;
    cursor->left -= size;
    return bytes;
}

static uint64_t
cursor_number(struct cursor *cursor, const char *field, size_t size)
{
    const uint8_t *bytes = cursor_take(cursor, field, size);
    uint64_t value = 0;

    for (size_t i = 0; bytes != NULL && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t
cursor_u8(struct cursor *cursor, const char *field)
{
    return (uint8_t)cursor_number(cursor, field, 1);
}

uint16_t
cursor_u16(struct cursor *cursor, const char *field)
{
    return (uint16_t)cursor_number(cursor, field, 2);
}

uint32_t
cursor_u32(struct cursor *cursor, const char *field)
{
    return (uint32_t)cursor_number(cursor, field, 4);
}

uint64_t
cursor_u64(struct cursor *cursor, const char *field)
{
    return cursor_number(cursor, field, 8);
}

static bool
is_utf8(const uint8_t *bytes, size_t size)
{
    uint32_t character;

    while (size > 0) {
        size_t step = utf8_decode(bytes, size, &character);

        if (step == 0)
            return false;
        bytes += step;
        size -= step;
    }
    return true;
}

void
cursor_text(struct cursor *cursor, const char *field, char *text, size_t max)
{
    size_t size = cursor_u16(cursor, field);
    const uint8_t *bytes;

    text[0] = '\0';
    if (size > max)
        cursor_fail(cursor, "the %s is longer than %zu bytes", field, max);
    bytes = cursor_take(cursor, field, size);
    if (bytes == NULL || size == 0)
        return;
    if (memchr(bytes, '\0', size) != NULL)
        cursor_fail(cursor, "the %s contains a NUL byte", field);
    else if (!is_utf8(bytes, size))
        cursor_fail(cursor, "the %s is not valid UTF-8", field);
    if (cursor->failed)
        return;
    memcpy(text, bytes, size);
    text[size] = '\0';
}

void
cursor_expect(struct cursor *cursor, const char *field, const uint8_t *bytes,
              size_t size)
{
    const uint8_t *found = cursor_take(cursor, field, size);

    if (found != NULL && memcmp(found, bytes, size) != 0)
        cursor_fail(cursor, "the %s is wrong", field);
}

void
cursor_end(struct cursor *cursor)
{
    if (cursor->left > 0)
        cursor_fail(cursor, "something follows its end");
}

bool
cursor_done(const struct cursor *cursor, const char *message, struct error *err)
{
    if (cursor->failed)
        error_set(err, "cannot read the peer's %s: %s", message,
                  cursor->fault.text);
    return !cursor->failed;
}

uint8_t *
put_number(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
    return out + size;
}

uint8_t *
put_text(uint8_t *out, const char *text, size_t max)
{
    size_t size = strnlen(text, max);

    out = put_number(out, size, 2);
    memcpy(out, text, size);
    return out + size;
}
