/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stranger's bytes made safe: for a line of text and for a JSON string.  What
 * can move a cursor, end a line or turn the reading direction is never passed
 * on, neither as a byte nor as a well-formed character.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Output that ends with the last piece that fitted whole, and counts on. */
struct sink {
    char *out;
    size_t room; /* without the terminator */
    size_t used;
    size_t needed;
};

static void
sink_init(struct sink *sink, char *out, size_t size)
{
    *sink = (struct sink){.out = out, .room = size == 0 ? 0 : size - 1};
    if (size > 0)
        out[0] = '\0';
}

static void
sink_add(struct sink *sink, const void *piece, size_t length)
{
    if (sink->needed == sink->used && length <= sink->room - sink->used) {
        memcpy(sink->out + sink->used, piece, length);
        sink->used += length;
        sink->out[sink->used] = '\0';
    }
    sink->needed += length;
}

/* Controls (C0, DEL, C1), line separators, and the characters that reverse or
 * hide what stands around them. */
bool
text_is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) ||
           (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

char *
text_sanitize(const void *bytes, size_t length, char *out, size_t size)
{
    static const char mark[] = "...";
    const size_t mark_size = sizeof mark - 1;
    const uint8_t *in = bytes;
    struct sink sink;
    size_t cut = 0; /* the last end of a piece with room for the mark */

    sink_init(&sink, out, size);
    while (length > 0 && sink.needed == sink.used) {
        uint32_t point;
        size_t step = utf8_decode(in, length, &point);
        bool plain = step > 0 && !text_is_harmful(point) && point != '"' &&
                     point != '\\';
        char piece[4 * 4 + 1];

        if (sink.used + mark_size <= sink.room)
            cut = sink.used;
        if (step == 0)
            step = 1;
        if (plain) {
            sink_add(&sink, in, step);
        } else {
            for (size_t i = 0; i < step; i++)
                snprintf(piece + 4 * i, 5, "\\x%02x", in[i]);
            sink_add(&sink, piece, 4 * step);
        }
        in += step;
        length -= step;
    }
    if (sink.needed > sink.used && sink.room >= mark_size)
        memcpy(out + cut, mark, sizeof mark);
    return out;
}

/* Puts the JSON form of a character that cannot stand for itself. */
static void
escape_point(struct sink *sink, uint32_t point)
{
    static const char short_names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char piece[sizeof "\\u0000"];

    for (size_t i = 0; short_names[i] != '\0'; i += 2) {
        if (point == (uint8_t)short_names[i]) {
            snprintf(piece, sizeof piece, "\\%c", short_names[i + 1]);
            sink_add(sink, piece, 2);
            return;
        }
    }
    snprintf(piece, sizeof piece, "\\u%04x", (unsigned)(point & 0xffff));
    sink_add(sink, piece, sizeof piece - 1);
}

size_t
text_json_escape(const void *bytes, size_t length, char *out, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    const uint8_t *in = bytes;
    struct sink sink;

    sink_init(&sink, out, size);
    while (length > 0) {
        uint32_t point;
        size_t step = utf8_decode(in, length, &point);

        if (step == 0) {
            sink_add(&sink, replacement, sizeof replacement - 1);
            step = 1;
        } else if (text_is_harmful(point) || point == '"' || point == '\\') {
            escape_point(&sink, point);
        } else {
            sink_add(&sink, in, step);
        }
        in += step;
        length -= step;
    }
    return sink.needed;
}
