/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters and digits of ASCII, whatever the locale.  Private to this room. */
#ifndef DIRECTORY_ASCII_H
#define DIRECTORY_ASCII_H

static inline char
ascii_lower(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte - 'A' + 'a');
    return byte;
}

/* Of one hexadecimal digit; -1 for anything else. */
static inline int
ascii_hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = ascii_lower(digit);
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

#endif
