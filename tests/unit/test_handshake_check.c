/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/handshake_check.c: what the two HELLOs must agree on. */
#include "check_main.h"

#include <string.h>

#include "proxy/handshake_check.h"
#include "version.h"

static char blue[] = "blue", orders[] = "orders";
static char db1[] = "orders/db1.example.test";
static char *names[] = {db1};

static struct service_settings service;
static struct hello theirs;
static struct error error;

static void
set_up(void)
{
    service = (struct service_settings){
        .role = ROLE_SERVER,
        .protection = PROTECTION_SEAL,
        .tunnel = blue,
        .service_class = orders,
    };
    theirs = (struct hello){
        .version_low = 1,
        .version_high = 1,
        .protection = PROTECTION_SEAL,
        .max_plaintext = 4096,
        .target = "orders/db1.example.test",
        .label = "blue",
    };
    error_set(&error, "none");
}

static void
expect(int code, const char *text)
{
    ck_assert_int_eq(hello_check(&theirs, &service, &error), code);
    ck_assert_str_eq(error.text, text);
}

START_TEST(ours_says_what_we_are_set_to)
{
    struct hello ours;

    hello_fill(&ours, &service, "orders/db1", 17);
    ck_assert_uint_eq(ours.version_low, 1);
    ck_assert_uint_eq(ours.version_high, 1);
    ck_assert_int_eq(ours.protection, PROTECTION_SEAL);
    ck_assert_uint_eq(ours.capabilities, 0);
    ck_assert_uint_eq(ours.max_plaintext, 65472);
    ck_assert_uint_eq(ours.connection_id, 17);
    ck_assert_str_eq(ours.target, "orders/db1");
    ck_assert_str_eq(ours.label, "blue");
    ck_assert_str_eq(ours.agent, "kerbwrap/" KERBWRAP_VERSION);
}
END_TEST

START_TEST(equals_agree)
{
    expect(0, "none");
}
END_TEST

START_TEST(later_versions_that_speak_ours_agree)
{
    theirs.version_high = 200;
    expect(0, "none");
}
END_TEST

START_TEST(versions_that_all_came_later_do_not)
{
    theirs.version_low = 2;
    theirs.version_high = 3;
    expect(RESET_VERSION, "no common protocol version: the peer speaks 2 to "
                          "3, this side 1");
}
END_TEST

START_TEST(versions_before_the_first_do_not)
{
    theirs.version_low = theirs.version_high = 0;
    expect(RESET_VERSION, "no common protocol version: the peer speaks 0 to "
                          "0, this side 1");
}
END_TEST

START_TEST(protection_must_be_equal)
{
    service.protection = PROTECTION_SIGN;
    expect(RESET_PROTECTION,
           "protection differs: the peer is set to seal, this side to sign; "
           "set `protection` alike at both ends");
}
END_TEST

START_TEST(label_must_be_equal_byte_by_byte)
{
    strcpy(theirs.label, "Blue\x1b");
    expect(RESET_LABEL,
           "tunnel labels differ: the peer has 'Blue\\x1b', this side 'blue'; "
           "set `tunnel` alike at both ends");
}
END_TEST

START_TEST(label_that_is_not_set_is_a_label_too)
{
    strcpy(theirs.label, "");
    expect(RESET_LABEL, "tunnel labels differ: the peer has '', this side "
                        "'blue'; set `tunnel` alike at both ends");
}
END_TEST

START_TEST(target_of_another_class_is_not_ours)
{
    strcpy(theirs.target, "host/db1.example.test");
    expect(RESET_TARGET, "the client asked for 'host/db1.example.test', which "
                         "is not a name of this service; see `service_class` "
                         "and `spn`");
}
END_TEST

START_TEST(any_name_of_the_class_is_ours_without_spn)
{
    strcpy(theirs.target, "ORDERS/other.example.test@REALM");
    expect(0, "none");
}
END_TEST

START_TEST(only_a_name_of_spn_is_ours_with_it)
{
    service.spn.items = names;
    service.spn.count = 1;
    expect(0, "none");
    strcpy(theirs.target, "orders/db2.example.test");
    expect(RESET_TARGET, "the client asked for 'orders/db2.example.test', "
                         "which is not a name of this service; see "
                         "`service_class` and `spn`");
}
END_TEST

START_TEST(empty_target_is_not_ours)
{
    strcpy(theirs.target, "");
    expect(RESET_TARGET, "the client asked for '', which is not a name of this "
                         "service; see `service_class` and `spn`");
}
END_TEST

START_TEST(client_does_not_look_at_the_target)
{
    service.role = ROLE_CLIENT;
    strcpy(theirs.target, "");
    expect(0, "none");
}
END_TEST

START_TEST(first_difference_decides)
{
    strcpy(theirs.target, "host/db1");
    strcpy(theirs.label, "red");
    ck_assert_int_eq(hello_check(&theirs, &service, &error), RESET_LABEL);
    theirs.protection = PROTECTION_SIGN;
    ck_assert_int_eq(hello_check(&theirs, &service, &error), RESET_PROTECTION);
    theirs.version_low = theirs.version_high = 9;
    ck_assert_int_eq(hello_check(&theirs, &service, &error), RESET_VERSION);
}
END_TEST

static Suite *
handshake_check_suite(void)
{
    Suite *suite = suite_create("handshake_check");
    TCase *cases = tcase_create("handshake_check");

    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, ours_says_what_we_are_set_to);
    tcase_add_test(cases, equals_agree);
    tcase_add_test(cases, later_versions_that_speak_ours_agree);
    tcase_add_test(cases, versions_that_all_came_later_do_not);
    tcase_add_test(cases, versions_before_the_first_do_not);
    tcase_add_test(cases, protection_must_be_equal);
    tcase_add_test(cases, label_must_be_equal_byte_by_byte);
    tcase_add_test(cases, label_that_is_not_set_is_a_label_too);
    tcase_add_test(cases, target_of_another_class_is_not_ours);
    tcase_add_test(cases, any_name_of_the_class_is_ours_without_spn);
    tcase_add_test(cases, only_a_name_of_spn_is_ours_with_it);
    tcase_add_test(cases, empty_target_is_not_ours);
    tcase_add_test(cases, client_does_not_look_at_the_target);
    tcase_add_test(cases, first_difference_decides);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(handshake_check_suite)
