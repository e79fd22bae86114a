/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes: made safe to print where they are made. */
#include "doctor/visit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* Names come from keytabs, directories and peers. */
static void
make_safe(char *text)
{
    size_t left = strlen(text), step;
    uint32_t point;

    for (; left > 0; text += step, left -= step) {
        step = utf8_decode(text, left, &point);
        if (step > 0 && !text_is_harmful(point))
            continue;
        step = step > 0 ? step : 1;
        memset(text, '?', step);
    }
}

static void
add_note(struct visit *visit, enum verdict verdict, const char *advice,
         const char *format, va_list args)
{
    if (visit->count == NOTES_MAX)
        return;
    struct note *note = &visit->notes[visit->count++];
    note->verdict = verdict;
    vsnprintf(note->text, sizeof note->text, format, args);
    snprintf(note->advice, sizeof note->advice, "%s",
             advice != NULL ? advice : "");
    make_safe(note->text);
    make_safe(note->advice);
}

void
visit_ok(struct visit *visit, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(visit, VERDICT_OK, NULL, format, args);
    va_end(args);
}

void
visit_warn(struct visit *visit, const char *advice, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(visit, VERDICT_WARN, advice, format, args);
    va_end(args);
}

void
visit_fail(struct visit *visit, const char *advice, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(visit, VERDICT_FAIL, advice, format, args);
    va_end(args);
}

void
visit_skip(struct visit *visit, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(visit, VERDICT_SKIP, NULL, format, args);
    va_end(args);
}
