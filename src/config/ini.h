/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads ini text line by line with inih, which splits keys from values; what
 * inih cuts, skips or does not tell is seen to here.  Knows no key.
 *
 * A comment starts at ';' or '#' at the beginning of a line or behind a blank.
 * An indented line continues the key above it, unless it is the first line of
 * a section.
 */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

enum {
    INI_LINE_MAX = 4095 /* bytes, the line's end not counted */
};

/*
 * Called in line order, lines counted from 1; texts are without surrounding
 * blanks and comments, and valid during the call.  False stops the reading.
 */
struct ini_events {
    bool (*on_section)(unsigned line, const char *name, void *arg);
    bool (*on_value)(unsigned line, const char *key, const char *value,
                     void *arg);
    /* The value goes on: always after the on_value it belongs to. */
    bool (*on_continuation)(unsigned line, const char *text, void *arg);
    /* A line that cannot be used; what continues it is skipped. A section
     * header is announced by on_section as well, as far as it can be read. */
    bool (*on_error)(unsigned line, const char *sentence, void *arg);
};

/* False when reading itself failed, err being the reason alone; what a callback
 * stopped did not fail. */
MUST_CHECK bool ini_read(FILE *file, const struct ini_events *events, void *arg,
                         struct error *err);

#endif
