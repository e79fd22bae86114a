/* SPDX-License-Identifier: BSD-2-Clause */
/* Composing service principal names, and recognising our own. */
#include "directory/spn.h"

#include <string.h>

#include "check_main.h"

static const char *const our_names[] = {"orders/db1.corp.test",
                                        "orders/db1@CORP.TEST"};

static void
expect_made(const char *host, uint16_t port, const char *name, const char *text)
{
    char spn[SPN_SIZE];

    ck_assert(spn_make("orders", host, port, name, spn, NULL));
    ck_assert_str_eq(spn, text);
}

static void
expect_refused(const char *service_class, const char *host, const char *name,
               const char *sentence)
{
    char spn[SPN_SIZE] = "before";
    struct error err;

    ck_assert(!spn_make(service_class, host, 0, name, spn, &err));
    ck_assert_str_eq(err.text, sentence);
    ck_assert_str_eq(spn, "before");
}

START_TEST(parts_are_joined)
{
    expect_made("db1.corp.test", 0, NULL, "orders/db1.corp.test");
    expect_made("db1.corp.test", 7443, NULL, "orders/db1.corp.test:7443");
    expect_made("db1", 0, "CN=o,DC=test", "orders/db1/CN=o,DC=test");
    expect_made("db1", 65535, "corp.test", "orders/db1:65535/corp.test");
}
END_TEST

START_TEST(what_kerberos_would_misread_is_escaped)
{
    expect_made("db1", 0, "CN=a\\,b@c", "orders/db1/CN=a\\\\,b\\@c");
}
END_TEST

START_TEST(unusable_parts_are_refused)
{
    expect_refused("", "db1", NULL,
                   "cannot compose an SPN: the service class is empty");
    expect_refused("orders", "", NULL,
                   "cannot compose an SPN: the host is empty");
    expect_refused("orders", "db1", "",
                   "cannot compose an SPN: the service name is empty");
    expect_refused("a/b", "db1", NULL,
                   "cannot compose an SPN: the service class contains a slash");
    expect_refused("orders", "db1", "CN=a/b",
                   "cannot compose an SPN: the service name contains a slash");
    expect_refused(
        "orders", "db1\n", NULL,
        "cannot compose an SPN: the host contains a control character");
}
END_TEST

START_TEST(name_that_is_too_long_is_refused)
{
    char host[SPN_SIZE];

    memset(host, 'h', sizeof host);
    host[SPN_SIZE - strlen("orders/")] = '\0';
    expect_refused("orders", host, NULL,
                   "cannot compose an SPN: it is longer than 1023 bytes");
}
END_TEST

START_TEST(longest_name_fits)
{
    char host[SPN_SIZE];
    char spn[SPN_SIZE];

    memset(host, 'h', sizeof host);
    host[SPN_SIZE - 1 - strlen("orders/")] = '\0';

    ck_assert(spn_make("orders", host, 0, NULL, spn, NULL));
    ck_assert_uint_eq(strlen(spn), SPN_SIZE - 1);
}
END_TEST

START_TEST(any_name_of_the_class_is_ours)
{
    ck_assert(spn_is_ours("orders/db1.corp.test", "orders", NULL, 0));
    ck_assert(spn_is_ours("ORDERS/db1@CORP.TEST", "orders", NULL, 0));
    ck_assert(spn_is_ours("orders/db1:7443/CN=o", "Orders", NULL, 0));
}
END_TEST

START_TEST(another_class_is_not_ours)
{
    ck_assert(!spn_is_ours("order/db1", "orders", NULL, 0));
    ck_assert(!spn_is_ours("orders2/db1", "orders", NULL, 0));
    ck_assert(!spn_is_ours("orders", "orders", NULL, 0));
    ck_assert(!spn_is_ours("orders/", "orders", NULL, 0));
    ck_assert(!spn_is_ours("orders@R/db1", "orders", NULL, 0));
    ck_assert(!spn_is_ours("orders\\/db1", "orders", NULL, 0));
    ck_assert(!spn_is_ours("", "orders", NULL, 0));
    ck_assert(!spn_is_ours("/db1", "", NULL, 0));
}
END_TEST

START_TEST(listed_names_are_ours_in_any_case_and_realm)
{
    ck_assert(spn_is_ours("orders/db1.corp.test", "", our_names, 2));
    ck_assert(spn_is_ours("Orders/DB1.corp.test@ELSE", "", our_names, 2));
    ck_assert(spn_is_ours("orders/db1", "", our_names, 2));
    ck_assert(
        spn_is_ours("orders/d\\b1", "", (const char *[]){"orders/d\b1"}, 1));
}
END_TEST

START_TEST(names_that_are_not_listed_are_not_ours)
{
    ck_assert(!spn_is_ours("orders/db2", "orders", our_names, 2));
    ck_assert(!spn_is_ours("orders/db1.corp.test.evil", "", our_names, 2));
    ck_assert(!spn_is_ours("orders\\/db1", "", our_names, 2));
    ck_assert(!spn_is_ours("orders/db1/", "", our_names, 2));
    ck_assert(!spn_is_ours("orders/db1\\", "", our_names, 2));
    ck_assert(!spn_is_ours("", "", our_names, 2));
}
END_TEST

static void
expect_composed(enum spn_format format, const char *text)
{
    static const struct guid guid = {{0x1c, 0x31, 0xb1, 0xb7, 0x2e, 0xb8, 0xd0,
                                      0x11, 0xaf, 0xee, 0, 0, 0xf8, 3, 0x67,
                                      0xc1}};
    char spn[SPN_SIZE];

    ck_assert(spn_compose(format, "orders", "db1.corp.test", 7443,
                          "CN=o\\,p,DC=test", &guid, spn, NULL));
    ck_assert_str_eq(spn, text);
}

START_TEST(a_found_service_is_named_in_each_format)
{
    expect_composed(SPN_FORMAT_HOST, "orders/db1.corp.test");
    expect_composed(SPN_FORMAT_PORT, "orders/db1.corp.test:7443");
    expect_composed(SPN_FORMAT_SCP, "orders/db1.corp.test/CN=o\\\\,p,DC=test");
    expect_composed(
        SPN_FORMAT_GUID,
        "orders/db1.corp.test/b7b1311c-b82e-11d0-afee-0000f80367c1");
}
END_TEST

START_TEST(a_found_service_that_cannot_be_named_is_refused_with_advice)
{
    char spn[SPN_SIZE];
    struct error err;

    ck_assert(!spn_compose(SPN_FORMAT_SCP, "orders", "db1", 7443,
                           "CN=a/b,DC=test", NULL, spn, &err));
    ck_assert_str_eq(err.text,
                     "cannot compose an SPN: the name of its SCP contains a "
                     "slash; use spn_format = guid");
    ck_assert(!spn_compose(SPN_FORMAT_GUID, "orders", "db1", 7443,
                           "CN=a,DC=test", NULL, spn, &err));
    ck_assert_str_eq(err.text,
                     "cannot compose an SPN: its SCP has no objectGUID");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("spn");
    TCase *tests = tcase_create("spn");

    tcase_add_test(tests, parts_are_joined);
    tcase_add_test(tests, what_kerberos_would_misread_is_escaped);
    tcase_add_test(tests, unusable_parts_are_refused);
    tcase_add_test(tests, name_that_is_too_long_is_refused);
    tcase_add_test(tests, longest_name_fits);
    tcase_add_test(tests, any_name_of_the_class_is_ours);
    tcase_add_test(tests, another_class_is_not_ours);
    tcase_add_test(tests, listed_names_are_ours_in_any_case_and_realm);
    tcase_add_test(tests, names_that_are_not_listed_are_not_ours);
    tcase_add_test(tests, a_found_service_is_named_in_each_format);
    tcase_add_test(tests,
                   a_found_service_that_cannot_be_named_is_refused_with_advice);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
