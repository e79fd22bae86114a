/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration as ini again, row by row of the option table. */
#include "config/config.h"

#include <stdbool.h>
#include <string.h>

#include "config/ini.h"
#include "config/options.h"
#include "config/values.h"

/* Could text, alone in an indented line, be taken for a key or a section? */
static bool
is_misleading(const char *text)
{
    return *text == '[' || strchr(text, '=') != NULL;
}

/* Of `KEY = VALUE`, with the items of a list in one line. */
static size_t
line_length(const struct option *option, const void *settings)
{
    char buffer[VALUE_TEXT_SIZE];
    size_t length = strlen(option->name) + 2;
    const char *item;

    for (size_t i = 0; (item = value_get(option, settings, i, buffer)) != NULL;
         i++)
        length += 1 + strlen(item);
    return length;
}

/* Lists that are too long for one line get a line for each item. */
static void
print_option(const struct option *option, const void *settings, FILE *out)
{
    char buffer[VALUE_TEXT_SIZE];
    bool fits = line_length(option, settings) <= INI_LINE_MAX;
    const char *item;

    fprintf(out, fits ? "%s =" : "%s=", option->name);
    for (size_t i = 0; (item = value_get(option, settings, i, buffer)) != NULL;
         i++) {
        if (fits)
            putc(' ', out);
        else if (i > 0)
            fputs(is_misleading(item) ? " " : "\n\t", out);
        fputs(item, out);
    }
    putc('\n', out);
}

static void
print_section(enum section section, const void *settings, FILE *out)
{
    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        if ((option->sections & section) != 0)
            print_option(option, settings, out);
    }
}

void
config_print(const struct config *config, FILE *out)
{
    fprintf(out, "[kerbwrap]\n");
    print_section(SECTION_KERBWRAP, &config->global, out);
    if (config->directory.present) {
        fprintf(out, "\n[directory]\n");
        print_section(SECTION_DIRECTORY, &config->directory, out);
    }
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *service = &config->services[i];
        fprintf(out, "\n[%s %s]\n", role_name(service->role), service->name);
        print_section(service->role == ROLE_SERVER ? SECTION_SERVER
                                                   : SECTION_CLIENT,
                      service, out);
    }
}
