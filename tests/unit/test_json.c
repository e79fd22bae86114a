/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "check_main.h"

static struct evbuffer *out;

static void
set_up(void)
{
    out = evbuffer_new();
    ck_assert_ptr_nonnull(out);
}

static void
tear_down(void)
{
    evbuffer_free(out);
}

/* Is this all that was appended? */
static void
assert_text(const char *expected)
{
    size_t size = evbuffer_get_length(out);

    ck_assert_uint_eq(size, strlen(expected));
    if (size > 0)
        ck_assert_mem_eq(evbuffer_pullup(out, -1), expected, size);
}

START_TEST(members_are_separated)
{
    json_open(out, '{');
    json_text(out, "a", "x");
    json_number(out, "b", 7);
    json_boolean(out, "c", true);
    json_seconds(out, "d", 1250);
    json_close(out, '}');

    assert_text("{\"a\":\"x\",\"b\":7,\"c\":true,\"d\":1.250}");
}
END_TEST

START_TEST(items_and_objects_are_separated)
{
    json_open(out, '{');
    json_open_member(out, "list", '[');
    json_item(out, "one");
    json_item(out, "two");
    json_open(out, '{');
    json_close(out, '}');
    json_close(out, ']');
    json_close(out, '}');

    assert_text("{\"list\":[\"one\",\"two\",{}]}");
}
END_TEST

START_TEST(a_list_may_be_empty)
{
    json_open(out, '[');
    json_close(out, ']');

    assert_text("[]");
}
END_TEST

START_TEST(texts_are_escaped)
{
    json_open(out, '[');
    json_item(out, "\"\\\n\x1b");
    json_close(out, ']');

    assert_text("[\"\\\"\\\\\\n\\u001b\"]");
}
END_TEST

START_TEST(a_long_text_is_whole)
{
    enum {
        LENGTH = 100000
    };
    char *text = malloc(LENGTH + 1);

    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    json_item(out, text);

    ck_assert_uint_eq(evbuffer_get_length(out), LENGTH + 2);
    free(text);
}
END_TEST

START_TEST(values_of_another_buffer_are_appended)
{
    struct evbuffer *values = evbuffer_new();

    json_open(values, '{');
    json_close(values, '}');
    json_open(out, '[');
    json_item(out, "x");
    json_values(out, values);
    json_values(out, values);
    json_close(out, ']');

    assert_text("[\"x\",{}]");
    evbuffer_free(values);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, members_are_separated);
    tcase_add_test(tests, items_and_objects_are_separated);
    tcase_add_test(tests, a_list_may_be_empty);
    tcase_add_test(tests, texts_are_escaped);
    tcase_add_test(tests, a_long_text_is_whole);
    tcase_add_test(tests, values_of_another_buffer_are_appended);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
