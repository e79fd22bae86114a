/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A row tells the size of a sequence by its first byte, and which code points
 * that size may carry: this rules out the long forms of RFC 3629 section 3.
 */
#include "base/utf8.h"

/* clang-format off */
static const struct {
    uint8_t mask, lead;
    uint8_t size;
    uint32_t low, high;
} rows[] = {
    {0x80, 0x00, 1, 0x0,     0x7f},
    {0xe0, 0xc0, 2, 0x80,    0x7ff},
    {0xf0, 0xe0, 3, 0x800,   0xffff},
    {0xf8, 0xf0, 4, 0x10000, 0x10ffff},
};
/* clang-format on */

size_t
utf8_decode(const void *bytes, size_t length, uint32_t *point_out)
{
    const uint8_t *in = bytes;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (length < rows[i].size || (in[0] & rows[i].mask) != rows[i].lead)
            continue;
        uint32_t point = in[0] & (uint8_t)~rows[i].mask;
        for (size_t j = 1; j < rows[i].size; j++) {
            if ((in[j] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (in[j] & 0x3f);
        }
        if (point < rows[i].low || point > rows[i].high ||
            (point >= 0xd800 && point <= 0xdfff))
            return 0;
        *point_out = point;
        return rows[i].size;
    }
    return 0;
}
