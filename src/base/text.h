/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small texts: durations, sizes, globs, the nearest known word, and making a
 * stranger's bytes safe to print.  Pure functions, no allocation.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/utf8.h"

/* A duration that is switched off; timer_start takes it as never. */
#define DURATION_OFF UINT64_MAX

/*
 * "500ms", "10s", "5m", "2h", "off" to milliseconds (off: DURATION_OFF).  A
 * bare number, a negative one and one over 10 years are refused.
 */
MUST_CHECK bool duration_parse(const char *text, uint64_t *ms_out,
                               struct error *err);

/* The shortest text that duration_parse takes back to the same value. */
void duration_format(uint64_t ms, char *text, size_t size);

/* "512", "64k", "4m", "1g" (powers of 1024) to bytes, at most 1 TiB. */
MUST_CHECK bool size_parse(const char *text, uint64_t *bytes_out,
                           struct error *err);
void size_format(uint64_t bytes, char *text, size_t size);

/* Decimal, within [low, high]; the whole text must be digits. */
MUST_CHECK bool number_parse(const char *text, uint64_t low, uint64_t high,
                             uint64_t *value_out, struct error *err);

/*
 * Does text match pattern, in which each '*' stands for any run of bytes that
 * are not in stop ("" for none)?  Everything else is itself.  The product of
 * both lengths at worst; never recursive.
 */
bool glob_match(const char *pattern, const char *text, const char *stop);

/*
 * The word of words[count] nearest to text by edit distance (a swap of
 * neighbours is one edit, case is ignored), the first of equals; NULL when none
 * is near enough to be a likely misspelling: at most a third of its length, and
 * one edit is always near.
 */
const char *nearest_word(const char *text, const char *const *words,
                         size_t count);

/* Can the character move a cursor, end a line or turn the reading direction? */
bool text_is_harmful(uint32_t point);

/*
 * Copies length bytes so that they are safe in a log or on a terminal: control
 * and direction characters, double quotes, backslashes and bytes that are not
 * UTF-8 become \xHH.  At most size - 1 bytes; a cut is marked with "...".
 * Returns out.
 */
char *text_sanitize(const void *bytes, size_t length, char *out, size_t size);

/*
 * Writes length bytes as the inside of a JSON string (RFC 8259 section 7;
 * invalid UTF-8 becomes U+FFFD, what text_sanitize hides is escaped).  Returns
 * the bytes needed without terminator; what does not fit in size is left out
 * from the first character that does not, terminated like snprintf.
 */
size_t text_json_escape(const void *bytes, size_t length, char *out,
                        size_t size);

#endif
