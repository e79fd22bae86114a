/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HELLO to bytes and back.  Encoding cannot fail: the structure holds no more
 * than the wire allows.  Parsing trusts nothing, and leaves its result alone
 * unless all of it is sound.
 */
#include "wire/hello.h"

#include <assert.h>
#include <string.h>

#include "wire/cursor.h"
#include "wire/message.h"

enum {
    FIXED_SIZE = 1 + 4 + 1 + 1 + 1 + 1 + 4 + 4 + 8,
};

static_assert(FIXED_SIZE + 3 * 2 + MESSAGE_TARGET_MAX + MESSAGE_LABEL_MAX +
                      MESSAGE_AGENT_MAX <=
                  HELLO_SIZE_MAX,
              "the largest HELLO fits");

static const uint8_t magic[4] = {'K', 'W', 'R', 'P'};

size_t
hello_encode(const struct hello *hello, uint8_t *out)
{
    uint8_t *at = out;

    *at++ = MESSAGE_HELLO;
    memcpy(at, magic, sizeof magic);
    at += sizeof magic;
    *at++ = hello->version_low;
    *at++ = hello->version_high;
    *at++ = (uint8_t)hello->protection;
    *at++ = 0;
    at = put_number(at, hello->capabilities, 4);
    at = put_number(at, hello->max_plaintext, 4);
    at = put_number(at, hello->connection_id, 8);
    at = put_text(at, hello->target, MESSAGE_TARGET_MAX);
    at = put_text(at, hello->label, MESSAGE_LABEL_MAX);
    at = put_text(at, hello->agent, MESSAGE_AGENT_MAX);
    return (size_t)(at - out);
}

/* What each field allows by itself; whether the two sides agree is for the
 * handshake to see. */
static void
check_fields(struct cursor *cursor, const struct hello *hello)
{
    if (hello->version_low > hello->version_high)
        cursor_fail(cursor, "its versions %u to %u are no range",
                    hello->version_low, hello->version_high);
    if (hello->protection != PROTECTION_SIGN &&
        hello->protection != PROTECTION_SEAL)
        cursor_fail(cursor, "protection %u is unknown",
                    (unsigned)hello->protection);
    if (hello->max_plaintext < MESSAGE_RECORD_MIN)
        cursor_fail(cursor, "its largest plaintext of %u bytes is below %d",
                    hello->max_plaintext, MESSAGE_RECORD_MIN);
}

bool
hello_parse(const uint8_t *bytes, size_t length, struct hello *hello_out,
            struct error *err)
{
    struct hello hello;
    struct cursor cursor;

    assert(length > 0 && bytes[0] == MESSAGE_HELLO);
    cursor_init(&cursor, bytes + 1, length - 1);
    cursor_expect(&cursor, "magic", magic, sizeof magic);
    hello.version_low = cursor_u8(&cursor, "lowest version");
    hello.version_high = cursor_u8(&cursor, "highest version");
    hello.protection = cursor_u8(&cursor, "protection");
    cursor_u8(&cursor, "reserved byte");
    hello.capabilities = cursor_u32(&cursor, "capabilities");
    hello.max_plaintext = cursor_u32(&cursor, "largest plaintext");
    hello.connection_id = cursor_u64(&cursor, "connection id");
    cursor_text(&cursor, "target", hello.target, MESSAGE_TARGET_MAX);
    cursor_text(&cursor, "label", hello.label, MESSAGE_LABEL_MAX);
    cursor_text(&cursor, "agent", hello.agent, MESSAGE_AGENT_MAX);
    check_fields(&cursor, &hello);

    if (!cursor_done(&cursor, "HELLO", err))
        return false;
    *hello_out = hello;
    return true;
}
