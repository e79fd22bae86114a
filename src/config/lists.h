/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of values that are lists: field is a struct text_list, a struct
 * endpoint_list, or a struct access_rules for either of its two lists.
 */
#ifndef CONFIG_LISTS_H
#define CONFIG_LISTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Parses text; the list stays as it is on failure. */
bool texts_append(void *field, const char *text, struct error *err);
bool endpoints_append(void *field, const char *text, struct error *err);
bool allow_append(void *field, const char *text, struct error *err);
bool deny_append(void *field, const char *text, struct error *err);

/* The text of one item, in buffer (VALUE_TEXT_SIZE) or borrowed from the list;
 * NULL behind the last. */
const char *texts_item(const void *field, size_t index, char *buffer);
const char *endpoints_item(const void *field, size_t index, char *buffer);
const char *allow_item(const void *field, size_t index, char *buffer);
const char *deny_item(const void *field, size_t index, char *buffer);

/* Frees all items; the list is empty again. */
void texts_clear(void *field);
void endpoints_clear(void *field);
void allow_clear(void *field);
void deny_clear(void *field);

#endif
