/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: lines, each an attribute as a directory calls it after one letter that
 * says how many values it has ("c" two more than "a").  The first is what a
 * search found, the others are the answers to the questions for more.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/ranges.h"

#define DN "CN=web1,DC=example,DC=test"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char *rest; /* the lines that were not used yet */

static void
must(bool truth)
{
    if (!truth)
        abort();
}

static void
add_line(struct entry_list *list, const char *line)
{
    struct entry entry;

    if (line == NULL || strlen(line) < 2)
        return;
    must(entry_init(&entry, DN, NULL));
    for (int i = 0; i <= (line[0] & 7); i++)
        must(entry_add(&entry, line + 1, "value", 5, NULL));
    must(entry_list_take(list, &entry, NULL));
}

static enum directory_status
answer(void *connection, const struct search *search, struct entry_list *list,
       struct error *err)
{
    (void)connection;
    (void)err;
    must(strcmp(search->base, DN) == 0 && search->attributes[1] == NULL);
    add_line(list, strsep(&rest, "\n"));
    return DIRECTORY_ANSWERED;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct entry_list list = {.count = 0};
    char *text = strndup((const char *)bytes, size);
    struct error err;

    must(text != NULL);
    rest = text;
    add_line(&list, strsep(&rest, "\n"));
    must(ranges_complete(answer, NULL, &list, &err) == DIRECTORY_ANSWERED);
    entry_list_clear(&list);
    free(text);
    return 0;
}
