/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: events with fields, the same in text and JSON.  A writer thread
 * owns the target; log_event only queues and never blocks: what does not fit
 * is counted and reported as "dropped" when there is room again.  Of events
 * that strangers can cause at will a burst of 50 lines is written, then 10 a
 * second; the rest is reported as "suppressed".
 *
 * The events are the table in log_events.h, which docs/kerbwrap.8 documents
 * and a test compares.  Before log_open, lines go straight to standard error.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log_events.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
};

struct log_target;

struct log_settings {
    enum log_level level;
    enum log_format format;
    const char *target; /* "stderr", "syslog" or "file:PATH" */
};

enum log_field_type {
    LOG_FIELD_END,
    LOG_FIELD_TEXT,
    LOG_FIELD_NUMBER,
    LOG_FIELD_MS,
};

struct log_field {
    const char *key;
    enum log_field_type type;
    const char *text; /* any bytes; made safe by the log. NULL: left out */
    uint64_t number;
};

/* clang-format off */
#define LOG_TEXT(key, value)   {(key), LOG_FIELD_TEXT, (value), 0}
#define LOG_NUMBER(key, value) {(key), LOG_FIELD_NUMBER, NULL, (uint64_t)(value)}
/* Shown in seconds with three decimals. */
#define LOG_MS(key, value)     {(key), LOG_FIELD_MS, NULL, (uint64_t)(value)}
/* clang-format on */

/*
 * One line.  Text: "2026-11-22T21:15:11.123Z info up service=db id=17 ...",
 * values quoted when they hold a blank, quote or '='.  JSON: one object with
 * "time", "level", "event" and the fields.
 */
#define log_event(event, ...)                                                  \
    log_event_fields(                                                          \
        (event), (const struct log_field[]){__VA_ARGS__,                       \
                                            {NULL, LOG_FIELD_END, NULL, 0}})
void log_event_fields(enum log_event event, const struct log_field *fields);

/* Is anything at this event's level written?  To skip costly arguments. */
bool log_enabled(enum log_event event);

/*
 * Opens the target and starts the writer.  Called once, from main, before any
 * other thread; copies settings.
 */
MUST_CHECK bool log_open(const struct log_settings *settings,
                         struct error *err);

/* Level and format from now on (reload); any thread. */
void log_adjust(enum log_level level, enum log_format format);

/*
 * Another target, in two steps: opened, which may fail; then for the writer to
 * take, soon (main's alone), or to be discarded (NULL is fine).
 */
MUST_CHECK struct log_target *log_prepare(const char *target,
                                          struct error *err);
void log_take(struct log_target *prepared);
void log_discard(struct log_target *prepared);

/* file: opens PATH anew (after rotation), by the writer, soon; any thread. */
void log_reopen(void);

/* Lets the writer finish for at most wait_ms, then closes: what is logged later
 * goes to standard error, or nowhere if the writer is stuck. */
void log_close(unsigned wait_ms);

/* Lines that were dropped, for want of room or by a target that failed. */
uint64_t log_dropped(void);

#endif
