/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of the types, for the log.
 */
#include "wire/message.h"

#include <assert.h>
#include <stddef.h>

static_assert((int)HELLO_SIZE_MAX < (int)MESSAGE_RECORD_MIN &&
                  (int)RESET_SIZE_MAX < (int)MESSAGE_RECORD_MIN,
              "every receiver takes a HELLO and a RESET");

static const char *const names[] = {
    [MESSAGE_HELLO] = "hello", [MESSAGE_READY] = "ready",
    [MESSAGE_DATA] = "data",   [MESSAGE_EOF] = "eof",
    [MESSAGE_RESET] = "reset", [MESSAGE_PING] = "ping",
    [MESSAGE_PONG] = "pong",
};

const char *
message_name(uint8_t type)
{
    if (type >= sizeof names / sizeof names[0] || names[type] == NULL)
        return "unknown";
    return names[type];
}
