/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages inside the tokens, docs/protocol.md section 4: one type byte and
 * a body.  Two have an inside: hello.h and reset.h.  Pure: bytes in, bytes out.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdint.h>

#include "wire/hello.h"
#include "wire/reset.h"

enum message_type {
    MESSAGE_HELLO = 1,
    MESSAGE_READY = 2,
    MESSAGE_DATA = 3,
    MESSAGE_EOF = 4,
    MESSAGE_RESET = 5,
    MESSAGE_PING = 6,
    MESSAGE_PONG = 7,
};

enum {
    PROTOCOL_VERSION = 1,
    /* A receiver must take plaintexts of at least this much. */
    MESSAGE_RECORD_MIN = 4096,
};

/* "hello" ... "pong"; "unknown" for any other byte. */
const char *message_name(uint8_t type);

#endif
