/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of cells under heads, each column as wide as its widest cell. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct table;

/* heads: borrowed.  NULL: out of memory. */
MUST_CHECK struct table *table_new(const char *const *heads, size_t columns);
void table_free(struct table *table); /* NULL is fine */

/* The next cell, line by line; made safe to print; "" is shown as "-". */
void table_cell(struct table *table, const char *text);
/* On standard output. */
void table_print(const struct table *table);

#endif
