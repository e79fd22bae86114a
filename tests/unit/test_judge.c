/* SPDX-License-Identifier: BSD-2-Clause */
/* The local rules: what a forged service connection point cannot get past. */
#include "directory/judge.h"

#include <string.h>

#include "check_main.h"

static struct judge_rules rules;
static struct judge_parent parent;
static struct scp scp;
static struct error err;
static char web1[] = "WEB1.corp.test", web2[] = "web2.corp.test";
static char dn[] = "CN=o,CN=web1,DC=corp", canonical[] = "cn=o,cn=web1,dc=corp";
static char *allowed[] = {web1};

/* An honest one below the computer web1, and no anchor yet. */
static void
setup(void)
{
    rules = (struct judge_rules){.service_class = "orders"};
    parent = (struct judge_parent){.is_computer = true, .dns_host_name = web1};
    scp = (struct scp){
        .dn = dn,
        .canonical = canonical,
        .service_class = "ORDERS",
        .dns_name = "web1.corp.test",
        .guid = {{1}},
        .has_guid = true,
    };
}

static void
allow_web1(void)
{
    rules.allow_host = allowed;
    rules.allow_host_count = 1;
}

static void
expect_accepted(const char *by)
{
    enum judge_anchor anchor = ANCHOR_NONE;

    ck_assert(judge_scp(&rules, &scp, &parent, &anchor, &err));
    ck_assert_str_eq(judge_anchor_name(anchor), by);
}

static void
expect_rejected(const char *sentence)
{
    enum judge_anchor anchor;

    ck_assert(!judge_scp(&rules, &scp, &parent, &anchor, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(the_class_is_compared_ignoring_case)
{
    ck_assert(judge_class(&rules, &scp, &err));
}
END_TEST

START_TEST(another_class_is_rejected)
{
    strcpy(scp.service_class, "ord\ners");
    ck_assert(!judge_class(&rules, &scp, &err));
    ck_assert_str_eq(err.text, "its class is 'ord\\x0aers', not 'orders'");
}
END_TEST

START_TEST(an_allowed_host_below_its_own_computer_is_accepted)
{
    allow_web1();
    expect_accepted("allow_host");
}
END_TEST

START_TEST(a_computer_cannot_speak_for_an_allowed_host)
{
    allow_web1();
    parent.dns_host_name = web2;
    expect_rejected("its host is web1.corp.test, but its parent computer is "
                    "'web2.corp.test'");
}
END_TEST

START_TEST(a_computer_without_a_name_cannot_speak_at_all)
{
    allow_web1();
    parent.dns_host_name = NULL;
    expect_rejected("its parent computer has no dNSHostName");
}
END_TEST

START_TEST(a_host_that_is_not_allowed_is_rejected)
{
    allow_web1();
    strcpy(scp.dns_name, "web2.corp.test");
    parent.dns_host_name = web2;
    expect_rejected("nothing vouches for it, web2.corp.test is not in "
                    "allow_host");
}
END_TEST

START_TEST(every_anchor_that_failed_is_named)
{
    rules.allow_group = "Order Servers";
    rules.scp_base = "cn=services,dc=corp";
    expect_rejected("nothing vouches for it, its computer is not in "
                    "allow_group, it is not below scp_base");
}
END_TEST

START_TEST(a_member_of_the_group_is_accepted)
{
    rules.allow_group = "Order Servers";
    parent.in_group = true;
    ck_assert(judge_needs_group(&rules, &scp));
    expect_accepted("allow_group");
}
END_TEST

START_TEST(the_group_is_not_asked_when_something_else_holds)
{
    rules.allow_group = "Order Servers";
    allow_web1();
    ck_assert(!judge_needs_group(&rules, &scp));
}
END_TEST

START_TEST(a_parent_that_is_no_computer_cannot_be_anchored_by_host)
{
    allow_web1();
    parent.is_computer = false;
    expect_rejected("its parent is not a computer: only scp or scp_base can "
                    "vouch for it");
}
END_TEST

START_TEST(below_scp_base_the_parent_need_not_be_a_computer)
{
    rules.scp_base = "cn=web1,dc=corp";
    parent.is_computer = false;
    expect_accepted("scp_base");
}
END_TEST

START_TEST(a_name_that_only_ends_like_scp_base_is_rejected)
{
    rules.scp_base = "n=web1,dc=corp";
    parent.is_computer = false;
    expect_rejected("its parent is not a computer: only scp or scp_base can "
                    "vouch for it");
}
END_TEST

START_TEST(below_scp_base_a_computer_still_speaks_for_itself_only)
{
    rules.scp_base = "dc=corp";
    parent.dns_host_name = web2;
    expect_rejected("its host is web1.corp.test, but its parent computer is "
                    "'web2.corp.test'");
}
END_TEST

START_TEST(the_named_scp_is_accepted_by_dn_or_guid)
{
    struct guid guid = {{1}};

    rules.scp_dn = "cn=o,cn=web1,dc=corp";
    expect_accepted("scp");
    rules.scp_dn = NULL;
    rules.scp_guid = &guid;
    expect_accepted("scp");
    scp.guid.octets[15] = 1;
    expect_rejected("nothing vouches for it");
}
END_TEST

START_TEST(an_scp_without_a_guid_is_not_the_named_one)
{
    struct guid guid = {{0}};

    rules.scp_guid = &guid;
    scp.guid = guid;
    scp.has_guid = false;
    expect_rejected("nothing vouches for it");
}
END_TEST

START_TEST(targets_of_srv_records_must_be_allowed_themselves)
{
    allow_web1();
    ck_assert(judge_target(&rules, "Web1.corp.test", &err));
    ck_assert(!judge_target(&rules, "evil.test", &err));
    ck_assert_str_eq(err.text, "the target evil.test of its SRV record is not "
                               "in allow_host");
}
END_TEST

START_TEST(targets_need_allow_host_whatever_anchors_the_scp)
{
    ck_assert(!judge_target(&rules, "web1.corp.test", &err));
    ck_assert_str_eq(err.text, "web1.corp.test is the target of an SRV record: "
                               "name it in allow_host to admit it");
}
END_TEST

START_TEST(an_srv_name_is_not_compared_with_its_computer)
{
    allow_web1();
    scp.type = SCP_TYPE_SRV;
    strcpy(scp.dns_name, "_orders._tcp.corp.test");
    expect_accepted("allow_host");
}
END_TEST

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        the_class_is_compared_ignoring_case,
        another_class_is_rejected,
        an_allowed_host_below_its_own_computer_is_accepted,
        a_computer_cannot_speak_for_an_allowed_host,
        a_computer_without_a_name_cannot_speak_at_all,
        a_host_that_is_not_allowed_is_rejected,
        every_anchor_that_failed_is_named,
        a_member_of_the_group_is_accepted,
        the_group_is_not_asked_when_something_else_holds,
        a_parent_that_is_no_computer_cannot_be_anchored_by_host,
        below_scp_base_the_parent_need_not_be_a_computer,
        a_name_that_only_ends_like_scp_base_is_rejected,
        below_scp_base_a_computer_still_speaks_for_itself_only,
        the_named_scp_is_accepted_by_dn_or_guid,
        an_scp_without_a_guid_is_not_the_named_one,
        targets_of_srv_records_must_be_allowed_themselves,
        targets_need_allow_host_whatever_anchors_the_scp,
        an_srv_name_is_not_compared_with_its_computer,
    };
    Suite *suite = suite_create("judge");
    TCase *verdicts = tcase_create("verdicts");

    tcase_add_checked_fixture(verdicts, setup, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(verdicts, tests[i]);
    suite_add_tcase(suite, verdicts);
    return suite;
}

CHECK_MAIN(make_suite)
