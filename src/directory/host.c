/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names and ports as strangers write them.  Nothing is looked up, and what
 * is not plainly a name or a number is refused.
 */
#include "directory/host.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "directory/ascii.h"

enum {
    LABEL_MAX = 63
};

static bool
is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool
is_label_byte(char byte)
{
    return (ascii_lower(byte) >= 'a' && ascii_lower(byte) <= 'z') ||
           is_digit(byte) || byte == '-' || byte == '_';
}

bool
host_is_valid(const char *text)
{
    size_t label = 0;
    bool numeric = true;

    if (strnlen(text, HOST_SIZE) == HOST_SIZE)
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        if (!is_label_byte(*text) || ++label > LABEL_MAX)
            return false;
        if (!is_digit(*text))
            numeric = false;
    }
    return label != 0 && !numeric;
}

bool
host_equal(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool
host_matches(const char *pattern, const char *host)
{
    char low_pattern[HOST_SIZE];
    char low_host[HOST_SIZE];

    if (strnlen(pattern, HOST_SIZE) == HOST_SIZE ||
        strnlen(host, HOST_SIZE) == HOST_SIZE)
        return false;
    for (size_t i = 0; i < HOST_SIZE; i++) {
        low_pattern[i] = ascii_lower(pattern[i]);
        if (pattern[i] == '\0')
            break;
    }
    for (size_t i = 0; i < HOST_SIZE; i++) {
        low_host[i] = ascii_lower(host[i]);
        if (host[i] == '\0')
            break;
    }
    return glob_match(low_pattern, low_host, "");
}

bool
port_parse(const char *bytes, size_t length, uint16_t *port_out,
           struct error *err)
{
    unsigned port = 0;
    char shown[64];

    for (size_t i = 0; i < length; i++) {
        if (!is_digit(bytes[i]) || port > UINT16_MAX) {
            port = 0;
            break;
        }
        port = port * 10 + (unsigned)(bytes[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX) {
        error_set(err, "'%s' is not a port from 1 to 65535",
                  text_sanitize(bytes, length, shown, sizeof shown));
        return false;
    }
    *port_out = (uint16_t)port;
    return true;
}
