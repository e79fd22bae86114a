/* SPDX-License-Identifier: BSD-2-Clause */
/* Principals in the display form of MIT's library. */
#include "gss/principal.h"

#include "check_main.h"

static void
expect_principal_error(const char *text, const char *sentence)
{
    struct principal principal;
    struct error err = {.text = ""};

    ck_assert(!principal_parse(text, &principal, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(principal_is_split_at_unescaped_marks)
{
    struct principal principal;

    ck_assert(principal_parse("a\\/b/c\\@d\\\\@R/S", &principal, NULL));
    ck_assert_uint_eq(principal.count, 2);
    ck_assert_str_eq(principal.components[0], "a/b");
    ck_assert_str_eq(principal.components[1], "c@d\\");
    ck_assert_str_eq(principal.realm, "R/S");
    principal_clear(&principal);
}
END_TEST

START_TEST(escaped_control_characters_are_those_characters)
{
    struct principal principal;

    ck_assert(principal_parse("a\\nb\\tc\\bd@R", &principal, NULL));
    ck_assert_str_eq(principal.components[0], "a\nb\tc\bd");
    principal_clear(&principal);
}
END_TEST

START_TEST(clearing_twice_is_fine)
{
    struct principal principal;

    ck_assert(principal_parse("alice@R", &principal, NULL));
    principal_clear(&principal);
    principal_clear(&principal);
    ck_assert_uint_eq(principal.count, 0);
}
END_TEST

START_TEST(malformed_principals_are_refused)
{
    expect_principal_error("alice", "cannot use principal alice: it has no "
                                    "realm (add @REALM)");
    expect_principal_error("alice@",
                           "cannot use principal alice@: its realm is empty");
    expect_principal_error("@R",
                           "cannot use principal @R: a component is empty");
    expect_principal_error("a//b@R",
                           "cannot use principal a//b@R: a component is empty");
    expect_principal_error("a@b@R",
                           "cannot use principal a@b@R: it has an '@' too many "
                           "(write '\\@' for one that belongs to a name)");
    expect_principal_error("a/b/c/d/e/f/g/h/i@R",
                           "cannot use principal a/b/c/d/e/f/g/h/i@R: more "
                           "than 8 components");
}
END_TEST

START_TEST(name_with_a_nul_is_refused)
{
    expect_principal_error("alice\\0bob@R",
                           "cannot use principal alice\\x5c0bob@R: it holds a "
                           "NUL or ends with a backslash");
    expect_principal_error("alice@R\\",
                           "cannot use principal alice@R\\x5c: it holds a NUL "
                           "or ends with a backslash");
}
END_TEST

START_TEST(split_keeps_the_backslashes)
{
    struct principal pattern;

    ck_assert(principal_split("a\\/b/c\\*@R\\@S", "rule", &pattern, NULL));
    ck_assert_uint_eq(pattern.count, 2);
    ck_assert_str_eq(pattern.components[0], "a\\/b");
    ck_assert_str_eq(pattern.components[1], "c\\*");
    ck_assert_str_eq(pattern.realm, "R\\@S");
    principal_clear(&pattern);
}
END_TEST

START_TEST(hostile_name_is_shown_safely)
{
    expect_principal_error("\033[1m\nx", "cannot use principal \\x1b[1m\\x0ax: "
                                         "it has no realm (add @REALM)");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("principal");
    TCase *cases = tcase_create("principal");

    tcase_add_test(cases, principal_is_split_at_unescaped_marks);
    tcase_add_test(cases, escaped_control_characters_are_those_characters);
    tcase_add_test(cases, clearing_twice_is_fine);
    tcase_add_test(cases, malformed_principals_are_refused);
    tcase_add_test(cases, name_with_a_nul_is_refused);
    tcase_add_test(cases, split_keeps_the_backslashes);
    tcase_add_test(cases, hostile_name_is_shown_safely);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
