/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parser knows between two lines, and its part that deals with section
 * headers.  Private to parse.c and sections.c.
 */
#ifndef CONFIG_PARSER_H
#define CONFIG_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/draft.h"
#include "config/options.h"

struct parser {
    /* borrowed */
    struct draft *draft;
    void *settings;                 /* of the section at hand */
    struct section_keys *keys;      /* of the section at hand */
    const struct option *continued; /* what an indented line continues; NULL:
                                       something that was refused */
    /* plain */
    enum section section;
    bool headers; /* there was one */
};

struct section_kind {
    const char *word; /* "server" */
    enum section section;
    bool named;
};

enum {
    SECTION_KINDS = 4
};

/* Records an error; false: it is no use to go on. */
#define refuse(parser, line, ...)                                              \
    findings_add(&(parser)->draft->findings, SEVERITY_ERROR, (line),           \
                 __VA_ARGS__)

/* The kinds, index < SECTION_KINDS; the one of section, which is not NONE; and
 * the one whose word is the first of header, NULL for none. */
const struct section_kind *section_kind_at(size_t index);
const struct section_kind *section_kind_of(enum section section);
const struct section_kind *section_kind_find(const char *header);

/* header is the text within the brackets.  False: it is no use to go on. */
bool section_begin(struct parser *parser, unsigned line, const char *header);

/* Gives every member that has a row its default; false for lack of memory. */
bool section_defaults(unsigned sections, void *settings);

#endif
