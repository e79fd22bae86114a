/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above
 * U+10FFFF.  Pure.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The size of the character that bytes begin with, 1 to 4, and its code point;
 * 0 when they begin with none or length is 0.
 */
size_t utf8_decode(const void *bytes, size_t length, uint32_t *point_out);

#endif
