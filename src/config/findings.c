/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An array that is sorted when it is reported: the cross-checks come after the
 * last line was read, but what they find belongs among the rest.
 */
#include "config/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What is shown at once: FILE:LINE: sentence. */
enum {
    SHOWN_SIZE = 2 * ERROR_TEXT_SIZE
};

static bool
make_room(struct findings *findings)
{
    if (findings->count < findings->room)
        return true;
    size_t room = findings->room == 0 ? 8 : 2 * findings->room;
    struct finding *items = realloc(findings->items,
                                    room * sizeof findings->items[0]);
    if (items == NULL)
        return false;
    findings->items = items;
    findings->room = room;
    return true;
}

bool
findings_add(struct findings *findings, enum severity severity, unsigned line,
             const char *format, ...)
{
    char *sentence;
    va_list args;

    if (findings->errors >= FINDINGS_MAX)
        return false;
    va_start(args, format);
    int length = vasprintf(&sentence, format, args);
    va_end(args);
    if (length < 0)
        sentence = NULL;
    if (sentence == NULL || !make_room(findings)) {
        free(sentence);
        findings->exhausted = true;
        return false;
    }
    findings->items[findings->count] = (struct finding){
        .line = line,
        .number = findings->count,
        .severity = severity,
        .sentence = sentence,
    };
    findings->count++;
    if (severity != SEVERITY_WARNING)
        findings->errors++;
    return findings->errors < FINDINGS_MAX;
}

static int
by_line(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

/* A failure to read speaks of the file by itself. */
static void
report_one(const struct finding *finding, const char *path,
           config_report *report, void *arg)
{
    char text[SHOWN_SIZE];
    const char *kind = finding->severity == SEVERITY_WARNING ? "warning: " : "";

    if (finding->severity == SEVERITY_FAILURE)
        snprintf(text, sizeof text, "%s", finding->sentence);
    else if (finding->line == 0)
        snprintf(text, sizeof text, "%s: %s%s", path, kind, finding->sentence);
    else
        snprintf(text, sizeof text, "%s:%u: %s%s", path, finding->line, kind,
                 finding->sentence);
    report(finding->severity, text, arg);
}

void
findings_report(struct findings *findings, const char *path,
                config_report *report, void *arg)
{
    char text[SHOWN_SIZE];

    if (findings->count > 0)
        qsort(findings->items, findings->count, sizeof findings->items[0],
              by_line);
    for (size_t i = 0; i < findings->count; i++)
        report_one(&findings->items[i], path, report, arg);
    if (findings->exhausted) {
        snprintf(text, sizeof text, "cannot check %s: out of memory", path);
        report(SEVERITY_FAILURE, text, arg);
    } else if (findings->errors >= FINDINGS_MAX) {
        snprintf(text, sizeof text, "%s: only the first %d errors are shown",
                 path, FINDINGS_MAX);
        report(SEVERITY_ERROR, text, arg);
    }
}

void
findings_clear(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free(findings->items[i].sentence);
    free(findings->items);
    *findings = (struct findings){0};
}

struct shown
finding_show(const char *text)
{
    struct shown shown = {0};

    text_sanitize(text, strlen(text), shown.text, sizeof shown.text);
    return shown;
}
