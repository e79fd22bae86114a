/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON text, appended to an evbuffer: members after members, commas put by
 * themselves.  Appending fails only for lack of memory, and then the text is
 * short; nobody takes a short text for a whole one.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stdint.h>

/* '{' or '[', as a value; with a name, as a member's value. */
void json_open(struct evbuffer *out, char bracket);
void json_open_member(struct evbuffer *out, const char *name, char bracket);
void json_close(struct evbuffer *out, char bracket);

void json_text(struct evbuffer *out, const char *name, const char *value);
void json_number(struct evbuffer *out, const char *name, uint64_t value);
/* Milliseconds, shown in seconds. */
void json_seconds(struct evbuffer *out, const char *name, uint64_t ms);

void json_boolean(struct evbuffer *out, const char *name, bool value);
/* A text as one of a list. */
void json_item(struct evbuffer *out, const char *value);

/* Appends values that another thread made: "{...},{...}". */
void json_values(struct evbuffer *out, struct evbuffer *values);

#endif
