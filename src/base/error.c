/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences in a fixed buffer: nothing here allocates or fails.  The old text
 * may be an argument of the new one, so each is composed beside it first.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Sets err to HEAD: TAIL, or to HEAD alone when tail is NULL. */
static void compose(struct error *err, const char *tail, const char *format,
                    va_list args) __attribute__((format(printf, 3, 0)));

static void
compose(struct error *err, const char *tail, const char *format, va_list args)
{
    char text[ERROR_TEXT_SIZE];
    int length = vsnprintf(text, sizeof text, format, args);

    if (length < 0)
        text[0] = '\0';
    else if (tail != NULL && (size_t)length < sizeof text)
        snprintf(text + length, sizeof text - (size_t)length, ": %s", tail);
    memcpy(err->text, text, sizeof text);
}

void
error_set(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    compose(err, NULL, format, args);
    va_end(args);
    err->label = NULL;
}

void
error_set_errno(struct error *err, int number, const char *format, ...)
{
    if (err == NULL)
        return;
    char buffer[128];
    const char *reason = strerror_r(number, buffer, sizeof buffer);
    va_list args;
    va_start(args, format);
    compose(err, reason, format, args);
    va_end(args);
    err->label = NULL;
}

void
error_prefix(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    compose(err, err->text, format, args);
    va_end(args);
}

void
error_label(struct error *err, const char *label)
{
    if (err != NULL)
        err->label = label;
}

void
error_copy(struct error *err, const struct error *from)
{
    if (err != NULL)
        *err = *from;
}
