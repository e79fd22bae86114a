/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/vetting.c, its name service faked: answers, silence, death. */
#include "proxy/vetting.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "check_main.h"
#include "config_text.h"
#include "gss/membership.h"
#include "latch.h"
#include "loop_fixture.h"

static struct config_text *config;
static struct vetting *vetting;
static struct vetting_result result;
static char rule[64];
static struct latch done, entered, proceed;
static bool slow;
static struct context_peer peer;

/* Found here before src/gss is searched. */

void
membership_find(const char *principal, struct membership *out)
{
    *out = (struct membership){.why = {.text = "there is no local user alice"}};
    ck_assert_str_eq(principal, "alice@TEST");
    latch_tell(&entered);
    if (slow)
        latch_wait(&proceed, 1);
}

void
membership_clear(struct membership *membership)
{
    (void)membership;
}

enum access_member
membership_of(const char *group, void *membership)
{
    (void)membership;
    if (strcmp(group, "staff") == 0)
        return ACCESS_MEMBER;
    return strcmp(group, "others") == 0 ? ACCESS_NO_MEMBER
                                        : ACCESS_MEMBER_UNTOLD;
}

static void
set_up(void)
{
    loop_set_up();
    done = entered = proceed = (struct latch)LATCH_INITIALIZER;
    slow = false;
    peer.display = strdup("alice@TEST");
    ck_assert(principal_parse("alice@TEST", &peer.principal, NULL));
}

static void
cancel(void *arg)
{
    (void)arg;
    vetting_cancel(vetting);
    vetting = NULL;
}

static void
tear_down(void)
{
    loop_do(cancel, NULL);
    latch_tell(&proceed);
    principal_clear(&peer.principal);
    free(peer.display);
    config_text_free(config);
    loop_tear_down();
}

static void
on_done(const struct vetting_result *got, void *arg)
{
    ck_assert_ptr_eq(arg, &done);
    ck_assert(!latch_was_told(&done));
    vetting = NULL;
    result = *got;
    snprintf(rule, sizeof rule, "%s", got->rule != NULL ? got->rule : "");
    latch_tell(&done);
}

static void
start(void *arg)
{
    const uint64_t *timeout = arg;
    const struct vetting_settings settings = {
        .loop = test_loop,
        .pool = test_pool,
        .peer = &peer,
        .config = config->config,
        .rules = &config->config->services[0].access,
        .timeout_ms = *timeout,
    };

    vetting = vetting_start(&settings, on_done, &done);
    ck_assert_ptr_nonnull(vetting);
    ck_assert(!latch_was_told(&done));
}

static void
configure(const char *rules)
{
    char ini[512];

    snprintf(ini, sizeof ini,
             "[server a]\naccept = [::]:1\nconnect = 127.0.0.1:1\n"
             "service_class = c\nkeytab = /k\n%s\n",
             rules);
    config = config_text_read(ini);
    ck_assert_msg(config->config != NULL, "%s", config->findings);
}

static void
begin(const char *rules, uint64_t timeout)
{
    configure(rules);
    loop_do(start, &timeout);
}

static void
expect(const char *rules, bool allowed, const char *by, const char *sentence)
{
    begin(rules, DURATION_OFF);
    latch_wait(&done, 1);
    ck_assert_int_eq(result.allowed, allowed);
    ck_assert_str_eq(rule, by);
    ck_assert_str_eq(result.error.text, sentence);
}

START_TEST(principals_need_no_asking)
{
    configure("allow = alice@TEST group:staff");
    ck_assert(
        vetting_at_once(&config->config->services[0].access, &peer, &result));
    ck_assert(result.allowed);
    ck_assert_str_eq(result.rule, "alice@TEST");
}
END_TEST

START_TEST(groups_that_decide_need_asking)
{
    configure("allow = group:staff");
    ck_assert(
        !vetting_at_once(&config->config->services[0].access, &peer, &result));
}
END_TEST

START_TEST(member_is_allowed)
{
    expect("allow = group:staff", true, "group:staff", "allowed");
}
END_TEST

START_TEST(member_is_denied)
{
    expect("allow = alice@TEST\ndeny = group:staff", false, "group:staff",
           "not allowed: denied by rule group:staff");
}
END_TEST

START_TEST(untold_member_is_denied)
{
    expect("allow = alice@TEST\ndeny = group:gone", false, "group:gone",
           "not allowed: cannot tell if rule group:gone of `deny` matches: "
           "there is no local user alice");
}
END_TEST

START_TEST(untold_member_is_not_allowed)
{
    expect("allow = group:gone", false, "",
           "not allowed: no rule of `allow` names this principal; there is no "
           "local user alice");
}
END_TEST

START_TEST(silent_name_service_allows_nobody)
{
    slow = true;
    begin("allow = group:staff", 50);
    latch_wait(&entered, 1);
    latch_wait(&done, 1);
    ck_assert(!result.allowed);
    ck_assert_str_eq(result.error.text,
                     "not allowed: no rule of `allow` names this principal; "
                     "the name service does not answer; see nsswitch.conf(5)");
}
END_TEST

START_TEST(silent_name_service_denies)
{
    slow = true;
    begin("allow = alice@TEST\ndeny = group:others", 50);
    latch_wait(&done, 1);
    ck_assert(!result.allowed);
    ck_assert_str_eq(rule, "group:others");
}
END_TEST

START_TEST(cancelled_vetting_says_nothing)
{
    slow = true;
    begin("allow = group:staff", DURATION_OFF);
    latch_wait(&entered, 1);
    loop_do(cancel, NULL);
    latch_tell(&proceed);
    loop_settle();
    ck_assert(!latch_was_told(&done));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("vetting");
    TCase *tests = tcase_create("vetting");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, principals_need_no_asking);
    tcase_add_test(tests, groups_that_decide_need_asking);
    tcase_add_test(tests, member_is_allowed);
    tcase_add_test(tests, member_is_denied);
    tcase_add_test(tests, untold_member_is_denied);
    tcase_add_test(tests, untold_member_is_not_allowed);
    tcase_add_test(tests, silent_name_service_allows_nobody);
    tcase_add_test(tests, silent_name_service_denies);
    tcase_add_test(tests, cancelled_vetting_says_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
