/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor that goes through the text once; strings are unescaped in place,
 * which never makes them longer.
 */
#include "base/json_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    char *at;
    int depth;
    bool failed;
};

static struct json_value *read_value(struct reader *reader);

static void
skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

/* Is this byte next?  Then it is taken. */
static bool
take(struct reader *reader, char byte)
{
    skip_blanks(reader);
    if (*reader->at != byte)
        return false;
    reader->at++;
    return true;
}

static bool
take_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* Four hexadecimal digits; -1: they are not. */
static int32_t
take_code(struct reader *reader)
{
    int32_t code = 0;

    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *found = *reader->at != '\0' ? strchr(digits, *reader->at)
                                                : NULL;
        if (found == NULL)
            return -1;
        int32_t digit = (int32_t)(found - digits);
        code = code * 16 + (digit < 16 ? digit : digit - 6);
        reader->at++;
    }
    return code;
}

static char *
put_utf8(char *out, int32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

/* Behind \u.  A half of a pair alone becomes U+FFFD. */
static char *
unescape_code(struct reader *reader, char *out)
{
    int32_t code = take_code(reader);

    if (code < 0) {
        reader->failed = true;
        return out;
    }
    if (code >= 0xd800 && code < 0xdc00 && reader->at[0] == '\\' &&
        reader->at[1] == 'u') {
        char *before = reader->at;
        reader->at += 2;
        int32_t low = take_code(reader);
        if (low >= 0xdc00 && low < 0xe000)
            return put_utf8(out,
                            0x10000 + ((code - 0xd800) << 10) + low - 0xdc00);
        reader->at = before;
    }
    return put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
}

static char *
unescape(struct reader *reader, char *out)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *found = strchr(names, *reader->at);

    if (*reader->at == 'u') {
        reader->at++;
        return unescape_code(reader, out);
    }
    if (*reader->at == '\0' || found == NULL) {
        reader->failed = true;
        return out;
    }
    *out = bytes[found - names];
    reader->at++;
    return out + 1;
}

/* Behind the quote. */
static const char *
read_string(struct reader *reader)
{
    const char *text = reader->at;
    char *out = reader->at;

    while (!reader->failed && *reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20) {
            reader->failed = true;
        } else if (*reader->at == '\\') {
            reader->at++;
            out = unescape(reader, out);
        } else {
            *out++ = *reader->at++;
        }
    }
    if (!reader->failed) {
        reader->at++;
        *out = '\0';
    }
    return text;
}

static double
read_number(struct reader *reader)
{
    char *end = reader->at;
    double number = 0;

    if (strspn(reader->at, "-0123456789") > 0 && strspn(reader->at, "-0xX") < 2)
        number = strtod(reader->at, &end);
    reader->failed = reader->failed || end == reader->at;
    reader->at = end;
    return number;
}

static struct json_value *
read_member(struct reader *reader)
{
    const char *name = NULL;

    if (take(reader, '"'))
        name = read_string(reader);
    if (name == NULL || reader->failed || !take(reader, ':')) {
        reader->failed = true;
        return NULL;
    }
    struct json_value *value = read_value(reader);
    if (value != NULL)
        value->name = name;
    return value;
}

/* Behind the bracket. */
static void
read_list(struct reader *reader, struct json_value *list, char end)
{
    struct json_value **link = &list->first;

    if (++reader->depth > JSON_DEPTH_MAX)
        reader->failed = true;
    if (reader->failed || take(reader, end)) {
        reader->depth--;
        return;
    }
    do {
        *link = end == '}' ? read_member(reader) : read_value(reader);
        if (*link == NULL)
            break;
        link = &(*link)->next;
    } while (!reader->failed && take(reader, ','));
    reader->failed = reader->failed || !take(reader, end);
    reader->depth--;
}

static void
read_into(struct reader *reader, struct json_value *value)
{
    if (take(reader, '{')) {
        value->kind = JSON_OBJECT;
        read_list(reader, value, '}');
    } else if (take(reader, '[')) {
        value->kind = JSON_ARRAY;
        read_list(reader, value, ']');
    } else if (take(reader, '"')) {
        value->kind = JSON_STRING;
        value->text = read_string(reader);
    } else if (take_word(reader, "true")) {
        value->kind = JSON_TRUE;
    } else if (take_word(reader, "false")) {
        value->kind = JSON_FALSE;
    } else if (!take_word(reader, "null")) {
        value->kind = JSON_NUMBER;
        value->number = read_number(reader);
    }
}

/* NULL: failed. */
static struct json_value *
read_value(struct reader *reader)
{
    struct json_value *value = calloc(1, sizeof *value);

    if (value != NULL)
        read_into(reader, value);
    if (value == NULL || reader->failed) {
        reader->failed = true;
        json_free(value);
        return NULL;
    }
    return value;
}

struct json_value *
json_parse(char *text, struct error *err)
{
    struct reader reader = {.at = text};
    struct json_value *value = read_value(&reader);

    skip_blanks(&reader);
    if (value != NULL && *reader.at == '\0')
        return value;
    error_set(err, "it is no JSON");
    json_free(value);
    return NULL;
}

void
json_free(struct json_value *value)
{
    while (value != NULL) {
        struct json_value *next = value->next;
        json_free(value->first);
        free(value);
        value = next;
    }
}

const struct json_value *
json_member(const struct json_value *object, const char *name)
{
    if (object == NULL || object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json_value *member = object->first; member != NULL;
         member = member->next)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

const char *
json_member_text(const struct json_value *object, const char *name)
{
    const struct json_value *member = json_member(object, name);

    return member != NULL && member->kind == JSON_STRING ? member->text : "";
}

double
json_member_number(const struct json_value *object, const char *name)
{
    const struct json_value *member = json_member(object, name);

    return member != NULL && member->kind == JSON_NUMBER ? member->number : 0;
}

bool
json_member_is_true(const struct json_value *object, const char *name)
{
    const struct json_value *member = json_member(object, name);

    return member != NULL && member->kind == JSON_TRUE;
}
