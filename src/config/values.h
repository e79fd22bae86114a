/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of values: from text into a field, back to text, and freed.
 * settings is the struct that holds the field, at the option's offset.
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/options.h"

enum {
    VALUE_TEXT_SIZE = 512 /* of every kind but the texts and rules */
};

/* Lists take blank-separated items and may go on in indented lines. */
bool value_is_list(const struct option *option);

/*
 * One value, or one item of a list, which is appended.  "" sets the default of
 * an option whose default is "".  The field keeps its value on failure.
 */
MUST_CHECK bool value_set(const struct option *option, const char *text,
                          void *settings, struct error *err);

/*
 * The text that value_set takes back: of the only value (index 0) or of an item
 * of a list; NULL behind the last, and for an empty value.  In buffer, or
 * borrowed from settings.
 */
const char *value_get(const struct option *option, const void *settings,
                      size_t index, char buffer[VALUE_TEXT_SIZE]);

/* Frees what value_set allocated; the field is as if zeroed. */
void value_clear(const struct option *option, void *settings);

#endif
