/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells are kept until all widths are known. */
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    CELL_SIZE = 256
};

struct table {
    const char *const *heads; /* borrowed */
    size_t columns;
    char **cells; /* owned, each of them */
    size_t count, room;
};

/* Characters of UTF-8, each taken for as wide as any. */
static int
width_of(const char *text)
{
    int width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

struct table *
table_new(const char *const *heads, size_t columns)
{
    struct table *table = calloc(1, sizeof *table);

    if (table != NULL) {
        table->heads = heads;
        table->columns = columns;
    }
    return table;
}

void
table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void
table_cell(struct table *table, const char *text)
{
    char safe[CELL_SIZE];

    if (table->count == table->room) {
        size_t room = table->room * 2 + 64;
        char **cells = realloc(table->cells, room * sizeof *cells);
        if (cells == NULL)
            return;
        table->cells = cells;
        table->room = room;
    }
    text_sanitize(text, strlen(text), safe, sizeof safe);
    table->cells[table->count++] = strdup(safe[0] != '\0' ? safe : "-");
}

static const char *
cell_at(const struct table *table, size_t i)
{
    return table->cells[i] != NULL ? table->cells[i] : "-";
}

static int
column_width(const struct table *table, size_t column)
{
    int widest = width_of(table->heads[column]);

    for (size_t i = column; i < table->count; i += table->columns) {
        int width = width_of(cell_at(table, i));
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void
print_cell(const char *text, int width, bool last)
{
    printf("%s", text);
    if (last)
        putchar('\n');
    else
        printf("%*s", width - width_of(text) + 2, "");
}

void
table_print(const struct table *table)
{
    size_t columns = table->columns;
    int *widths = calloc(columns, sizeof *widths);

    if (widths == NULL)
        return;
    for (size_t i = 0; i < columns; i++)
        widths[i] = column_width(table, i);
    for (size_t i = 0; i < columns; i++)
        print_cell(table->heads[i], widths[i], i + 1 == columns);
    for (size_t i = 0; i < table->count; i++)
        print_cell(cell_at(table, i), widths[i % columns],
                   i % columns + 1 == columns);
    free(widths);
}
