/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by the tables of DsMakeSpn, DsGetSpn and DsCrackSpn. */
#include "directory/spnvalue.h"

#include <string.h>

#include "check_main.h"

#define SCP "CN=orders,CN=web1,OU=Servers,DC=corp,DC=test"
#define GUID "b7b1311c-b82e-11d0-afee-0000f80367c1"

static const struct guid guid = {{0x1c, 0x31, 0xb1, 0xb7, 0x2e, 0xb8, 0xd0,
                                  0x11, 0xaf, 0xee, 0, 0, 0xf8, 3, 0x67, 0xc1}};

/* clang-format off */
static const struct {
    struct spn_parts parts;
    const char *value;
} made[] = {
    {{"orders", "db1.corp.test", NULL, 0, NULL}, "orders/db1.corp.test"},
    {{"orders", "db1.corp.test", NULL, 7443, NULL}, "orders/db1.corp.test:7443"},
    {{"orders", SCP, "db1.corp.test", 0, NULL}, "orders/db1.corp.test/" SCP},
    {{"orders", "corp.test", "db1", 65535, NULL}, "orders/db1:65535/corp.test"},
    {{"orders", "192.0.2.7", NULL, 0, "ref.test"}, "orders/192.0.2.7/ref.test"},
    {{"orders", "192.0.2.7", NULL, 70, "ref.test"}, "orders/192.0.2.7:70/ref.test"},
    {{"orders", "192.0.2.7", NULL, 0, NULL}, "orders/192.0.2.7"},
    {{"orders", "db1.corp.test", NULL, 0, "ref.test"}, "orders/db1.corp.test"},
    {{"orders", "db1.corp.test", NULL, 0, "a/b"}, "orders/db1.corp.test"},
    {{"Orders", "DB1", NULL, 0, NULL}, "Orders/DB1"},
};

static const struct {
    struct spn_parts parts;
    const char *sentence;
} refused[] = {
    {{NULL, "db1", NULL, 0, NULL}, "cannot make an SPN: the service class is empty"},
    {{"orders", NULL, "db1", 0, NULL}, "cannot make an SPN: the service name is empty"},
    {{"orders", "corp.test", "", 0, NULL}, "cannot make an SPN: the instance name is empty"},
    {{"or/ders", "db1", NULL, 0, NULL}, "cannot make an SPN: the service class contains a slash"},
    {{"orders", "192.0.2.7", NULL, 0, "a/b"}, "cannot make an SPN: the referrer contains a slash"},
    {{"orders", "CN=a/b,DC=test", "db1", 0, NULL},
     "cannot make an SPN: the service name contains a slash; use the objectGUID in place of the DN"},
    {{"orders", "db\n", NULL, 0, NULL}, "cannot make an SPN: the service name contains a control character"},
};

static const struct {
    const char *value, *service_class, *host;
    unsigned port;
    const char *label, *service_name;
} cracked[] = {
    {"orders/db1.corp.test", "orders", "db1.corp.test", 0, "", "db1.corp.test"},
    {"orders/db1:7443", "orders", "db1", 7443, "", "db1"},
    {"orders/db1/" SCP, "orders", "db1", 0, "", SCP},
    {"orders/db1:7443/" GUID, "orders", "db1", 7443, "", GUID},
    {"MSSQLSvc/db1:SALES", "MSSQLSvc", "db1", 0, "SALES", "db1"},
    {"orders/[2001:db8::1]:70", "orders", "[2001:db8::1]", 70, "", "[2001:db8::1]"},
    {"orders/2001:db8::1", "orders", "2001:db8::1", 0, "", "2001:db8::1"},
    {"orders/db1/a:b", "orders", "db1", 0, "", "a:b"},
};

static const char *const malformed[] = {
    "", "orders", "orders/", "/db1", "orders//x", "orders/db1/", "a/b/c/d",
    "orders/:70", "orders/db1:", "orders/db1\n",
};
/* clang-format on */

START_TEST(parts_are_joined_by_the_table)
{
    char value[SPN_SIZE];

    ck_assert(spnvalue_make(&made[_i].parts, value, NULL));
    ck_assert_str_eq(value, made[_i].value);
}
END_TEST

START_TEST(unusable_parts_are_refused)
{
    char value[SPN_SIZE] = "before";
    struct error err;

    ck_assert(!spnvalue_make(&refused[_i].parts, value, &err));
    ck_assert_str_eq(err.text, refused[_i].sentence);
    ck_assert_str_eq(value, "before");
}
END_TEST

START_TEST(a_name_is_cracked_into_what_it_was_made_of)
{
    struct spn_cracked out;

    ck_assert(spnvalue_crack(cracked[_i].value, &out, NULL));
    ck_assert_str_eq(out.service_class, cracked[_i].service_class);
    ck_assert_str_eq(out.host, cracked[_i].host);
    ck_assert_uint_eq(out.port, cracked[_i].port);
    ck_assert_str_eq(out.label, cracked[_i].label);
    ck_assert_str_eq(out.service_name, cracked[_i].service_name);
}
END_TEST

START_TEST(malformed_names_are_refused)
{
    struct spn_cracked out;

    ck_assert(!spnvalue_crack(malformed[_i], &out, NULL));
}
END_TEST

START_TEST(a_port_out_of_range_is_refused)
{
    struct spn_cracked out;
    struct error err;

    ck_assert(!spnvalue_crack("orders/db1:0", &out, &err));
    ck_assert(!spnvalue_crack("orders/db1:65536", &out, &err));
    ck_assert(strstr(err.text, "cannot read the SPN 'orders/db1:65536': ") ==
              err.text);
}
END_TEST

static void
expect_composed(const struct spn_composition *composition, const char *value)
{
    char values[1][SPN_SIZE];
    size_t count;

    ck_assert(spnvalue_compose(composition, values, &count, NULL));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(values[0], value);
}

START_TEST(without_instances_this_host_is_named)
{
    expect_composed(&(struct spn_composition){.type = SPN_DNS_HOST,
                                              .service_class = "orders",
                                              .this_host = "web1.corp.test"},
                    "orders/web1.corp.test");
    expect_composed(&(struct spn_composition){.type = SPN_NB_HOST,
                                              .service_class = "orders",
                                              .this_host = "web1.corp.test"},
                    "orders/web1");
    expect_composed(&(struct spn_composition){.type = SPN_DOMAIN,
                                              .service_class = "orders",
                                              .service_name = "corp.test",
                                              .this_host = "web1.corp.test"},
                    "orders/web1.corp.test/corp.test");
}
END_TEST

START_TEST(each_instance_is_named_with_its_own_port)
{
    const struct spn_instance instances[] = {{"web1", 0}, {"web2", 7443}};
    const struct spn_composition composition = {
        .type = SPN_SERVICE,
        .service_class = "orders",
        .service_name = SCP,
        .instances = instances,
        .count = 2,
    };
    char values[2][SPN_SIZE];
    size_t count;

    ck_assert(spnvalue_compose(&composition, values, &count, NULL));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(values[0], "orders/web1/" SCP);
    ck_assert_str_eq(values[1], "orders/web2:7443/" SCP);
}
END_TEST

START_TEST(a_dn_with_a_slash_falls_to_the_guid)
{
    expect_composed(&(struct spn_composition){.type = SPN_SERVICE,
                                              .service_class = "orders",
                                              .service_name = "CN=a/b,DC=test",
                                              .guid = &guid,
                                              .this_host = "web1"},
                    "orders/web1/" GUID);
}
END_TEST

START_TEST(a_host_has_no_service_name)
{
    const struct spn_composition composition = {.type = SPN_DNS_HOST,
                                                .service_class = "orders",
                                                .service_name = "x",
                                                .this_host = "web1"};
    char values[1][SPN_SIZE];
    size_t count;
    struct error err;

    ck_assert(!spnvalue_compose(&composition, values, &count, &err));
    ck_assert_str_eq(err.text,
                     "cannot make an SPN: one of a host has no service name");
}
END_TEST

START_TEST(kerberos_text_becomes_what_a_directory_stores)
{
    char value[SPN_SIZE];

    ck_assert(spnvalue_from_text("orders/db1@CORP.TEST", value, NULL));
    ck_assert_str_eq(value, "orders/db1");
    ck_assert(spnvalue_from_text("orders/db1/CN=a\\\\,b\\@c", value, NULL));
    ck_assert_str_eq(value, "orders/db1/CN=a\\,b@c");
    ck_assert(!spnvalue_from_text("orders/db1/CN=a\\/b", value, NULL));
    ck_assert(!spnvalue_from_text("orders\\0/db1", value, NULL));
}
END_TEST

START_TEST(case_does_not_tell_names_apart)
{
    ck_assert(spnvalue_equal("HOST/Web1.corp.test", "host/web1.CORP.test"));
    ck_assert(!spnvalue_equal("host/web1", "host/web11"));
    ck_assert(!spnvalue_equal("host/web11", "host/web1"));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("spnvalue");
    TCase *tables = tcase_create("tables");
    TCase *rules = tcase_create("rules");

    tcase_add_loop_test(tables, parts_are_joined_by_the_table, 0, COUNT(made));
    tcase_add_loop_test(tables, unusable_parts_are_refused, 0, COUNT(refused));
    tcase_add_loop_test(tables, a_name_is_cracked_into_what_it_was_made_of, 0,
                        COUNT(cracked));
    tcase_add_loop_test(tables, malformed_names_are_refused, 0,
                        COUNT(malformed));
    tcase_add_test(rules, a_port_out_of_range_is_refused);
    tcase_add_test(rules, without_instances_this_host_is_named);
    tcase_add_test(rules, each_instance_is_named_with_its_own_port);
    tcase_add_test(rules, a_dn_with_a_slash_falls_to_the_guid);
    tcase_add_test(rules, a_host_has_no_service_name);
    tcase_add_test(rules, kerberos_text_becomes_what_a_directory_stores);
    tcase_add_test(rules, case_does_not_tell_names_apart);
    suite_add_tcase(suite, tables);
    suite_add_tcase(suite, rules);
    return suite;
}

CHECK_MAIN(make_suite)
