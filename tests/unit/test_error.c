/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/error.c: sentences are set, prefixed and cut, never overrun. */
#include "check_main.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

START_TEST(sentence_is_set_from_format)
{
    struct error err;

    error_set(&err, "cannot open %s: it is %d bytes", "x", 7);

    ck_assert_str_eq(err.text, "cannot open x: it is 7 bytes");
}
END_TEST

START_TEST(errno_becomes_the_reason)
{
    struct error err;

    error_set_errno(&err, ENOENT, "cannot open %s", "/etc/x");

    ck_assert_str_eq(err.text, "cannot open /etc/x: No such file or directory");
}
END_TEST

START_TEST(prefix_goes_before_what_is_there)
{
    struct error err;
    error_set(&err, "no key");

    error_prefix(&err, "cannot start %s", "db");
    error_prefix(&err, "kerbwrap.ini:7");

    ck_assert_str_eq(err.text, "kerbwrap.ini:7: cannot start db: no key");
}
END_TEST

START_TEST(old_sentence_may_be_an_argument_of_the_new)
{
    struct error err;
    error_set(&err, "no key");

    error_set(&err, "tried twice: %s", err.text);

    ck_assert_str_eq(err.text, "tried twice: no key");
}
END_TEST

START_TEST(long_sentence_is_cut_and_terminated)
{
    struct error err;
    char long_text[2 * ERROR_TEXT_SIZE];
    memset(long_text, 'a', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';

    error_set(&err, "%s", long_text);
    ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);

    error_prefix(&err, "b");
    ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);
    ck_assert_int_eq(strncmp(err.text, "b: aaa", 6), 0);

    error_prefix(&err, "%s", long_text);
    ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);
}
END_TEST

START_TEST(no_error_wanted_is_fine)
{
    error_set(NULL, "x");
    error_set_errno(NULL, EIO, "x");
    error_prefix(NULL, "x");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("sentences");

    tcase_add_test(tests, sentence_is_set_from_format);
    tcase_add_test(tests, errno_becomes_the_reason);
    tcase_add_test(tests, prefix_goes_before_what_is_there);
    tcase_add_test(tests, old_sentence_may_be_an_argument_of_the_new);
    tcase_add_test(tests, long_sentence_is_cut_and_terminated);
    tcase_add_test(tests, no_error_wanted_is_fine);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
