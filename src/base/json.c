/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a comma is due is seen from the last byte written.
 */
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static void
separate(struct evbuffer *out)
{
    size_t size = evbuffer_get_length(out);
    struct evbuffer_ptr last;
    char byte = '{';

    if (size == 0)
        return;
    evbuffer_ptr_set(out, &last, size - 1, EVBUFFER_PTR_SET);
    evbuffer_copyout_from(out, &last, &byte, 1);
    if (byte != '{' && byte != '[' && byte != ':')
        evbuffer_add(out, ",", 1);
}

static void
quote(struct evbuffer *out, const char *text)
{
    size_t length = strlen(text);
    size_t size = text_json_escape(text, length, NULL, 0);
    struct evbuffer_iovec room;

    evbuffer_add(out, "\"", 1);
    if (evbuffer_reserve_space(out, (ev_ssize_t)size + 1, &room, 1) == 1) {
        text_json_escape(text, length, room.iov_base, size + 1);
        room.iov_len = size;
        evbuffer_commit_space(out, &room, 1);
    }
    evbuffer_add(out, "\"", 1);
}

static void
name_member(struct evbuffer *out, const char *name)
{
    separate(out);
    quote(out, name);
    evbuffer_add(out, ":", 1);
}

void
json_open(struct evbuffer *out, char bracket)
{
    separate(out);
    evbuffer_add(out, &bracket, 1);
}

void
json_open_member(struct evbuffer *out, const char *name, char bracket)
{
    name_member(out, name);
    evbuffer_add(out, &bracket, 1);
}

void
json_close(struct evbuffer *out, char bracket)
{
    evbuffer_add(out, &bracket, 1);
}

void
json_text(struct evbuffer *out, const char *name, const char *value)
{
    name_member(out, name);
    quote(out, value);
}

void
json_number(struct evbuffer *out, const char *name, uint64_t value)
{
    name_member(out, name);
    evbuffer_add_printf(out, "%" PRIu64, value);
}

void
json_seconds(struct evbuffer *out, const char *name, uint64_t ms)
{
    name_member(out, name);
    evbuffer_add_printf(out, "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
}

void
json_boolean(struct evbuffer *out, const char *name, bool value)
{
    name_member(out, name);
    evbuffer_add_printf(out, "%s", value ? "true" : "false");
}

void
json_item(struct evbuffer *out, const char *value)
{
    separate(out);
    quote(out, value);
}

void
json_values(struct evbuffer *out, struct evbuffer *values)
{
    if (evbuffer_get_length(values) == 0)
        return;
    separate(out);
    evbuffer_add_buffer(out, values);
}
