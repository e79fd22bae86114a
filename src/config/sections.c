/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section headers.  After a wrong name the section is there all the same, so
 * that its keys are looked at; below an unknown word they are not.
 */
#include "config/parser.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/checks.h"
#include "config/values.h"

static const struct section_kind section_kinds[SECTION_KINDS] = {
    {"kerbwrap", SECTION_KERBWRAP, false},
    {"directory", SECTION_DIRECTORY, false},
    {"server", SECTION_SERVER, true},
    {"client", SECTION_CLIENT, true},
};

const struct section_kind *
section_kind_at(size_t index)
{
    return &section_kinds[index];
}

const struct section_kind *
section_kind_find(const char *header)
{
    size_t length = strcspn(header, " \t]");

    for (size_t i = 0; i < SECTION_KINDS; i++) {
        if (strlen(section_kinds[i].word) == length &&
            memcmp(section_kinds[i].word, header, length) == 0)
            return &section_kinds[i];
    }
    return NULL;
}

const struct section_kind *
section_kind_of(enum section section)
{
    size_t i = 0;

    while (section_kinds[i].section != section)
        i++;
    return &section_kinds[i];
}

static bool
refuse_header(struct parser *parser, unsigned line, const char *header)
{
    const char *words[SECTION_KINDS];
    char first[64] = "";
    size_t length = strcspn(header, " \t");

    if (length < sizeof first)
        memcpy(first, header, length);
    for (size_t i = 0; i < SECTION_KINDS; i++)
        words[i] = section_kinds[i].word;
    const char *nearest = nearest_word(first, words, SECTION_KINDS);
    if (nearest == NULL)
        return refuse(parser, line,
                      "unknown section [%s]: expected [kerbwrap], [directory], "
                      "[server NAME] or [client NAME]",
                      finding_show(header).text);
    return refuse(parser, line, "unknown section [%s]: did you mean [%s%s]?",
                  finding_show(header).text, nearest,
                  finding_show(header + length).text);
}

/* [kerbwrap] and [directory]. */
static bool
begin_single(struct parser *parser, unsigned line,
             const struct section_kind *kind, const char *name)
{
    struct draft *draft = parser->draft;
    bool go_on = true;

    if (kind->section == SECTION_KERBWRAP) {
        parser->settings = &draft->config->global;
        parser->keys = &draft->kerbwrap;
    } else {
        parser->settings = &draft->config->directory;
        parser->keys = &draft->directory;
        draft->config->directory.present = true;
    }
    if (*name != '\0')
        go_on = refuse(parser, line, "[%s] takes no name", kind->word);
    if (parser->keys->line != 0)
        go_on = refuse(parser, line, "[%s] was already begun in line %u",
                       kind->word, parser->keys->line);
    else
        parser->keys->line = line;
    return go_on;
}

/* Room for one more service, in steps of powers of two. */
static bool
make_room(struct draft *draft)
{
    struct config *config = draft->config;
    size_t count = config->service_count;

    if ((count & (count - 1)) != 0)
        return true;
    size_t room = count == 0 ? 1 : 2 * count;
    struct service_settings *services = reallocarray(config->services, room,
                                                     sizeof *services);
    if (services == NULL)
        return false;
    config->services = services;
    struct section_keys *keys = reallocarray(draft->services, room,
                                             sizeof *keys);
    if (keys == NULL)
        return false;
    draft->services = keys;
    return true;
}

bool
section_defaults(unsigned sections, void *settings)
{
    struct error err;

    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        if ((option->sections & sections) != 0 &&
            !value_set(option, option->default_text, settings, &err))
            return false; /* defaults are right, so memory is short */
    }
    return true;
}

/* [server NAME] and [client NAME]. */
static bool
begin_service(struct parser *parser, unsigned line,
              const struct section_kind *kind, const char *name)
{
    struct draft *draft = parser->draft;
    struct config *config = draft->config;
    struct error err;

    if (!make_room(draft)) {
        draft->findings.exhausted = true;
        return false;
    }
    struct service_settings *service = &config->services[config->service_count];
    struct section_keys *keys = &draft->services[config->service_count];
    *service = (struct service_settings){
        .role = kind->section == SECTION_SERVER ? ROLE_SERVER : ROLE_CLIENT,
        .line = line,
        .name = strdup(name),
    };
    *keys = (struct section_keys){.line = line};
    config->service_count++;
    /* Both roles' defaults: what the other role has is empty, not NULL. */
    if (service->name == NULL ||
        !section_defaults(SECTION_SERVER | SECTION_CLIENT, service)) {
        draft->findings.exhausted = true;
        return false;
    }
    parser->settings = service;
    parser->keys = keys;
    if (*name == '\0')
        return refuse(parser, line, "[%s] needs a name, as [%s web]",
                      kind->word, kind->word);
    if (!check_service_name(name, &err))
        return refuse(parser, line, "%s", err.text);
    return true;
}

bool
section_begin(struct parser *parser, unsigned line, const char *header)
{
    const struct section_kind *kind = section_kind_find(header);

    parser->headers = true;
    parser->continued = NULL;
    parser->section = kind != NULL ? kind->section : SECTION_NONE;
    if (kind == NULL)
        return refuse_header(parser, line, header);
    const char *name = header + strlen(kind->word);
    name += strspn(name, " \t");
    return kind->named ? begin_service(parser, line, kind, name)
                       : begin_single(parser, line, kind, name);
}
