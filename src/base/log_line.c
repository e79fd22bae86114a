/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of text (logfmt) and of JSON.  Whatever the values hold, a line is one
 * line, and JSON is valid.
 */
#include "base/log_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct row {
    const char *name;
    enum log_level level;
};

#define LOG_EVENT_ROW(symbol, name, level, fields)                             \
    [EVENT_##symbol] = {name, LOG_LEVEL_##level},
static const struct row rows[] = {LOG_EVENTS(LOG_EVENT_ROW)};
#undef LOG_EVENT_ROW

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

enum {
    ENDING_SIZE = sizeof "}\n"
};

enum log_level
log_event_level(enum log_event event)
{
    return rows[event].level;
}

const char *
log_event_name(enum log_event event)
{
    return rows[event].name;
}

static void append(struct log_line *line, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Whole or not at all, with room left for the ending. */
static void
append(struct log_line *line, const char *format, ...)
{
    size_t room = sizeof line->text - ENDING_SIZE - line->length;
    va_list args;

    va_start(args, format);
    int length = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (length > 0 && (size_t)length < room)
        line->length += (size_t)length;
}

static void
append_time(struct log_line *line, const struct timespec *now)
{
    struct tm parts;

    gmtime_r(&now->tv_sec, &parts);
    append(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
           parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
           parts.tm_sec, (int)(now->tv_nsec / 1000000));
}

static void
append_text_value(struct log_line *line, const struct log_field *field)
{
    char value[LOG_VALUE_SIZE];
    const char *quote = *field->text == '\0' ||
                                strpbrk(field->text, " =\"") != NULL
                            ? "\""
                            : "";

    text_sanitize(field->text, strlen(field->text), value, sizeof value);
    append(line, " %s=%s%s%s", field->key, quote, value, quote);
}

static void
append_json_value(struct log_line *line, const struct log_field *field)
{
    char value[LOG_VALUE_SIZE];
    size_t needed = text_json_escape(field->text, strlen(field->text), value,
                                     sizeof value);

    append(line, ",\"%s\":\"%s%s\"", field->key, value,
           needed >= sizeof value ? "..." : "");
}

static void
append_field(struct log_line *line, bool json, const struct log_field *field)
{
    char key[64];

    switch (field->type) {
    case LOG_FIELD_TEXT:
        if (field->text == NULL)
            break;
        if (json)
            append_json_value(line, field);
        else
            append_text_value(line, field);
        break;
    case LOG_FIELD_NUMBER:
    case LOG_FIELD_MS:
        snprintf(key, sizeof key, json ? ",\"%s\":" : " %s=", field->key);
        if (field->type == LOG_FIELD_NUMBER)
            append(line, "%s%" PRIu64, key, field->number);
        else
            append(line, "%s%" PRIu64 ".%03u", key, field->number / 1000,
                   (unsigned)(field->number % 1000));
        break;
    case LOG_FIELD_END:
    default:
        break;
    }
}

void
log_line_format(struct log_line *line, enum log_format format,
                enum log_event event, const struct log_field *fields,
                const struct timespec *now)
{
    const struct row *row = &rows[event];
    bool json = format == LOG_FORMAT_JSON;

    line->level = row->level;
    line->length = 0;
    line->body = 0;
    if (json)
        append(line, "{\"time\":\"");
    append_time(line, now);
    if (json)
        append(line, "\",\"level\":\"%s\",\"event\":\"%s\"",
               level_names[row->level], row->name);
    else
        append(line, " %s ", level_names[row->level]);
    if (!json) {
        line->body = line->length;
        append(line, "%s", row->name);
    }
    for (; fields->type != LOG_FIELD_END; fields++)
        append_field(line, json, fields);
    line->length += (size_t)snprintf(line->text + line->length, ENDING_SIZE,
                                     "%s\n", json ? "}" : "");
}
