/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf/kerbwrap.ini and the man pages say what the tables say: the same keys,
 * events and metrics, in the same sections, with the same defaults and fields.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log_events.h"
#include "check_main.h"
#include "config/options.h"
#include "proxy/metrics_table.h"

struct documented_section {
    unsigned sections;
    bool exactly; /* options of these sections, not those of one of them */
    const char *heading;
};

/* The file repeats what both roles have, the man page has it once. */
static const struct documented_section file_sections[] = {
    {SECTION_KERBWRAP, false, ";[kerbwrap]\n"},
    {SECTION_DIRECTORY, false, ";[directory]\n"},
    {SECTION_SERVER, false, ";[server NAME]\n"},
    {SECTION_CLIENT, false, ";[client NAME]\n"},
};
static const struct documented_section page_sections[] = {
    {SECTION_KERBWRAP, true, ".Ss [kerbwrap]\n"},
    {SECTION_DIRECTORY, true, ".Ss [directory]\n"},
    {SECTION_SERVER, true, ".Ss [server NAME]\n"},
    {SECTION_CLIENT, true, ".Ss [client NAME]\n"},
    {SECTION_SERVER | SECTION_CLIENT, true,
     ".Ss [server NAME] and [client NAME]\n"},
};

static bool
belongs(const struct option *option, const struct documented_section *section)
{
    return section->exactly ? option->sections == section->sections
                            : (option->sections & section->sections) != 0;
}

/* A whole file of the source tree, to be freed. */
static char *
read_source(const char *path)
{
    char *text = NULL;
    size_t size;
    char buffer[4096];
    FILE *file = fopen(path, "r");
    FILE *memory = open_memstream(&text, &size);
    size_t length;

    ck_assert_msg(file != NULL, "cannot read %s", path);
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0)
        fwrite(buffer, 1, length, memory);
    fclose(file);
    fclose(memory);
    return text;
}

/* The text from behind heading up to the next one, to be freed. */
static char *
cut_section(const char *text, const char *heading, const char *next)
{
    const char *begin = strstr(text, heading);

    ck_assert_msg(begin != NULL, "no %s", heading);
    begin += strlen(heading);
    const char *end = strstr(begin, next);
    return strndup(begin, end != NULL ? (size_t)(end - begin) : strlen(begin));
}

static size_t
count_of(const char *text, const char *part)
{
    size_t count = 0;

    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}

/* Lines ";KEY = ..." */
static size_t
count_keys(const char *text)
{
    size_t count = 0;

    for (; (text = strstr(text, "\n;")) != NULL; text++)
        count += islower((unsigned char)text[2]) != 0;
    return count;
}

START_TEST(the_file_has_each_key_with_its_help_at_its_default)
{
    const struct documented_section *section = &file_sections[_i];
    char *file = read_source(SOURCE_DIR "/conf/kerbwrap.ini");
    char *text = cut_section(file, section->heading, "\n;[");
    const char *cursor = text;
    size_t count = 0;

    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        char lines[256];
        if (!belongs(option, section))
            continue;
        snprintf(lines, sizeof lines, "\n; %s\n;%s =%s%s\n", option->help,
                 option->name, *option->default_text != '\0' ? " " : "",
                 option->default_text);
        cursor = strstr(cursor, lines);
        ck_assert_msg(cursor != NULL, "not there, or not in order:%s", lines);
        count++;
    }
    ck_assert_uint_eq(count_keys(text), count);
    free(text);
    free(file);
}
END_TEST

/* What the page must say of an option, somewhere in its paragraph. */
static void
default_phrase(const struct option *option, char *phrase, size_t size)
{
    if (option->required)
        snprintf(phrase, size, "\nRequired.");
    else if (*option->default_text == '\0')
        snprintf(phrase, size, "\nEmpty by default");
    else
        snprintf(phrase, size, "\nThe default is\n.Li %s .",
                 option->default_text);
}

START_TEST(the_page_has_each_key_with_its_default)
{
    const struct documented_section *section = &page_sections[_i];
    char *page = read_source(SOURCE_DIR "/docs/kerbwrap.ini.5");
    char *text = cut_section(page, section->heading, "\n.S");
    size_t count = 0;

    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        char item[64], phrase[128];
        if (!belongs(option, section))
            continue;
        snprintf(item, sizeof item, ".It Ic %s\n", option->name);
        char *paragraph = cut_section(text, item, "\n.It Ic");
        default_phrase(option, phrase, sizeof phrase);
        ck_assert_msg(strstr(paragraph, phrase) != NULL, "%s lacks%s",
                      option->name, phrase);
        free(paragraph);
        count++;
    }
    ck_assert_uint_eq(count_of(text, ".It Ic "), count);
    free(text);
    free(page);
}
END_TEST

struct event {
    const char *name;
    const char *level;
    const char *fields;
};

#define EVENT_ROW(symbol, name, level, fields) {name, #level, fields},
static const struct event events[] = {LOG_EVENTS(EVENT_ROW)};

START_TEST(the_page_has_each_event_with_its_fields)
{
    char *page = read_source(SOURCE_DIR "/docs/kerbwrap.8");
    char *text = cut_section(page, ".Sh LOG\n", "\n.Sh ");
    size_t count = sizeof events / sizeof events[0];

    for (size_t i = 0; i < count; i++) {
        char item[128], fields[256], level[16] = "";
        for (size_t c = 0; events[i].level[c] != '\0'; c++)
            level[c] = (char)tolower((unsigned char)events[i].level[c]);
        snprintf(item, sizeof item, ".It Ic %s Pq Li %s\n", events[i].name,
                 level);
        snprintf(fields, sizeof fields, "Fields:\n.Li %s\n", events[i].fields);
        char *paragraph = cut_section(text, item, ".It Ic");
        ck_assert_msg(strstr(paragraph, fields) != NULL, "%s lacks %s",
                      events[i].name, fields);
        free(paragraph);
    }
    ck_assert_uint_eq(count_of(text, ".It Ic "), count);
    free(text);
    free(page);
}
END_TEST

struct metric {
    const char *name, *type, *labels, *help;
};

#define METRIC_ROW(scope, name, type, labels, help, source)                    \
    {name, #type, labels, help},
static const struct metric metrics[] = {METRICS(METRIC_ROW)};

/* Lines are filled in the page. */
static void
join_lines(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\n')
            *text = ' ';
}

START_TEST(the_page_has_each_metric_with_its_help_and_labels)
{
    char *page = read_source(SOURCE_DIR "/docs/kerbwrap.8");
    char *text = cut_section(page, ".Sh METRICS\n", "\n.Sh ");
    size_t count = sizeof metrics / sizeof metrics[0];

    ck_assert_uint_eq(count_of(text, ".It Ic "), count);
    for (size_t i = 0; i < count; i++) {
        char item[128], labels[64], type[16] = "";
        for (size_t c = 0; metrics[i].type[c] != '\0'; c++)
            type[c] = (char)tolower((unsigned char)metrics[i].type[c]);
        snprintf(item, sizeof item, ".It Ic %s Pq Li %s\n", metrics[i].name,
                 type);
        snprintf(labels, sizeof labels, "Labels: .Li %s .", metrics[i].labels);
        char *paragraph = cut_section(text, item, ".It Ic");
        join_lines(paragraph);
        ck_assert_msg(strstr(paragraph, metrics[i].help) == paragraph,
                      "%s lacks its help", metrics[i].name);
        ck_assert_msg(*metrics[i].labels == '\0' ||
                          strstr(paragraph, labels) != NULL,
                      "%s lacks %s", metrics[i].name, labels);
        free(paragraph);
    }
    free(text);
    free(page);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("documents");
    TCase *keys = tcase_create("keys");
    TCase *log = tcase_create("log");

    tcase_add_loop_test(keys,
                        the_file_has_each_key_with_its_help_at_its_default, 0,
                        sizeof file_sections / sizeof file_sections[0]);
    tcase_add_loop_test(keys, the_page_has_each_key_with_its_default, 0,
                        sizeof page_sections / sizeof page_sections[0]);
    tcase_add_test(log, the_page_has_each_event_with_its_fields);
    tcase_add_test(log, the_page_has_each_metric_with_its_help_and_labels);
    suite_add_tcase(suite, keys);
    suite_add_tcase(suite, log);
    return suite;
}

CHECK_MAIN(make_suite)
