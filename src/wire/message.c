/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HELLO and RESET, the two messages that have an inside.  Encoding cannot fail:
 * the structures hold no more than the wire allows.  Parsing trusts nothing,
 * and leaves its result alone unless all of it is sound.
 */
#include "wire/message.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/cursor.h"

enum {
    HELLO_FIXED_SIZE = 1 + 4 + 1 + 1 + 1 + 1 + 4 + 4 + 8,
    RESET_RETRYABLE = 1 << 0,
};

static_assert(HELLO_FIXED_SIZE + 3 * 2 + MESSAGE_TARGET_MAX +
                      MESSAGE_LABEL_MAX + MESSAGE_AGENT_MAX <=
                  HELLO_SIZE_MAX,
              "the largest HELLO fits");
static_assert((int)HELLO_SIZE_MAX < (int)MESSAGE_RECORD_MIN &&
                  (int)RESET_SIZE_MAX < (int)MESSAGE_RECORD_MIN,
              "every receiver takes a HELLO and a RESET");

static const uint8_t magic[4] = {'K', 'W', 'R', 'P'};

static const char *const message_names[] = {
    [MESSAGE_HELLO] = "hello", [MESSAGE_READY] = "ready",
    [MESSAGE_DATA] = "data",   [MESSAGE_EOF] = "eof",
    [MESSAGE_RESET] = "reset", [MESSAGE_PING] = "ping",
    [MESSAGE_PONG] = "pong",
};

static const char *const reset_names[] = {
    [RESET_INTERNAL] = "internal",
    [RESET_PROTOCOL] = "protocol",
    [RESET_VERSION] = "version",
    [RESET_PROTECTION] = "protection",
    [RESET_LABEL] = "label",
    [RESET_TARGET] = "target",
    [RESET_FORBIDDEN] = "forbidden",
    [RESET_APPLICATION] = "application",
    [RESET_UNREACHABLE] = "unreachable",
    [RESET_TIMEOUT] = "timeout",
    [RESET_SHUTDOWN] = "shutdown",
    [RESET_LIMIT] = "limit",
};

static const char *
name_in(const char *const *names, size_t count, uint8_t number)
{
    if (number >= count || names[number] == NULL)
        return "unknown";
    return names[number];
}

const char *
message_name(uint8_t type)
{
    return name_in(message_names,
                   sizeof message_names / sizeof message_names[0], type);
}

const char *
reset_name(uint8_t code)
{
    return name_in(reset_names, sizeof reset_names / sizeof reset_names[0],
                   code);
}

/* size bytes of value, big-endian; returns where the next field begins. */
static uint8_t *
put_number(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
    return out + size;
}

static uint8_t *
put_text(uint8_t *out, const char *text, size_t max)
{
    size_t size = strnlen(text, max);

    out = put_number(out, size, 2);
    memcpy(out, text, size);
    return out + size;
}

/* A sentence may quote strange bytes or be cut inside a character; the peer
 * would refuse the whole message for either. */
static void
make_valid_utf8(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t character;
        size_t size = utf8_decode(text, left, &character);

        if (size == 0) {
            *text = '?';
            size = 1;
        }
        text += size;
        left -= size;
    }
}

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

size_t
reset_encode(const struct reset *reset, uint8_t *out)
{
    char sentence[MESSAGE_SENTENCE_MAX + 1];
    size_t size = strnlen(reset->sentence, MESSAGE_SENTENCE_MAX);
    uint8_t *at = out;

    memcpy(sentence, reset->sentence, size);
    sentence[size] = '\0';
    make_valid_utf8(sentence);

    *at++ = MESSAGE_RESET;
    *at++ = reset->code;
    *at++ = reset->retryable ? RESET_RETRYABLE : 0;
    at = put_text(at, sentence, MESSAGE_SENTENCE_MAX);
    return (size_t)(at - out);
}

static bool
parsed(const struct cursor *cursor, const char *message, struct error *err)
{
    if (cursor->failed)
        error_set(err, "cannot read the peer's %s: %s", message,
                  cursor->fault.text);
    return !cursor->failed;
}

/* What each field allows by itself; whether the two sides agree is for the
 * handshake to see. */
static void
check_hello(struct cursor *cursor, const struct hello *hello)
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
    check_hello(&cursor, &hello);

    if (!parsed(&cursor, "HELLO", err))
        return false;
    *hello_out = hello;
    return true;
}

bool
reset_parse(const uint8_t *bytes, size_t length, struct reset *reset_out,
            struct error *err)
{
    struct reset reset;
    struct cursor cursor;

    assert(length > 0 && bytes[0] == MESSAGE_RESET);
    cursor_init(&cursor, bytes + 1, length - 1);
    reset.code = cursor_u8(&cursor, "code");
    reset.retryable = cursor_u8(&cursor, "flags") & RESET_RETRYABLE;
    cursor_text(&cursor, "sentence", reset.sentence, MESSAGE_SENTENCE_MAX);
    cursor_end(&cursor);

    if (!parsed(&cursor, "RESET", err))
        return false;
    *reset_out = reset;
    return true;
}
