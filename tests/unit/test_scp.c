/* SPDX-License-Identifier: BSD-2-Clause */
/* Service connection points as entries: well-formed, and hostile. */
#include "directory/scp.h"

#include <stdio.h>
#include <string.h>

#include "check_main.h"

#define DN "CN=orders,CN=web1,CN=Computers,DC=corp,DC=test"

static struct entry entry;
static struct scp scp;
static struct error err;

static void
set(const char *name, const char *bytes, size_t length)
{
    ck_assert(entry_add(&entry, name, bytes, length, &err));
}

static void
set_text(const char *name, const char *text)
{
    set(name, text, strlen(text));
}

/* What is set before counts: only the first value is good for a single one. */
static void
set_rest(void)
{
    static const char *const good[][2] = {
        {"serviceClassName", "orders"},
        {"serviceDNSName", "web1.corp.test"},
        {"serviceBindingInformation", "7443"},
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (entry_attribute(&entry, good[i][0]) == NULL)
            set_text(good[i][0], good[i][1]);
    }
}

static void
expect_refused(const char *sentence)
{
    set_rest();
    ck_assert(!scp_parse(&entry, &scp, &err));
    ck_assert_str_eq(err.text, sentence);
}

static void
expect_binding_problem(const char *bytes, size_t length, const char *sentence)
{
    set("serviceBindingInformation", bytes, length);
    set_rest();
    ck_assert(scp_parse(&entry, &scp, &err));
    ck_assert_uint_eq(scp.binding_count, 1);
    ck_assert_uint_eq(scp.bindings[0].port, 0);
    ck_assert_str_eq(scp.bindings[0].problem, sentence);
}

static void
setup(void)
{
    ck_assert(entry_init(&entry, DN, &err));
}

static void
teardown(void)
{
    entry_clear(&entry);
    scp_clear(&scp);
}

START_TEST(a_complete_one_is_read)
{
    set("objectGUID", "0123456789abcdef", 16);
    set_text("servicednsnametype", "a");
    set_rest();
    ck_assert(scp_parse(&entry, &scp, &err));
    ck_assert_str_eq(scp.dn, DN);
    ck_assert_str_eq(scp.canonical,
                     "cn=orders,cn=web1,cn=computers,dc=corp,dc=test");
    ck_assert(scp.has_guid);
    ck_assert_int_eq(scp.type, SCP_TYPE_A);
    ck_assert_str_eq(scp.service_class, "orders");
    ck_assert_str_eq(scp.dns_name, "web1.corp.test");
    ck_assert_uint_eq(scp.binding_count, 1);
    ck_assert_uint_eq(scp.bindings[0].port, 7443);
}
END_TEST

START_TEST(several_bindings_are_several_ports)
{
    set_text("serviceBindingInformation", "7443");
    set_text("serviceBindingInformation", "7444");
    set_rest();
    ck_assert(scp_parse(&entry, &scp, &err));
    ck_assert_uint_eq(scp.binding_count, 2);
    ck_assert_uint_eq(scp.bindings[1].port, 7444);
}
END_TEST

START_TEST(an_srv_name_needs_no_binding)
{
    set_text("serviceDNSNameType", "SRV");
    set_text("serviceDNSName", "_orders._tcp.corp.test");
    set_text("serviceClassName", "orders");
    ck_assert(scp_parse(&entry, &scp, &err));
    ck_assert_int_eq(scp.type, SCP_TYPE_SRV);
    ck_assert_uint_eq(scp.binding_count, 0);
}
END_TEST

START_TEST(a_guid_of_another_size_is_no_guid)
{
    set("objectGUID", "0123456789", 10);
    set_rest();
    ck_assert(scp_parse(&entry, &scp, &err));
    ck_assert(!scp.has_guid);
}
END_TEST

START_TEST(missing_attributes_are_named)
{
    ck_assert(!scp_parse(&entry, &scp, &err));
    ck_assert_str_eq(err.text, "its serviceClassName is missing");
    scp_clear(&scp);
    set_text("serviceClassName", "orders");
    ck_assert(!scp_parse(&entry, &scp, &err));
    ck_assert_str_eq(err.text, "its serviceDNSName is missing");
    scp_clear(&scp);
    set_text("serviceDNSName", "web1.corp.test");
    ck_assert(!scp_parse(&entry, &scp, &err));
    ck_assert_str_eq(err.text, "its serviceBindingInformation is missing");
}
END_TEST

START_TEST(an_empty_or_double_name_is_refused)
{
    set_text("serviceDNSName", "web1.corp.test");
    set_text("serviceDNSName", "web2.corp.test");
    expect_refused("its serviceDNSName is not a single text");
}
END_TEST

START_TEST(a_name_with_a_nul_is_refused)
{
    set("serviceDNSName", "web1\0.evil", 10);
    expect_refused("its serviceDNSName is not a single text");
}
END_TEST

START_TEST(a_name_of_300_bytes_is_refused)
{
    char name[300];

    memset(name, 'a', sizeof name);
    set("serviceDNSName", name, sizeof name);
    expect_refused("its serviceDNSName is longer than 253 bytes");
}
END_TEST

START_TEST(an_address_is_not_a_name)
{
    set_text("serviceDNSName", "127.0.0.1");
    expect_refused("its serviceDNSName '127.0.0.1' is not a DNS name");
}
END_TEST

START_TEST(control_characters_are_shown_harmless)
{
    set_text("serviceDNSName", "web1\n\x1b[2J");
    expect_refused("its serviceDNSName 'web1\\x0a\\x1b[2J' is not a DNS name");
}
END_TEST

START_TEST(another_type_is_refused)
{
    set_text("serviceDNSNameType", "MX");
    expect_refused("its serviceDNSNameType is 'MX', neither A nor SRV");
}
END_TEST

START_TEST(hostile_bindings_are_each_a_problem_of_their_own)
{
    expect_binding_problem("", 0, "'' is not a port from 1 to 65535");
}
END_TEST

START_TEST(port_zero_is_a_problem)
{
    expect_binding_problem("0", 1, "'0' is not a port from 1 to 65535");
}
END_TEST

START_TEST(port_65536_is_a_problem)
{
    expect_binding_problem("65536", 5, "'65536' is not a port from 1 to 65535");
}
END_TEST

START_TEST(a_url_is_a_problem)
{
    expect_binding_problem("http://x", 8,
                           "'http://x' is not a port from 1 to 65535");
}
END_TEST

START_TEST(a_port_with_a_nul_is_a_problem)
{
    expect_binding_problem("80\0", 3,
                           "'80\\x00' is not a port from 1 to 65535");
}
END_TEST

START_TEST(a_bad_binding_does_not_spoil_a_good_one)
{
    set_text("serviceBindingInformation", "http://x");
    set_text("serviceBindingInformation", "7443");
    set_rest();
    ck_assert(scp_parse(&entry, &scp, &err));
    ck_assert_uint_eq(scp.bindings[0].port, 0);
    ck_assert_uint_eq(scp.bindings[1].port, 7443);
}
END_TEST

START_TEST(ten_thousand_bindings_are_refused)
{
    for (int i = 0; i < 10000; i++)
        set_text("serviceBindingInformation", "7443");
    ck_assert_uint_eq(
        entry_attribute(&entry, "serviceBindingInformation")->count,
        ENTRY_VALUES_MAX);
    expect_refused("its serviceBindingInformation has more than 16 values, or "
                   "a very long one");
}
END_TEST

START_TEST(an_entry_keeps_no_more_than_fits)
{
    char value[ENTRY_VALUE_MAX + 1] = "";
    char name[16];

    set("cn", value, sizeof value);
    ck_assert(entry_attribute(&entry, "cn")->cut);
    ck_assert_uint_eq(entry_attribute(&entry, "cn")->count, 0);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "a%d", i);
        set_text(name, "x");
    }
    ck_assert_uint_eq(entry.count, ENTRY_ATTRIBUTES_MAX);
}
END_TEST

START_TEST(a_list_keeps_no_more_than_fits)
{
    struct entry_list list = {.count = 0};

    for (int i = 0; i < ENTRY_LIST_MAX + 1; i++) {
        struct entry one;
        ck_assert(entry_init(&one, "CN=x", &err));
        ck_assert(entry_list_take(&list, &one, &err));
    }
    ck_assert_uint_eq(list.count, ENTRY_LIST_MAX);
    ck_assert(list.cut);
    entry_list_clear(&list);
}
END_TEST

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        a_complete_one_is_read,
        several_bindings_are_several_ports,
        an_srv_name_needs_no_binding,
        a_guid_of_another_size_is_no_guid,
        missing_attributes_are_named,
        an_empty_or_double_name_is_refused,
        a_name_with_a_nul_is_refused,
        a_name_of_300_bytes_is_refused,
        an_address_is_not_a_name,
        control_characters_are_shown_harmless,
        another_type_is_refused,
        hostile_bindings_are_each_a_problem_of_their_own,
        port_zero_is_a_problem,
        port_65536_is_a_problem,
        a_url_is_a_problem,
        a_port_with_a_nul_is_a_problem,
        a_bad_binding_does_not_spoil_a_good_one,
        ten_thousand_bindings_are_refused,
        an_entry_keeps_no_more_than_fits,
        a_list_keeps_no_more_than_fits,
    };
    Suite *suite = suite_create("scp");
    TCase *entries = tcase_create("entries");

    tcase_add_checked_fixture(entries, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(entries, tests[i]);
    suite_add_tcase(suite, entries);
    return suite;
}

CHECK_MAIN(make_suite)
