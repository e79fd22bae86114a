/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reader makes of lines, told as one line of text for each event. */
#include "config/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"

struct record {
    char text[2 * INI_LINE_MAX];
    unsigned stop_at; /* the line whose event ends the reading */
};

static bool
note(struct record *record, unsigned line, const char *format, ...)
{
    size_t used = strlen(record->text);
    va_list args;

    va_start(args, format);
    vsnprintf(record->text + used, sizeof record->text - used, format, args);
    va_end(args);
    return line != record->stop_at;
}

static bool
on_section(unsigned line, const char *name, void *arg)
{
    return note(arg, line, "%u [%s]\n", line, name);
}

static bool
on_value(unsigned line, const char *key, const char *value, void *arg)
{
    return note(arg, line, "%u %s=%s\n", line, key, value);
}

static bool
on_continuation(unsigned line, const char *text, void *arg)
{
    return note(arg, line, "%u +%s\n", line, text);
}

static bool
on_error(unsigned line, const char *sentence, void *arg)
{
    return note(arg, line, "%u !%s\n", line, sentence);
}

static const struct ini_events events = {
    .on_section = on_section,
    .on_value = on_value,
    .on_continuation = on_continuation,
    .on_error = on_error,
};

static struct record
read_bytes(const char *bytes, size_t length, unsigned stop_at)
{
    struct record record = {.stop_at = stop_at};
    struct error err;
    FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");

    ck_assert_ptr_nonnull(file);
    ck_assert(ini_read(file, &events, &record, &err));
    fclose(file);
    return record;
}

static void
expect(const char *text, const char *seen)
{
    ck_assert_str_eq(read_bytes(text, strlen(text), 0).text, seen);
}

START_TEST(keys_and_sections_come_with_their_lines)
{
    expect("[a]\n\nx = 1\n; comment\n[b c]\ny=two words\n",
           "1 [a]\n3 x=1\n5 [b c]\n6 y=two words\n");
}
END_TEST

START_TEST(empty_and_repeated_sections_are_seen)
{
    expect("[a]\n[b]\n[a]\n", "1 [a]\n2 [b]\n3 [a]\n");
}
END_TEST

START_TEST(section_names_are_not_cut)
{
    expect("[server aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n"
           "k=v\n",
           "1 [server aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]"
           "\n2 k=v\n");
}
END_TEST

START_TEST(empty_values_are_told)
{
    expect("a =\nb=\nc = ; nothing\nd =;nothing\n", "1 a=\n2 b=\n3 c=\n4 d=\n");
}
END_TEST

START_TEST(comments_are_cut_behind_blanks_only)
{
    expect("a = x ; y\nb = x;y # z\nc = x#y\t;z\n# d = 1\n ; e = 1\n",
           "1 a=x\n2 b=x;y\n3 c=x#y\n");
}
END_TEST

START_TEST(indented_lines_continue_the_key)
{
    expect("a = 1\n  2 ; two\n\n\t3\n  # four\n  5\nb = 6\n",
           "1 a=1\n2 +2\n4 +3\n6 +5\n7 b=6\n");
}
END_TEST

START_TEST(continued_text_is_not_taken_apart)
{
    expect("a = 1\n  b = 2\n  [c]\n  d\n", "1 a=1\n2 +b = 2\n3 +[c]\n4 +d\n");
}
END_TEST

START_TEST(first_line_of_a_section_may_be_indented)
{
    expect("[s]\n  a = 1\n", "1 [s]\n2 a=1\n");
}
END_TEST

START_TEST(sections_end_continuation)
{
    expect("[s]\na = 1\n[t]\n  b = 2\n", "1 [s]\n2 a=1\n3 [t]\n4 b=2\n");
}
END_TEST

START_TEST(lines_without_equals_sign_are_errors)
{
    expect("a\nb: 1\n= 2\nc : d = 3\ne ; f = 4\n",
           "1 !this line is not KEY = VALUE\n2 !this line is not KEY = VALUE\n"
           "3 !this line is not KEY = VALUE\n4 !this line is not KEY = VALUE\n"
           "5 !this line is not KEY = VALUE\n");
}
END_TEST

START_TEST(what_continues_an_error_is_skipped)
{
    expect("a = 1\nbad\n  2\n  3\nb = 4\n",
           "1 a=1\n2 !this line is not KEY = VALUE\n5 b=4\n");
}
END_TEST

START_TEST(broken_section_headers_are_errors_and_sections)
{
    expect("[a\nx = 1\n[b] junk\ny = 2\n",
           "1 !the section header lacks its `]`\n1 [a]\n2 x=1\n"
           "3 !the section header has text after its `]`\n3 [b]\n4 y=2\n");
}
END_TEST

START_TEST(comment_after_a_section_is_fine)
{
    expect("[a] ; first\n[ b ]\n", "1 [a]\n2 [b]\n");
}
END_TEST

START_TEST(crlf_and_byte_order_mark_are_fine)
{
    expect("\xef\xbb\xbf[a]\r\nx = 1\r\n  2\r\n", "1 [a]\n2 x=1\n3 +2\n");
}
END_TEST

START_TEST(last_line_needs_no_end)
{
    expect("[a]\nx = 1", "1 [a]\n2 x=1\n");
}
END_TEST

START_TEST(nul_bytes_are_errors)
{
    static const char text[] = "a = 1\0b\nc = 2\n";

    ck_assert_str_eq(read_bytes(text, sizeof text - 1, 0).text,
                     "1 !this line holds a NUL byte\n2 c=2\n");
}
END_TEST

START_TEST(lines_of_4095_bytes_are_read_whole)
{
    char text[INI_LINE_MAX + 2] = "a=";
    char seen[INI_LINE_MAX + 5];

    memset(text + 2, 'x', INI_LINE_MAX - 2);
    text[INI_LINE_MAX] = '\n';
    snprintf(seen, sizeof seen, "1 %s", text);
    expect(text, seen);
}
END_TEST

START_TEST(longer_lines_are_errors)
{
    char text[INI_LINE_MAX + 8] = "a=";

    memset(text + 2, 'x', INI_LINE_MAX - 1);
    memcpy(text + INI_LINE_MAX + 1, "\nb=1\n", 6);
    expect(text, "1 !this line is over 4,095 bytes; a list may go on in "
                 "indented lines\n2 b=1\n");
}
END_TEST

START_TEST(a_callback_can_stop_the_reading)
{
    static const char text[] = "a = 1\n  2\n  3\nb = 4\n";

    ck_assert_str_eq(read_bytes(text, sizeof text - 1, 2).text,
                     "1 a=1\n2 +2\n");
}
END_TEST

START_TEST(directories_cannot_be_read)
{
    struct record record = {0};
    struct error err;
    FILE *file = fopen("/", "r");

    ck_assert(!ini_read(file, &events, &record, &err));
    ck_assert_str_eq(err.text, "Is a directory");
    fclose(file);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("ini");
    TCase *lines = tcase_create("lines");
    TCase *errors = tcase_create("errors");

    tcase_add_test(lines, keys_and_sections_come_with_their_lines);
    tcase_add_test(lines, empty_and_repeated_sections_are_seen);
    tcase_add_test(lines, section_names_are_not_cut);
    tcase_add_test(lines, empty_values_are_told);
    tcase_add_test(lines, comments_are_cut_behind_blanks_only);
    tcase_add_test(lines, indented_lines_continue_the_key);
    tcase_add_test(lines, continued_text_is_not_taken_apart);
    tcase_add_test(lines, first_line_of_a_section_may_be_indented);
    tcase_add_test(lines, sections_end_continuation);
    tcase_add_test(lines, comment_after_a_section_is_fine);
    tcase_add_test(lines, crlf_and_byte_order_mark_are_fine);
    tcase_add_test(lines, last_line_needs_no_end);
    tcase_add_test(lines, lines_of_4095_bytes_are_read_whole);
    tcase_add_test(lines, a_callback_can_stop_the_reading);
    tcase_add_test(errors, lines_without_equals_sign_are_errors);
    tcase_add_test(errors, what_continues_an_error_is_skipped);
    tcase_add_test(errors, broken_section_headers_are_errors_and_sections);
    tcase_add_test(errors, nul_bytes_are_errors);
    tcase_add_test(errors, longer_lines_are_errors);
    tcase_add_test(errors, directories_cannot_be_read);
    suite_add_tcase(suite, lines);
    suite_add_tcase(suite, errors);
    return suite;
}

CHECK_MAIN(make_suite)
