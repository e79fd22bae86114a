/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of kinds, each with its way in and its way out.  Fields are reached
 * by offset, so every function here trusts the option table to name a field of
 * its kind's type.
 */
#include "config/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/socket.h"
#include "base/text.h"
#include "config/config.h"
#include "config/lists.h"

/* Either set and get, or, for a list, append and item. */
struct kind {
    bool (*set)(const struct option *option, const char *text, void *field,
                struct error *err);
    const char *(*get)(const struct option *option, const void *field,
                       char *buffer);
    bool (*append)(void *field, const char *text, struct error *err);
    const char *(*item)(const void *field, size_t index, char *buffer);
    void (*clear)(void *field); /* NULL: nothing is owned */
};

static bool
set_text(const struct option *option, const char *text, void *field,
         struct error *err)
{
    char **owner = field;
    char *copy = strdup(text);

    (void)option;
    if (copy == NULL) {
        error_set(err, "out of memory");
        return false;
    }
    free(*owner);
    *owner = copy;
    return true;
}

static const char *
get_text(const struct option *option, const void *field, char *buffer)
{
    char *const *owner = field;

    (void)option;
    (void)buffer;
    return *owner;
}

static void
clear_text(void *field)
{
    char **owner = field;

    free(*owner);
    *owner = NULL;
}

static bool
set_number(const struct option *option, const char *text, void *field,
           struct error *err)
{
    uint64_t value = 0;

    if (*text != '\0' &&
        !number_parse(text, option->low, option->high, &value, err))
        return false;
    *(unsigned *)field = (unsigned)value;
    return true;
}

static const char *
get_number(const struct option *option, const void *field, char *buffer)
{
    unsigned value = *(const unsigned *)field;

    if (value == 0 && *option->default_text == '\0')
        return NULL;
    snprintf(buffer, VALUE_TEXT_SIZE, "%u", value);
    return buffer;
}

static bool
set_threads(const struct option *option, const char *text, void *field,
            struct error *err)
{
    if (strcmp(text, "auto") != 0)
        return set_number(option, text, field, err);
    *(unsigned *)field = 0;
    return true;
}

static const char *
get_threads(const struct option *option, const void *field, char *buffer)
{
    return *(const unsigned *)field == 0 ? "auto"
                                         : get_number(option, field, buffer);
}

static bool
set_duration(const struct option *option, const char *text, void *field,
             struct error *err)
{
    char low[32], high[32];
    uint64_t ms;

    if (!duration_parse(text, &ms, err))
        return false;
    if (ms == DURATION_OFF ? !option->may_be_off
                           : ms < option->low || ms > option->high) {
        duration_format(option->low, low, sizeof low);
        duration_format(option->high, high, sizeof high);
        error_set(err, "cannot use \"%s\": it must be from %s to %s%s", text,
                  low, high, option->may_be_off ? ", or off" : "");
        return false;
    }
    *(uint64_t *)field = ms;
    return true;
}

static const char *
get_duration(const struct option *option, const void *field, char *buffer)
{
    uint64_t ms = *(const uint64_t *)field, usual;

    /* As the documents spell it. */
    if (duration_parse(option->default_text, &usual, NULL) && ms == usual)
        return option->default_text;
    duration_format(ms, buffer, VALUE_TEXT_SIZE);
    return buffer;
}

static bool
set_size(const struct option *option, const char *text, void *field,
         struct error *err)
{
    char low[32], high[32];
    uint64_t bytes;

    if (!size_parse(text, &bytes, err))
        return false;
    if (bytes < option->low || bytes > option->high) {
        size_format(option->low, low, sizeof low);
        size_format(option->high, high, sizeof high);
        error_set(err, "cannot use \"%s\": it must be from %s to %s", text, low,
                  high);
        return false;
    }
    *(uint64_t *)field = bytes;
    return true;
}

static const char *
get_size(const struct option *option, const void *field, char *buffer)
{
    (void)option;
    size_format(*(const uint64_t *)field, buffer, VALUE_TEXT_SIZE);
    return buffer;
}

/* "expected A, B or C" */
static void
refuse_word(const struct option *option, const char *text, struct error *err)
{
    char shown[64];
    char names[256] = "";
    size_t used = 0;

    for (const struct option_word *word = option->words; word->name != NULL;
         word++) {
        const char *before = word == option->words  ? ""
                             : word[1].name != NULL ? ", "
                                                    : " or ";
        int length = snprintf(names + used, sizeof names - used, "%s%s", before,
                              word->name);
        used += (size_t)length < sizeof names - used ? (size_t)length : 0;
    }
    text_sanitize(text, strlen(text), shown, sizeof shown);
    error_set(err, "cannot use \"%s\": expected %s", shown, names);
}

static const struct option_word *
find_word(const struct option *option, const char *text, struct error *err)
{
    for (const struct option_word *word = option->words; word->name != NULL;
         word++) {
        if (strcmp(word->name, text) == 0)
            return word;
    }
    refuse_word(option, text, err);
    return NULL;
}

static const char *
word_name(const struct option *option, unsigned value)
{
    const struct option_word *word = option->words;

    while (word->name != NULL && word->value != value)
        word++;
    return word->name;
}

/* All enums of the settings have unsigned's size; see options.c. */
static bool
set_word(const struct option *option, const char *text, void *field,
         struct error *err)
{
    const struct option_word *word = find_word(option, text, err);

    if (word == NULL)
        return false;
    memcpy(field, &word->value, sizeof word->value);
    return true;
}

static const char *
get_word(const struct option *option, const void *field, char *buffer)
{
    unsigned value;

    (void)buffer;
    memcpy(&value, field, sizeof value);
    return word_name(option, value);
}

static bool
set_flag(const struct option *option, const char *text, void *field,
         struct error *err)
{
    const struct option_word *word = find_word(option, text, err);

    if (word == NULL)
        return false;
    *(bool *)field = word->value != 0;
    return true;
}

static const char *
get_flag(const struct option *option, const void *field, char *buffer)
{
    (void)buffer;
    return word_name(option, *(const bool *)field ? 1 : 0);
}

static bool
set_mode(const struct option *option, const char *text, void *field,
         struct error *err)
{
    size_t digits = strspn(text, "01234567");

    (void)option;
    if (digits == 0 || digits > 4 || text[digits] != '\0' ||
        (digits == 4 && *text != '0')) {
        char shown[64];
        text_sanitize(text, strlen(text), shown, sizeof shown);
        error_set(err,
                  "cannot use \"%s\": write permissions in octal digits, "
                  "as 0660",
                  shown);
        return false;
    }
    *(mode_t *)field = (mode_t)strtoul(text, NULL, 8);
    return true;
}

static const char *
get_mode(const struct option *option, const void *field, char *buffer)
{
    (void)option;
    snprintf(buffer, VALUE_TEXT_SIZE, "%04o", *(const mode_t *)field);
    return buffer;
}

static bool
set_endpoint(const struct option *option, const char *text, void *field,
             struct error *err)
{
    (void)option;
    if (*text == '\0') {
        *(struct endpoint *)field = (struct endpoint){0};
        return true;
    }
    return endpoint_parse(text, true, field, err);
}

static const char *
get_endpoint(const struct option *option, const void *field, char *buffer)
{
    const struct endpoint *endpoint = field;

    (void)option;
    if (endpoint->host[0] == '\0' && endpoint->path[0] == '\0')
        return NULL;
    endpoint_format(endpoint, buffer, VALUE_TEXT_SIZE);
    return buffer;
}

static bool
set_status(const struct option *option, const char *text, void *field,
           struct error *err)
{
    struct global_settings *global = field;

    if (strcmp(text, "none") == 0) {
        global->status_enabled = false;
        return true;
    }
    if (!set_endpoint(option, text, &global->status, err))
        return false;
    global->status_enabled = true;
    return true;
}

static const char *
get_status(const struct option *option, const void *field, char *buffer)
{
    const struct global_settings *global = field;

    if (!global->status_enabled)
        return "none";
    return get_endpoint(option, &global->status, buffer);
}

/* clang-format off */
#define SCALAR(name) {.set = set_##name, .get = get_##name}
#define LIST(name) {.append = name##_append, .item = name##_item, .clear = name##_clear}
static const struct kind kinds[VALUE_KINDS] = {
    [VALUE_TEXT]      = {.set = set_text, .get = get_text, .clear = clear_text},
    [VALUE_TEXTS]     = LIST(texts),
    [VALUE_NUMBER]    = SCALAR(number),
    [VALUE_THREADS]   = SCALAR(threads),
    [VALUE_DURATION]  = SCALAR(duration),
    [VALUE_SIZE]      = SCALAR(size),
    [VALUE_WORD]      = SCALAR(word),
    [VALUE_FLAG]      = SCALAR(flag),
    [VALUE_MODE]      = SCALAR(mode),
    [VALUE_ENDPOINT]  = SCALAR(endpoint),
    [VALUE_ENDPOINTS] = LIST(endpoints),
    [VALUE_STATUS]    = SCALAR(status),
    [VALUE_ALLOW]     = LIST(allow),
    [VALUE_DENY]      = LIST(deny),
};
/* clang-format on */

bool
value_is_list(const struct option *option)
{
    return kinds[option->kind].append != NULL;
}

bool
value_set(const struct option *option, const char *text, void *settings,
          struct error *err)
{
    const struct kind *kind = &kinds[option->kind];
    void *field = (char *)settings + option->offset;

    if (kind->append != NULL)
        return *text == '\0' || kind->append(field, text, err);
    return kind->set(option, text, field, err);
}

const char *
value_get(const struct option *option, const void *settings, size_t index,
          char buffer[VALUE_TEXT_SIZE])
{
    const struct kind *kind = &kinds[option->kind];
    const void *field = (const char *)settings + option->offset;

    if (kind->item != NULL)
        return kind->item(field, index, buffer);
    const char *text = index == 0 ? kind->get(option, field, buffer) : NULL;
    return text != NULL && *text != '\0' ? text : NULL;
}

void
value_clear(const struct option *option, void *settings)
{
    if (kinds[option->kind].clear != NULL)
        kinds[option->kind].clear((char *)settings + option->offset);
}
