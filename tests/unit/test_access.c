/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules as kerbwrap.ini(5) describes allow and deny. */
#include "gss/access.h"

#include <string.h>

#include "check_main.h"

static void
expect_rule_error(const char *text, const char *sentence)
{
    struct access_rule rule;
    struct error err = {.text = ""};

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
    enum access_verdict verdict = access_decide(&rules, &principal, NULL,
                                                &rule);
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
    enum access_verdict verdict = access_decide(&rules, &principal, NULL,
                                                &decided);
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
    ck_assert(!allows("alice@R", "malice@R"));
    ck_assert(!allows("alice@R", "alice@R2"));
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

/* Groups. */

static const char *asked; /* the last one */

static enum access_member
oracle_says(const char *group, void *arg)
{
    (void)arg;
    asked = group;
    if (strcmp(group, "in") == 0)
        return ACCESS_MEMBER;
    return strcmp(group, "out") == 0 ? ACCESS_NO_MEMBER : ACCESS_MEMBER_UNTOLD;
}

/* alice@R, by up to two rules of each kind (blank-separated). */
static void
expect_verdict(const char *allow, const char *deny, bool with_oracle,
               enum access_verdict expected, const char *expected_rule)
{
    const struct access_oracle oracle = {oracle_says, NULL};
    const char *const lists[] = {allow, deny};
    struct access_rule kept[2][2] = {0};
    size_t counts[2] = {0, 0};
    struct principal principal;
    const char *rule = "untouched";
    char text[64], *rest;

    asked = NULL;
    ck_assert(principal_parse("alice@R", &principal, NULL));
    for (size_t i = 0; i < 2; i++) {
        strcpy(text, lists[i]);
        for (char *word = strtok_r(text, " ", &rest); word != NULL;
             word = strtok_r(NULL, " ", &rest))
            ck_assert(access_rule_parse(word, &kept[i][counts[i]++], NULL));
    }
    const struct access_rules rules = {kept[0], kept[1], counts[0], counts[1]};
    ck_assert_int_eq(
        access_decide(&rules, &principal, with_oracle ? &oracle : NULL, &rule),
        expected);
    ck_assert_pstr_eq(rule, expected_rule);
    principal_clear(&principal);
    for (size_t i = 0; i < 4; i++)
        access_rule_clear(&kept[i / 2][i % 2]);
}

START_TEST(a_group_needs_a_name)
{
    expect_rule_error("group:", "cannot use rule group:: it names no group");
}
END_TEST

START_TEST(a_group_allows_its_members_only)
{
    expect_verdict("group:out group:in", "", true, ACCESS_ALLOWED, "group:in");
    expect_verdict("group:out", "", true, ACCESS_NO_RULE, NULL);
    expect_verdict("group:untold", "", true, ACCESS_NO_RULE, NULL);
}
END_TEST

START_TEST(a_group_denies_its_members)
{
    expect_verdict("alice@R", "group:out group:in", true, ACCESS_DENIED,
                   "group:in");
    expect_verdict("alice@R", "group:out", true, ACCESS_ALLOWED, "alice@R");
}
END_TEST

START_TEST(a_group_that_nobody_knows_denies)
{
    expect_verdict("alice@R", "group:untold group:out", true, ACCESS_UNTOLD,
                   "group:untold");
    expect_verdict("alice@R", "group:untold group:in", true, ACCESS_DENIED,
                   "group:in");
}
END_TEST

START_TEST(groups_are_asked_for_only_where_they_decide)
{
    expect_verdict("group:in alice@R", "", false, ACCESS_ALLOWED, "alice@R");
    expect_verdict("group:in", "a*@R group:in", true, ACCESS_DENIED, "a*@R");
    ck_assert_ptr_null(asked);
    expect_verdict("bob@R", "group:in", true, ACCESS_NO_RULE, NULL);
    ck_assert_ptr_null(asked);
    expect_verdict("group:in", "", false, ACCESS_ASKS, NULL);
    expect_verdict("alice@R", "group:in", false, ACCESS_ASKS, NULL);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("access");
    TCase *cases = tcase_create("access");

    tcase_add_test(cases, malformed_rules_are_refused);
    tcase_add_test(cases, exact_rule_allows_exactly);
    tcase_add_test(cases, a_group_needs_a_name);
    tcase_add_test(cases, a_group_allows_its_members_only);
    tcase_add_test(cases, a_group_denies_its_members);
    tcase_add_test(cases, a_group_that_nobody_knows_denies);
    tcase_add_test(cases, groups_are_asked_for_only_where_they_decide);
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
