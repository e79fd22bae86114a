/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From lines to settings, key by key.  Goes on after every error, so that all
 * of a file show at once; what follows from an error only is not reported.
 */
#include "config/parser.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "config/ini.h"
#include "config/values.h"

static const char *
skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static bool
on_section(unsigned line, const char *header, void *arg)
{
    return section_begin(arg, line, header);
}

/* A key that the section does not have. */
static bool
refuse_key(struct parser *parser, unsigned line, const char *key)
{
    for (size_t i = 0; i < SECTION_KINDS; i++) {
        const struct section_kind *kind = section_kind_at(i);
        if (options_find(kind->section, key) != NULL)
            return refuse(
                parser, line, "`%s` is a key of [%s%s], not of [%s%s]", key,
                kind->word, kind->named ? " NAME" : "",
                section_kind_of(parser->section)->word,
                section_kind_of(parser->section)->named ? " NAME" : "");
    }
    const char *nearest = options_nearest(parser->section, key);
    if (nearest == NULL)
        return refuse(parser, line, "unknown key `%s`", finding_show(key).text);
    return refuse(parser, line, "unknown key `%s`: did you mean `%s`?",
                  finding_show(key).text, nearest);
}

/* The value, or one item of a list; not empty. */
static bool
take_item(struct parser *parser, unsigned line, const char *text)
{
    const struct option *option = parser->continued;
    struct error err;

    parser->keys->states[options_index(option)].given = true;
    if ((option->check != NULL && !option->check(text, &err)) ||
        !value_set(option, text, parser->settings, &err))
        return refuse(parser, line, "`%s`: %s", option->name, err.text);
    return true;
}

static bool
take_items(struct parser *parser, unsigned line, const char *text)
{
    char item[INI_LINE_MAX + 1];

    for (;;) {
        text = skip_blanks(text);
        size_t length = strcspn(text, " \t\v\f\r");
        if (length == 0 || length >= sizeof item)
            return true;
        memcpy(item, text, length);
        item[length] = '\0';
        if (!take_item(parser, line, item))
            return false;
        text += length;
    }
}

static bool
on_value(unsigned line, const char *key, const char *value, void *arg)
{
    struct parser *parser = arg;

    parser->continued = NULL;
    if (!parser->headers)
        return refuse(parser, line, "`%s` stands before the first section",
                      finding_show(key).text);
    if (parser->section == SECTION_NONE)
        return true; /* its header was refused */
    const struct option *option = options_find(parser->section, key);
    if (option == NULL)
        return refuse_key(parser, line, key);
    struct key_state *state = &parser->keys->states[options_index(option)];
    if (state->line != 0)
        return refuse(parser, line, "`%s` was already set in line %u", key,
                      state->line);
    state->line = line;
    parser->continued = option;
    if (value_is_list(option))
        return take_items(parser, line, value);
    if (*value != '\0')
        return take_item(parser, line, value);
    if (*option->default_text != '\0')
        return refuse(parser, line, "`%s` needs a value", key);
    return true;
}

/* Is text "KEY = ..." with a key of any section?  value_out is the rest. */
static const struct option *
hidden_key(const char *text, const char **value_out)
{
    char key[64];
    size_t length = strcspn(text, " \t=");
    const char *rest = skip_blanks(text + length);

    if (*rest != '=' || length >= sizeof key)
        return NULL;
    memcpy(key, text, length);
    key[length] = '\0';
    *value_out = skip_blanks(rest + 1);
    for (size_t i = 0; i < options_count(); i++) {
        if (strcmp(options_at(i)->name, key) == 0)
            return options_at(i);
    }
    return NULL;
}

static bool
on_continuation(unsigned line, const char *text, void *arg)
{
    struct parser *parser = arg;
    const struct option *option = parser->continued;
    const char *value;

    if (option == NULL)
        return true;
    const struct option *hidden = hidden_key(text, &value);
    if (hidden != NULL) {
        /* It is no value, whatever else is wrong with it. */
        return refuse(parser, line,
                      "`%s =` is indented and so continues `%s`: remove the "
                      "blanks before it",
                      hidden->name, option->name) &&
               on_value(line, hidden->name, value, parser);
    }
    if (*text == '[' && section_kind_find(text + 1) != NULL)
        return refuse(parser, line,
                      "this section header is indented and so continues `%s`: "
                      "remove the blanks before it",
                      option->name);
    if (!value_is_list(option)) {
        parser->continued = NULL;
        return refuse(parser, line,
                      "this line is indented and so continues `%s`, which "
                      "takes one value",
                      option->name);
    }
    return take_items(parser, line, text);
}

static bool
on_error(unsigned line, const char *sentence, void *arg)
{
    struct parser *parser = arg;

    return refuse(parser, line, "%s", sentence);
}

bool
parse_file(struct draft *draft, FILE *file)
{
    static const struct ini_events events = {
        .on_section = on_section,
        .on_value = on_value,
        .on_continuation = on_continuation,
        .on_error = on_error,
    };
    struct parser parser = {.draft = draft};
    struct config *config = draft->config;
    struct error err;

    if (!section_defaults(SECTION_KERBWRAP, &config->global) ||
        !section_defaults(SECTION_DIRECTORY, &config->directory)) {
        draft->findings.exhausted = true;
        return false;
    }
    if (!ini_read(file, &events, &parser, &err)) {
        findings_add(&draft->findings, SEVERITY_FAILURE, 0,
                     "cannot read %s: %s", config->path, err.text);
        return false;
    }
    if (draft->findings.exhausted || draft->findings.errors >= FINDINGS_MAX)
        return false;
    const struct option *user = options_find(SECTION_KERBWRAP, "user");
    config->global.user_line = draft->kerbwrap.states[options_index(user)].line;
    const struct option *accept = options_find(SECTION_SERVER, "accept");
    for (size_t i = 0; i < config->service_count; i++)
        config->services[i].accept_line =
            draft->services[i].states[options_index(accept)].line;
    return true;
}
