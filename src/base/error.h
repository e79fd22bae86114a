/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One failure: a sentence for a person.  It is written where the fact is
 * known, prefixed on the way up, and logged once.  Wording: lower case,
 * "cannot VERB OBJECT: reason", no function names, no full stop.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum {
    ERROR_TEXT_SIZE = 1024
};

struct error {
    char text[ERROR_TEXT_SIZE]; /* always terminated; cut, never overrun */
    const char *label; /* borrowed, for ever: its kind, to be counted by; NULL:
                          none in particular */
};

/* Replaces the sentence; it has no label then.  err may be NULL: then nothing
 * is recorded. */
void error_set(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Replaces the sentence by "FORMAT: strerror(number)". */
void error_set_errno(struct error *err, int number, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same sentence and label; err may be NULL. */
void error_copy(struct error *err, const struct error *from);

/* Says what kind it is; label outlives the process's last error. */
void error_label(struct error *err, const char *label);

/* Puts "FORMAT: " before the sentence that is there. */
void error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
