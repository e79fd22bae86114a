/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON text to values, RFC 8259: what kerbwrap's own status answers, read
 * strictly, as if a stranger had sent it.
 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <stdbool.h>

#include "base/error.h"

enum {
    JSON_DEPTH_MAX = 16
};

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    enum json_kind kind;
    const char *name; /* as a member of an object; else NULL; in the text */
    const char *text; /* of a string; in the text; raw: sanitise */
    double number;
    struct json_value *first; /* owned; of an array or object */
    struct json_value *next;  /* owned; of the same one */
};

/*
 * text is changed, and must live as long as the values.  Strings are UTF-8 as
 * they come; one with an escaped NUL ends there.  NULL, and err: it is no JSON,
 * or nested deeper than JSON_DEPTH_MAX.
 */
MUST_CHECK struct json_value *json_parse(char *text, struct error *err);
void json_free(struct json_value *value); /* NULL is fine */

/* The member; NULL: there is none, or object is none. */
const struct json_value *json_member(const struct json_value *object,
                                     const char *name);
/* ""; 0; false: there is none of that kind. */
const char *json_member_text(const struct json_value *object, const char *name);
double json_member_number(const struct json_value *object, const char *name);
bool json_member_is_true(const struct json_value *object, const char *name);

#endif
