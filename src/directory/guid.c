/* SPDX-License-Identifier: BSD-2-Clause */
/* GUIDs between their octets and their dashed text. */
#include "directory/guid.h"

#include <string.h>

#include "directory/ascii.h"

/* The octets in the order in which the text shows them. */
static const uint8_t shown_order[GUID_SIZE] = {3, 2, 1,  0,  5,  4,  7,  6,
                                               8, 9, 10, 11, 12, 13, 14, 15};

/* Is there a dash in front of the n-th shown octet? */
static bool
dash_before(size_t n)
{
    return n == 4 || n == 6 || n == 8 || n == 10;
}

bool
guid_parse(const char *text, struct guid *guid_out)
{
    struct guid guid;
    bool braced = *text == '{';

    if (braced)
        text++;
    for (size_t i = 0; i < GUID_SIZE; i++) {
        if (dash_before(i) && *text++ != '-')
            return false;
        int high = ascii_hex_value(text[0]);
        int low = high < 0 ? -1 : ascii_hex_value(text[1]);
        if (low < 0)
            return false;
        guid.octets[shown_order[i]] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (braced && *text++ != '}')
        return false;
    if (*text != '\0')
        return false;
    *guid_out = guid;
    return true;
}

void
guid_format(const struct guid *guid, char text[GUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < GUID_SIZE; i++) {
        uint8_t octet = guid->octets[shown_order[i]];
        if (dash_before(i))
            *text++ = '-';
        *text++ = digits[octet >> 4];
        *text++ = digits[octet & 0xf];
    }
    *text = '\0';
}

bool
guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a->octets, b->octets, GUID_SIZE) == 0;
}
