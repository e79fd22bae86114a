/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of a message.  Reading off untrusted bytes goes by a cursor whose first
 * fault sticks: later takes yield zeros and empty texts, and the caller asks
 * once, at the end.  Writing cannot fail.  Private to src/wire.
 */
#ifndef WIRE_CURSOR_H
#define WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct cursor {
    const uint8_t *at; /* borrowed */
    size_t left;
    bool failed;
    struct error fault; /* once failed: "the FIELD is ..." */
};

void cursor_init(struct cursor *cursor, const uint8_t *bytes, size_t length);

/* Big-endian numbers.  field names them in the fault: "protection". */
uint8_t cursor_u8(struct cursor *cursor, const char *field);
uint16_t cursor_u16(struct cursor *cursor, const char *field);
uint32_t cursor_u32(struct cursor *cursor, const char *field);
uint64_t cursor_u64(struct cursor *cursor, const char *field);

/*
 * A length (2) and that many bytes of UTF-8 without NUL, at most max; text has
 * room for max + 1.
 */
void cursor_text(struct cursor *cursor, const char *field, char *text,
                 size_t max);

/* The next size bytes must be these. */
void cursor_expect(struct cursor *cursor, const char *field,
                   const uint8_t *bytes, size_t size);

/* Nothing may be left. */
void cursor_end(struct cursor *cursor);

/* Records the caller's own objection, unless there is one already. */
void cursor_fail(struct cursor *cursor, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* True without a fault; else the sentence: "cannot read the peer's MESSAGE:" and
 * the fault. */
MUST_CHECK bool cursor_done(const struct cursor *cursor, const char *message,
                            struct error *err);

/* Both return where the next field begins.  size: of the number, in bytes. */
uint8_t *put_number(uint8_t *out, uint64_t value, size_t size);
uint8_t *put_text(uint8_t *out, const char *text, size_t max);

#endif
