/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RESET to bytes and back.  A RESET must always be possible to send: what its
 * sentence holds is mended rather than refused.
 */
#include "wire/reset.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/cursor.h"
#include "wire/message.h"

enum {
    FLAG_RETRYABLE = 1 << 0,
};

static const char *const names[] = {
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

const char *
reset_name(uint8_t code)
{
    if (code >= sizeof names / sizeof names[0] || names[code] == NULL)
        return "unknown";
    return names[code];
}

/* A sentence may quote strange bytes or be cut inside a character; the peer
 * would refuse the whole message for either. */
static void
mend_utf8(char *text)
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
reset_encode(const struct reset *reset, uint8_t *out)
{
    char sentence[MESSAGE_SENTENCE_MAX + 1];
    size_t size = strnlen(reset->sentence, MESSAGE_SENTENCE_MAX);
    uint8_t *at = out;

    memcpy(sentence, reset->sentence, size);
    sentence[size] = '\0';
    mend_utf8(sentence);

    *at++ = MESSAGE_RESET;
    *at++ = reset->code;
    *at++ = reset->retryable ? FLAG_RETRYABLE : 0;
    at = put_text(at, sentence, MESSAGE_SENTENCE_MAX);
    return (size_t)(at - out);
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
    reset.retryable = cursor_u8(&cursor, "flags") & FLAG_RETRYABLE;
    cursor_text(&cursor, "sentence", reset.sentence, MESSAGE_SENTENCE_MAX);
    cursor_end(&cursor);

    if (!cursor_done(&cursor, "RESET", err))
        return false;
    *reset_out = reset;
    return true;
}
