/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of messages. */
#include "wire/message.h"

#include "check_main.h"

START_TEST(types_have_names)
{
    ck_assert_str_eq(message_name(MESSAGE_HELLO), "hello");
    ck_assert_str_eq(message_name(MESSAGE_PONG), "pong");
    ck_assert_str_eq(message_name(0), "unknown");
    ck_assert_str_eq(message_name(8), "unknown");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("message");
    TCase *tests = tcase_create("message");

    tcase_add_test(tests, types_have_names);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
