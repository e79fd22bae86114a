/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/text.c and text_safe.c. */
#include "check_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    uint64_t value;
} durations[] = {
    {"500ms", 500}, {"10s", 10000},
    {"5m", 300000}, {"2h", 7200000},
    {"0s", 0},      {"off", DURATION_OFF},
    {"1ms", 1},     {"1500ms", 1500},
    {"90s", 90000}, {"87600h", UINT64_C(315360000000)},
};

START_TEST(duration_is_read_and_written_back)
{
    uint64_t ms = 1;
    char text[32];

    ck_assert(duration_parse(durations[_i].text, &ms, NULL));
    duration_format(ms, text, sizeof text);

    ck_assert_uint_eq(ms, durations[_i].value);
    ck_assert_str_eq(text, durations[_i].text);
}
END_TEST

static const char *const bad_durations[] = {
    "",   "10", "-1s",  "+1s", " 1s",  "1s ", "1 s", "1d",
    "1S", "s",  "1.5s", "OFF", "0x1s", "1ss", "1sm",
};

START_TEST(bad_duration_is_refused)
{
    uint64_t ms = 77;
    struct error err;

    ck_assert(!duration_parse(bad_durations[_i], &ms, &err));

    ck_assert_uint_eq(ms, 77);
    ck_assert_ptr_nonnull(
        strstr(err.text, "write a number with ms, s, m or h"));
}
END_TEST

START_TEST(refused_duration_is_quoted)
{
    uint64_t ms;
    struct error err;

    ck_assert(!duration_parse("10", &ms, &err));

    ck_assert_str_eq(err.text, "cannot read \"10\" as a duration: write a "
                               "number with ms, s, m or h, as 10s, or off");
}
END_TEST

static const char *const long_durations[] = {
    "87601h",
    "315360000001ms",
    "18446744073709551615s",
};

START_TEST(duration_over_ten_years_is_refused)
{
    uint64_t ms;
    struct error err;

    ck_assert(!duration_parse(long_durations[_i], &ms, &err));

    ck_assert_ptr_nonnull(strstr(err.text, ": it is over 10 years"));
}
END_TEST

START_TEST(shortest_duration_text_is_chosen)
{
    char text[32];

    duration_format(3600000, text, sizeof text);
    ck_assert_str_eq(text, "1h");
    duration_format(120000, text, sizeof text);
    ck_assert_str_eq(text, "2m");
    duration_format(5000, text, sizeof text);
    ck_assert_str_eq(text, "5s");
}
END_TEST

START_TEST(every_formatted_value_parses_back)
{
    uint64_t state = 1;
    char text[32];
    uint64_t back;

    for (int i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t value = (state >> 33) >> (state % 31);
        duration_format(value, text, sizeof text);
        ck_assert(duration_parse(text, &back, NULL) && back == value);
        size_format(value, text, sizeof text);
        ck_assert(size_parse(text, &back, NULL) && back == value);
    }
}
END_TEST

static const struct {
    const char *text;
    uint64_t value;
} sizes[] = {
    {"0", 0},
    {"512", 512},
    {"64k", 65536},
    {"4m", 4194304},
    {"1g", 1073741824},
    {"1025", 1025},
    {"1023g", UINT64_C(1023) << 30},
    {"1024g", UINT64_C(1) << 40},
};

START_TEST(size_is_read_and_written_back)
{
    uint64_t bytes = 1;
    char text[32];

    ck_assert(size_parse(sizes[_i].text, &bytes, NULL));
    size_format(bytes, text, sizeof text);

    ck_assert_uint_eq(bytes, sizes[_i].value);
    ck_assert_str_eq(text, sizes[_i].text);
}
END_TEST

START_TEST(bad_size_is_refused)
{
    uint64_t bytes;
    struct error err;

    ck_assert(!size_parse("64K", &bytes, &err));
    ck_assert_str_eq(err.text, "cannot read \"64K\" as a size: write a number "
                               "of bytes, or with k, m or g, as 64k");
    ck_assert(!size_parse("1025g", &bytes, &err));
    ck_assert_str_eq(err.text,
                     "cannot read \"1025g\" as a size: it is over 1024g");
    ck_assert(!size_parse("", &bytes, &err));
    ck_assert(!size_parse("-1", &bytes, &err));
    ck_assert(!size_parse("99999999999999999999", &bytes, &err));
}
END_TEST

START_TEST(number_within_its_range_is_read)
{
    uint64_t value;

    ck_assert(number_parse("0", 0, 9, &value, NULL));
    ck_assert_uint_eq(value, 0);
    ck_assert(
        number_parse("18446744073709551615", 0, UINT64_MAX, &value, NULL));
    ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

static const char *const bad_numbers[] = {
    "", "0", "65536", "1 ", " 1", "+1", "-1", "1k", "18446744073709551617",
};

START_TEST(number_outside_its_range_is_refused)
{
    uint64_t value;
    struct error err;
    char expected[128];

    ck_assert(!number_parse(bad_numbers[_i], 1, 65535, &value, &err));

    snprintf(expected, sizeof expected,
             "cannot read \"%s\" as a number: it must be from 1 to 65535, in "
             "digits only",
             bad_numbers[_i]);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

static const struct {
    const char *pattern, *text, *stop;
    bool matches;
} globs[] = {
    {"", "", "", true},
    {"", "a", "", false},
    {"a", "", "", false},
    {"*", "", "", true},
    {"*", "anything", "", true},
    {"*", "a/b", "/", false},
    {"a*", "a", "/", true},
    {"a*c", "abc", "", true},
    {"a*c", "abcd", "", false},
    {"a*b*c", "aXbYbZc", "", true},
    {"*/*", "a/b", "/@", true},
    {"*/*", "a/b/c", "/@", false},
    {"*/*", "a", "/@", false},
    {"*.corp", "web1.corp", ".", true},
    {"*.corp", "a.web1.corp", ".", false},
    {"**", "ab", "", true},
    {"*b/*c", "xb/yc", "/", true},
    {"*b/*c", "b/b/c", "/", false},
    {"a", "A", "", false},
    {"?", "a", "", false},
};

START_TEST(glob_matches_as_its_table_says)
{
    ck_assert(glob_match(globs[_i].pattern, globs[_i].text, globs[_i].stop) ==
              globs[_i].matches);
}
END_TEST

/* The definition itself, recursive and slow. */
static bool
glob_by_definition(const char *pattern, const char *text, const char *stop)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern != '*')
        return *pattern == *text &&
               glob_by_definition(pattern + 1, text + 1, stop);
    for (;; text++) {
        if (glob_by_definition(pattern + 1, text, stop))
            return true;
        if (*text == '\0' || strchr(stop, *text) != NULL)
            return false;
    }
}

START_TEST(glob_agrees_with_its_definition)
{
    unsigned state = 1;
    char pattern[8], text[9];

    for (int i = 0; i < 200000; i++) {
        for (size_t j = 0; j < sizeof pattern - 1; j++)
            pattern[j] = "ab/*"[(state = state * 1103515245 + 12345) >> 30];
        for (size_t j = 0; j < sizeof text - 1; j++)
            text[j] = "abb/"[(state = state * 1103515245 + 12345) >> 30];
        pattern[state >> 16 & 7] = '\0';
        text[state >> 20 & 7] = '\0';
        pattern[sizeof pattern - 1] = text[sizeof text - 1] = '\0';
        ck_assert_msg(glob_match(pattern, text, "/") ==
                          glob_by_definition(pattern, text, "/"),
                      "%s %s", pattern, text);
    }
}
END_TEST

START_TEST(hostile_glob_takes_no_exponential_time)
{
    char text[4001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    ck_assert(!glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text, ""));
}
END_TEST

static const char *const words[] = {
    "accept", "connect", "keytab", "keywords", "allow", "deny", "scp", "spn",
};

static const struct {
    const char *text;
    const char *nearest;
} misspellings[] = {
    {"acept", "accept"},  {"conect", "connect"},
    {"ketyab", "keytab"}, {"Keytab", "keytab"},
    {"alow", "allow"},    {"dney", "deny"},
    {"sp", "scp"},        {"keyword", "keywords"},
    {"bananas", NULL},    {"", NULL},
    {"x", NULL},
};

START_TEST(misspelling_finds_its_word)
{
    const char *found = nearest_word(misspellings[_i].text, words,
                                     COUNT(words));

    if (misspellings[_i].nearest == NULL)
        ck_assert_ptr_null(found);
    else
        ck_assert_pstr_eq(found, misspellings[_i].nearest);
}
END_TEST

START_TEST(very_long_text_is_no_misspelling)
{
    char text[1000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    ck_assert_ptr_null(nearest_word(text, words, COUNT(words)));
}
END_TEST

static const struct {
    const char *raw;
    const char *safe;
    const char *json;
} unsafe[] = {
    {"plain text", "plain text", "plain text"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91",
     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91",
     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91"},
    {"a\nb\tc", "a\\x0ab\\x09c", "a\\nb\\tc"},
    {"\x1b[31m", "\\x1b[31m", "\\u001b[31m"},
    {"\x7f", "\\x7f", "\\u007f"},
    {"say \"a\\b\"", "say \\x22a\\x5cb\\x22", "say \\\"a\\\\b\\\""},
    {"it's", "it's", "it's"},
    {"\xff\xc0\x80", "\\xff\\xc0\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xc3", "\\xc3", "\xef\xbf\xbd"},
    {"\xc2\x9b", "\\xc2\\x9b", "\\u009b"},
    {"\xe2\x80\xae", "\\xe2\\x80\\xae", "\\u202e"},
};

START_TEST(stranger_s_bytes_are_made_safe)
{
    char out[64];

    text_sanitize(unsafe[_i].raw, strlen(unsafe[_i].raw), out, sizeof out);

    ck_assert_str_eq(out, unsafe[_i].safe);
}
END_TEST

START_TEST(stranger_s_bytes_become_json)
{
    char out[64];

    size_t needed = text_json_escape(unsafe[_i].raw, strlen(unsafe[_i].raw),
                                     out, sizeof out);

    ck_assert_str_eq(out, unsafe[_i].json);
    ck_assert_uint_eq(needed, strlen(unsafe[_i].json));
}
END_TEST

START_TEST(nul_inside_the_bytes_is_shown)
{
    char out[16];

    ck_assert_str_eq(text_sanitize("a\0b", 3, out, sizeof out), "a\\x00b");
    ck_assert_uint_eq(text_json_escape("a\0b", 3, out, sizeof out), 8);
    ck_assert_str_eq(out, "a\\u0000b");
}
END_TEST

START_TEST(cut_is_marked)
{
    char out[8];

    ck_assert_str_eq(text_sanitize("1234567", 7, out, sizeof out), "1234567");
    ck_assert_str_eq(text_sanitize("12345678", 8, out, sizeof out), "1234...");
    ck_assert_str_eq(text_sanitize("12\n\n", 4, out, sizeof out), "12...");
    ck_assert_str_eq(text_sanitize("123456\xc3\xa9", 8, out, sizeof out),
                     "1234...");
    ck_assert_str_eq(text_sanitize("abc", 3, out, 2), "a");
    ck_assert_str_eq(text_sanitize("abc", 3, out, 1), "");
    text_sanitize("abc", 3, NULL, 0);
}
END_TEST

START_TEST(json_is_cut_between_characters_and_counted)
{
    char out[6];

    ck_assert_uint_eq(text_json_escape("abcd\n", 5, out, sizeof out), 6);
    ck_assert_str_eq(out, "abcd");
    ck_assert_uint_eq(text_json_escape("abcd\nefgh", 9, NULL, 0), 10);
}
END_TEST

START_TEST(no_byte_string_makes_an_unsafe_line)
{
    unsigned state = 7;
    uint8_t raw[40];
    char out[48];

    for (int i = 0; i < 50000; i++) {
        for (size_t j = 0; j < sizeof raw; j++)
            raw[j] = (uint8_t)((state = state * 1103515245 + 12345) >> 20);
        size_t size = 1 + (state >> 8) % sizeof out;
        text_sanitize(raw, (state >> 16) % sizeof raw, out, size);
        ck_assert_uint_lt(strlen(out), size);
        for (const char *byte = out; *byte != '\0'; byte++)
            ck_assert((uint8_t)*byte >= ' ' && *byte != '"' && *byte != 0x7f);
    }
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *units = tcase_create("units");
    TCase *patterns = tcase_create("patterns");
    TCase *safe = tcase_create("safe");

    tcase_add_loop_test(units, duration_is_read_and_written_back, 0,
                        COUNT(durations));
    tcase_add_loop_test(units, bad_duration_is_refused, 0,
                        COUNT(bad_durations));
    tcase_add_test(units, refused_duration_is_quoted);
    tcase_add_loop_test(units, duration_over_ten_years_is_refused, 0,
                        COUNT(long_durations));
    tcase_add_test(units, shortest_duration_text_is_chosen);
    tcase_add_test(units, every_formatted_value_parses_back);
    tcase_add_loop_test(units, size_is_read_and_written_back, 0, COUNT(sizes));
    tcase_add_test(units, bad_size_is_refused);
    tcase_add_test(units, number_within_its_range_is_read);
    tcase_add_loop_test(units, number_outside_its_range_is_refused, 0,
                        COUNT(bad_numbers));
    suite_add_tcase(suite, units);

    tcase_add_loop_test(patterns, glob_matches_as_its_table_says, 0,
                        COUNT(globs));
    tcase_add_test(patterns, glob_agrees_with_its_definition);
    tcase_add_test(patterns, hostile_glob_takes_no_exponential_time);
    tcase_add_loop_test(patterns, misspelling_finds_its_word, 0,
                        COUNT(misspellings));
    tcase_add_test(patterns, very_long_text_is_no_misspelling);
    suite_add_tcase(suite, patterns);

    tcase_add_loop_test(safe, stranger_s_bytes_are_made_safe, 0, COUNT(unsafe));
    tcase_add_loop_test(safe, stranger_s_bytes_become_json, 0, COUNT(unsafe));
    tcase_add_test(safe, nul_inside_the_bytes_is_shown);
    tcase_add_test(safe, cut_is_marked);
    tcase_add_test(safe, json_is_cut_between_characters_and_counted);
    tcase_add_test(safe, no_byte_string_makes_an_unsafe_line);
    suite_add_tcase(suite, safe);
    return suite;
}

CHECK_MAIN(make_suite)
