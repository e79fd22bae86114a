/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of all keys: the one truth from which the file is parsed, defaults
 * are set, `config` prints, and the documents are tested.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum section {
    SECTION_NONE = 0, /* before the first header, or below an unknown one */
    SECTION_KERBWRAP = 1,
    SECTION_DIRECTORY = 2,
    SECTION_SERVER = 4,
    SECTION_CLIENT = 8,
};

enum value_kind {
    VALUE_TEXT,      /* char * */
    VALUE_TEXTS,     /* struct text_list */
    VALUE_NUMBER,    /* unsigned; empty: 0 */
    VALUE_THREADS,   /* unsigned; auto: 0 */
    VALUE_DURATION,  /* uint64_t, ms */
    VALUE_SIZE,      /* uint64_t, bytes */
    VALUE_WORD,      /* an enum; words says which */
    VALUE_FLAG,      /* bool */
    VALUE_MODE,      /* mode_t */
    VALUE_ENDPOINT,  /* struct endpoint */
    VALUE_ENDPOINTS, /* struct endpoint_list */
    VALUE_STATUS,    /* status_enabled and status of struct global_settings */
    VALUE_ALLOW,     /* the allow rules of struct access_rules */
    VALUE_DENY,      /* the deny rules of it */
    VALUE_KINDS
};

struct option_word {
    const char *name; /* NULL ends the list */
    unsigned value;
};

struct option {
    const char *name;
    unsigned sections; /* enum section, or'ed */
    enum value_kind kind;
    size_t offset;            /* in the settings of its section */
    const char *default_text; /* "": empty, which is allowed only then */
    bool required;
    bool may_be_off;    /* a duration */
    uint64_t low, high; /* of a number, size or duration that is not off */
    const struct option_word *words;
    /* Refuses what is well-formed but cannot be meant.  NULL: nothing. */
    bool (*check)(const char *value, struct error *err);
    const char *help; /* one line for conf/kerbwrap.ini */
};

enum {
    OPTIONS_MAX = 96
};

/* Rows in the order in which they are documented; index < options_count(). */
size_t options_count(void);
const struct option *options_at(size_t index);

/* NULL when the section has no such key. */
const struct option *options_find(enum section section, const char *name);
size_t options_index(const struct option *option);

/* The key of section nearest to name, NULL when none is near. */
const char *options_nearest(enum section section, const char *name);

#endif
