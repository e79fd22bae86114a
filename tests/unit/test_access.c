/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules as kerbwrap.ini(5) describes allow and deny. */
#include "gss/access.h"

#include <string.h>

#include "check_main.h"

static void
expect_rule_error(const char *text, const char *sentence)
{
    struct access_rule rule;
    struct error err = {""};

    ck_assert(!access_rule_parse(text, &rule, &err));
    ck_assert_str_eq(err.text, sentence);
}

/* Decides with at most one rule of each kind; "" for none. */
static enum access_verdict
decide(const char *allow, const char *deny, const char *who,
       const char *expected_rule)
{
    struct access_rule allow_rule, deny_rule;
    struct access_rules rules = {&allow_rule, &deny_rule, *allow != '\0',
                                 *deny != '\0'};
    struct principal principal;
    const char *rule = "untouched";

    ck_assert(principal_parse(who, &principal, NULL));
    ck_assert(*allow == '\0' || access_rule_parse(allow, &allow_rule, NULL));
    ck_assert(*deny == '\0' || access_rule_parse(deny, &deny_rule, NULL));
    enum access_verdict verdict = access_decide(&rules, &principal, &rule);
    ck_assert_pstr_eq(rule, expected_rule);
    principal_clear(&principal);
    if (*allow != '\0')
        access_rule_clear(&allow_rule);
    if (*deny != '\0')
        access_rule_clear(&deny_rule);
    return verdict;
}

static bool
allows(const char *rule, const char *who)
{
    struct access_rule parsed;
    struct access_rules rules = {&parsed, NULL, 1, 0};
    struct principal principal;
    const char *decided;

    ck_assert(access_rule_parse(rule, &parsed, NULL));
    ck_assert(principal_parse(who, &principal, NULL));
    enum access_verdict verdict = access_decide(&rules, &principal, &decided);
    principal_clear(&principal);
    access_rule_clear(&parsed);
    return verdict == ACCESS_ALLOWED;
}

START_TEST(malformed_rules_are_refused)
{
    expect_rule_error("alice", "cannot use rule alice: it has no realm (add "
                               "@REALM)");
    expect_rule_error("al\\ice@R",
                      "cannot use rule al\\x5cice@R: a backslash stands before "
                      "'/', '@', '*' or another backslash only");
    expect_rule_error("*/@R", "cannot use rule */@R: a component is empty");
}
END_TEST

START_TEST(exact_rule_allows_exactly)
{
    ck_assert(allows("alice@R", "alice@R"));
    ck_assert(!allows("alice@R", "Alice@R"));
    ck_assert(!allows("alice@R", "alice@r"));
    ck_assert(!allows("alice@R", "alice2@R"));
    ck_assert(!allows("alice@R", "alice/admin@R"));
    ck_assert(!allows("alice@R", "alic@R"));
}
END_TEST

START_TEST(star_stays_inside_its_component)
{
    ck_assert(allows("*@R", "alice@R"));
    ck_assert(!allows("*@R", "host/web1@R"));
    ck_assert(allows("*/*@R", "host/web1@R"));
    ck_assert(!allows("*/*@R", "alice@R"));
    ck_assert(!allows("host/*@R", "host/web1/x@R"));
    ck_assert(!allows("*@R", "alice@R2"));
}
END_TEST

START_TEST(star_matches_any_run)
{
    ck_assert(allows("svc-*@R", "svc-@R"));
    ck_assert(allows("svc-*-x@R", "svc-a-x-x@R"));
    ck_assert(!allows("svc-*-x@R", "svc-x@R"));
    ck_assert(allows("a*b*c@R", "aXbYbZc@R"));
    ck_assert(allows("**@R", "alice@R"));
    ck_assert(allows("alice@*.TEST", "alice@CORP.TEST"));
    ck_assert(!allows("alice@*.TEST", "alice@TEST"));
}
END_TEST

START_TEST(escaped_marks_in_a_rule_are_literal)
{
    ck_assert(allows("a\\*b@R", "a*b@R"));
    ck_assert(!allows("a\\*b@R", "aXb@R"));
    ck_assert(allows("a\\/b/c@R", "a\\/b/c@R"));
    ck_assert(!allows("a\\/b@R", "a/b@R"));
    ck_assert(allows("*\\\\@R", "a\\\\@R"));
    ck_assert(allows("*\\**@R", "a*b*c@R"));
}
END_TEST

START_TEST(escaped_mark_of_a_peer_does_not_make_a_component)
{
    ck_assert(!allows("host/*@R", "host\\/web1@R"));
    ck_assert(!allows("alice@R", "alice\\@R@S"));
}
END_TEST

START_TEST(deny_wins_and_ignores_case)
{
    ck_assert_int_eq(decide("*@R", "alice@R", "alice@R", "alice@R"),
                     ACCESS_DENIED);
    ck_assert_int_eq(decide("*@*", "alice@R", "ALICE@r", "alice@R"),
                     ACCESS_DENIED);
    ck_assert_int_eq(decide("*@R", "alice@R", "bob@R", "*@R"), ACCESS_ALLOWED);
}
END_TEST

START_TEST(no_match_means_no)
{
    ck_assert_int_eq(decide("alice@R", "", "bob@R", NULL), ACCESS_NO_RULE);
    ck_assert_int_eq(decide("", "", "bob@R", NULL), ACCESS_NO_RULE);
    ck_assert_int_eq(decide("", "alice@R", "bob@R", NULL), ACCESS_NO_RULE);
}
END_TEST

START_TEST(ambiguous_names_are_never_allowed)
{
    const char *names[] = {
        "alice\\@corp@R", "WELLKNOWN/ANONYMOUS@R",     "wellknown/x@R",
        "WELLKNOWN@R",    "alice@WELLKNOWN:ANONYMOUS",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(decide("*@*", "*/*@*", names[i], NULL),
                         ACCESS_AMBIGUOUS);
    }
    ck_assert_int_eq(decide("a\\@b/c@R", "", "a\\@b/c@R", "a\\@b/c@R"),
                     ACCESS_ALLOWED);
}
END_TEST

START_TEST(hostile_pattern_is_matched_in_time)
{
    char who[4100], rule[300];

    memset(who, 'a', sizeof who);
    memcpy(who + sizeof who - 4, "b@R", 4);
    for (size_t i = 0; i < 290; i += 2)
        memcpy(rule + i, "*a", 2);
    memcpy(rule + 290, "c@R", 4);
    ck_assert(!allows(rule, who));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("access");
    TCase *cases = tcase_create("access");

    tcase_add_test(cases, malformed_rules_are_refused);
    tcase_add_test(cases, exact_rule_allows_exactly);
    tcase_add_test(cases, star_stays_inside_its_component);
    tcase_add_test(cases, star_matches_any_run);
    tcase_add_test(cases, escaped_marks_in_a_rule_are_literal);
    tcase_add_test(cases, escaped_mark_of_a_peer_does_not_make_a_component);
    tcase_add_test(cases, deny_wins_and_ignores_case);
    tcase_add_test(cases, no_match_means_no);
    tcase_add_test(cases, ambiguous_names_are_never_allowed);
    tcase_add_test(cases, hostile_pattern_is_matched_in_time);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
