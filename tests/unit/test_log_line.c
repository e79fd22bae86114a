/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/log_line.c and log_limit.c: the shape of lines, and how many. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "base/log_limit.h"
#include "base/log_line.h"

/* 2026-11-22T21:15:11.123Z */
static const struct timespec moment = {1795382111, 123456789};

static struct log_line line;

#define FORMAT(format, event, ...)                                             \
    log_line_format(&line, (format), (event),                                  \
                    (const struct log_field[]){                                \
                        __VA_ARGS__, {NULL, LOG_FIELD_END, NULL, 0}},          \
                    &moment)

/* A line is not terminated: its length says where it ends. */
static const char *
text(void)
{
    static char copy[LOG_LINE_SIZE + 1];

    memcpy(copy, line.text, line.length);
    copy[line.length] = '\0';
    return copy;
}

START_TEST(text_line_has_time_level_event_and_fields)
{
    FORMAT(LOG_FORMAT_TEXT, EVENT_DOWN, LOG_TEXT("service", "db"),
           LOG_NUMBER("id", 17), LOG_MS("duration", 61007));

    ck_assert_str_eq(text(), "2026-11-22T21:15:11.123Z info down service=db "
                             "id=17 duration=61.007\n");
}
END_TEST

START_TEST(json_line_has_the_same_fields)
{
    FORMAT(LOG_FORMAT_JSON, EVENT_DOWN, LOG_TEXT("service", "db"),
           LOG_NUMBER("id", 17), LOG_MS("duration", 61007));

    ck_assert_str_eq(text(), "{\"time\":\"2026-11-22T21:15:11.123Z\",\"level\":"
                             "\"info\",\"event\":\"down\",\"service\":\"db\","
                             "\"id\":17,\"duration\":61.007}\n");
}
END_TEST

static const struct {
    const char *value;
    const char *in_text;
    const char *in_json;
} values[] = {
    {"plain", "plain", "plain"},
    {"two words", "\"two words\"", "two words"},
    {"", "\"\"", ""},
    {"a=b", "\"a=b\"", "a=b"},
    {"say \"x\"", "\"say \\x22x\\x22\"", "say \\\"x\\\""},
    {"line\nfeed", "line\\x0afeed", "line\\nfeed"},
    {"\xff", "\\xff", "\xef\xbf\xbd"},
    {"alice\\@corp@R", "alice\\x5c@corp@R", "alice\\\\@corp@R"},
};

START_TEST(values_are_made_safe)
{
    char expected[256];

    FORMAT(LOG_FORMAT_TEXT, EVENT_NOTICE, LOG_TEXT("reason", values[_i].value));
    snprintf(expected, sizeof expected,
             "2026-11-22T21:15:11.123Z info notice reason=%s\n",
             values[_i].in_text);
    ck_assert_str_eq(text(), expected);

    FORMAT(LOG_FORMAT_JSON, EVENT_NOTICE, LOG_TEXT("reason", values[_i].value));
    snprintf(expected, sizeof expected, "\"reason\":\"%s\"}\n",
             values[_i].in_json);
    ck_assert_ptr_nonnull(strstr(text(), expected));
}
END_TEST

START_TEST(field_without_value_is_left_out)
{
    FORMAT(LOG_FORMAT_TEXT, EVENT_NOTICE, LOG_TEXT("service", NULL),
           LOG_TEXT("reason", "x"));

    ck_assert_str_eq(text(), "2026-11-22T21:15:11.123Z info notice reason=x\n");
}
END_TEST

START_TEST(body_leaves_out_time_and_level)
{
    FORMAT(LOG_FORMAT_TEXT, EVENT_WARN, LOG_TEXT("reason", "x"));

    ck_assert_str_eq(text() + line.body, "warning reason=x\n");
    ck_assert_int_eq(line.level, LOG_LEVEL_WARNING);
    FORMAT(LOG_FORMAT_JSON, EVENT_WARN, LOG_TEXT("reason", "x"));
    ck_assert_uint_eq(line.body, 0);
}
END_TEST

START_TEST(huge_values_leave_whole_lines)
{
    char huge[20000];
    memset(huge, '\n', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';

    for (int format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        FORMAT((enum log_format)format, EVENT_FAILED, LOG_TEXT("peer", huge),
               LOG_TEXT("from", huge), LOG_TEXT("to", huge),
               LOG_TEXT("target", huge), LOG_TEXT("reason", huge));
        ck_assert_uint_le(line.length, LOG_LINE_SIZE);
        ck_assert_ptr_nonnull(strstr(text(), "..."));
        ck_assert_ptr_null(strstr(text(), "reason"));
        ck_assert_ptr_eq(strchr(text(), '\n'), text() + line.length - 1);
    }
    ck_assert_str_eq(text() + line.length - 6, "...\"}\n");
}
END_TEST

START_TEST(burst_passes_then_ten_a_second)
{
    struct log_limit limit = {0};
    int passed = 0;

    for (int i = 0; i < 100; i++)
        passed += log_limit_pass(&limit, EVENT_FAILED, 5000);
    ck_assert_int_eq(passed, 50);
    ck_assert(!log_limit_pass(&limit, EVENT_FAILED, 5099));
    ck_assert(log_limit_pass(&limit, EVENT_FAILED, 5100));
    ck_assert(!log_limit_pass(&limit, EVENT_FAILED, 5100));

    for (uint64_t ms = 5100, end = 10100; ms <= end; ms++)
        passed += log_limit_pass(&limit, EVENT_FAILED, ms);
    ck_assert_int_eq(passed, 50 + 50);
}
END_TEST

START_TEST(withheld_lines_are_counted_once)
{
    struct log_limit limit = {0};
    for (int i = 0; i < 57; i++)
        (void)log_limit_pass(&limit, EVENT_PROBE, 1);

    ck_assert_uint_eq(log_limit_withheld(&limit, EVENT_PROBE), 7);
    ck_assert_uint_eq(log_limit_withheld(&limit, EVENT_PROBE), 0);
}
END_TEST

START_TEST(one_event_does_not_silence_another)
{
    struct log_limit limit = {0};
    while (log_limit_pass(&limit, EVENT_PROBE, 1))
        continue;

    ck_assert(log_limit_pass(&limit, EVENT_REFUSED, 1));
}
END_TEST

START_TEST(only_what_strangers_cause_is_limited)
{
    ck_assert(log_limit_applies(EVENT_FAILED));
    ck_assert(log_limit_applies(EVENT_REFUSED));
    ck_assert(log_limit_applies(EVENT_PROBE));
    ck_assert(log_limit_applies(EVENT_CANDIDATE));
    ck_assert(log_limit_applies(EVENT_ACCEPT_PAUSED));
    ck_assert(!log_limit_applies(EVENT_UP));
    ck_assert(!log_limit_applies(EVENT_DOWN));
    ck_assert(!log_limit_applies(EVENT_ERROR));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("log_line");
    TCase *lines = tcase_create("lines");
    TCase *limits = tcase_create("limits");

    tcase_add_test(lines, text_line_has_time_level_event_and_fields);
    tcase_add_test(lines, json_line_has_the_same_fields);
    tcase_add_loop_test(lines, values_are_made_safe, 0,
                        sizeof values / sizeof values[0]);
    tcase_add_test(lines, field_without_value_is_left_out);
    tcase_add_test(lines, body_leaves_out_time_and_level);
    tcase_add_test(lines, huge_values_leave_whole_lines);
    suite_add_tcase(suite, lines);

    tcase_add_test(limits, burst_passes_then_ten_a_second);
    tcase_add_test(limits, withheld_lines_are_counted_once);
    tcase_add_test(limits, one_event_does_not_silence_another);
    tcase_add_test(limits, only_what_strangers_cause_is_limited);
    suite_add_tcase(suite, limits);
    return suite;
}

CHECK_MAIN(make_suite)
