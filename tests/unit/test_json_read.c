/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/json_read.c */
#include "base/json_read.h"

#include <stdio.h>
#include <string.h>

#include "check_main.h"

static char text[4096];
static struct json_value *value;
static struct error err;

static bool
parse(const char *json)
{
    snprintf(text, sizeof text, "%s", json);
    value = json_parse(text, &err);
    return value != NULL;
}

static void
tear_down(void)
{
    json_free(value);
    value = NULL;
}

START_TEST(members_of_every_kind_are_found)
{
    ck_assert(parse(" {\"a\" : 1.5, \"b\":\"x\",\"c\":[true,false,null,-2],"
                    "\"d\":{\"e\":{}}, \"f\": true} \n"));
    ck_assert_double_eq(json_member_number(value, "a"), 1.5);
    ck_assert_str_eq(json_member_text(value, "b"), "x");
    const struct json_value *item = json_member(value, "c")->first;
    ck_assert_int_eq(item->kind, JSON_TRUE);
    ck_assert_int_eq(item->next->kind, JSON_FALSE);
    ck_assert_int_eq(item->next->next->kind, JSON_NULL);
    ck_assert_double_eq(item->next->next->next->number, -2);
    ck_assert_ptr_nonnull(json_member(json_member(value, "d"), "e"));
    ck_assert(json_member_is_true(value, "f"));
}
END_TEST

START_TEST(what_is_not_there_is_empty)
{
    ck_assert(parse("{\"a\":1}"));
    ck_assert_str_eq(json_member_text(value, "a"), "");
    ck_assert_double_eq(json_member_number(value, "b"), 0);
    ck_assert(!json_member_is_true(NULL, "c"));
}
END_TEST

START_TEST(escapes_become_bytes)
{
    ck_assert(parse("[\"\\\"\\\\\\/\\n\\u0041\\u00e4\\u20AC\\ud83d\\ude00"
                    "\\ud83d.\"]"));
    ck_assert_str_eq(value->first->text,
                     "\"\\/\nA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"
                     "\xef\xbf\xbd.");
}
END_TEST

static const char *const bad[] = {
    "",         "{",     "[1",         "[1,]",    "{\"a\"}",
    "{\"a\":}", "{a:1}", "\"x",        "\"\\x\"", "\"\\u12g4\"",
    "\"a\nb\"", "tru",   "nan",        "inf",     "0x10",
    "1 2",      "[1 2]", "{\"a\":1,}", "]",       "\"\\",
};

START_TEST(what_is_no_json_is_refused)
{
    ck_assert_msg(!parse(bad[_i]), "%s", bad[_i]);
    ck_assert_str_eq(err.text, "it is no JSON");
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    char deep[64] = "";

    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    ck_assert(parse(deep));
    json_free(value);
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    ck_assert(!parse(deep));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("json_read");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, members_of_every_kind_are_found);
    tcase_add_test(tests, what_is_not_there_is_empty);
    tcase_add_test(tests, escapes_become_bytes);
    tcase_add_loop_test(tests, what_is_no_json_is_refused, 0,
                        sizeof bad / sizeof bad[0]);
    tcase_add_test(tests, nesting_has_a_limit);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
