/* SPDX-License-Identifier: BSD-2-Clause */
/* What single values may be. */
#include "config/checks.h"

#include "check_main.h"

typedef bool check(const char *value, struct error *err);

struct example {
    check *check;
    const char *value;
    const char *sentence; /* NULL: it is fine */
};

#define NAME_64                                                                \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* clang-format off */
static const struct example examples[] = {
    {check_class, "MSSQLSvc", NULL},
    {check_class, NAME_64, NULL},
    {check_class, NAME_64 "a", "cannot use \"" NAME_64 "a\": a service class is up to 64 letters, digits, dots, underscores and hyphens"},
    {check_class, "a b", "cannot use \"a b\": a service class is up to 64 letters, digits, dots, underscores and hyphens"},
    {check_engine, "auto", NULL},
    {check_engine, "gssapi", NULL},
    {check_engine, "openssl", NULL},
    {check_label, NAME_64, NULL},
    {check_label, "gr\xc3\xbcn und blau", NULL},
    {check_label, NAME_64 "a", "cannot use \"" NAME_64 "a\": a label has at most 64 bytes"},
    {check_label, "a\tb", "cannot use \"a\\x09b\": a label is text without quotes and backslashes"},
    {check_log_target, "syslog", NULL},
    {check_log_target, "file:/var/log/k", NULL},
    {check_log_target, "/var/log/k", "cannot use \"/var/log/k\": expected stderr, syslog or file:PATH"},
    {check_status, "none", NULL},
    {check_status, "[::1]:80", NULL},
    {check_status, "[::1]:0", "cannot read \"[::1]:0\" as an address: the port must be from 1 to 65535"},
    {check_status, "unix:/s", NULL},
    {check_status, "fd:x", "cannot use \"fd:x\": expected unix:PATH, a loopback ADDRESS:PORT or none"},
    {check_spn, "host/db", NULL},
    {check_spn, "host/db:1/x@R", NULL},
    {check_spn, "host@R/db", "cannot use \"host@R/db\": a service principal name is CLASS/HOST, as orders/db.corp"},
    {check_spn, "host/", "cannot use \"host/\": a service principal name is CLASS/HOST, as orders/db.corp"},
    {check_uri, "ldap://dc1:389", NULL},
    {check_uri, "ldaps://dc1", "cannot use \"ldaps://dc1\": expected ldap://HOST or ldap://HOST:PORT"},
    {check_host, "db1.corp", NULL},
    {check_host, "db1..corp", "cannot use \"db1..corp\": expected a DNS name, as db.corp.example.test"},
    {check_host_pattern, "*.corp", NULL},
    {check_host_pattern, "db*", NULL},
    {check_host_pattern, "db*:1", "cannot use \"db*:1\": expected a DNS name, or one with *"},
    {check_dn, "OU=a,DC=b", NULL},
    {check_scp, "CN=a,DC=b", NULL},
    {check_scp, "b7b1311c-b82e-11d0-afee-0000f80367c1", NULL},
    {check_scp, "orders", "cannot use \"orders\": expected a distinguished name or an objectGUID"},
    {check_connect, "db:1", NULL},
    {check_connect, "fd:x", "cannot use \"fd:x\": only `accept` takes fd:NAME"},
    {check_owner, "alice", NULL},
    {check_owner, "alice:www-data", NULL},
    {check_owner, ":www-data", "cannot use \":www-data\": expected USER or USER:GROUP"},
    {check_owner, "alice:", "cannot use \"alice:\": expected USER or USER:GROUP"},
    {check_owner, "alice bob", "cannot use \"alice bob\": expected USER or USER:GROUP"},
    {check_service_name, "a.B_c-9", NULL},
    {check_service_name, "", "cannot use \"\": the name of a section is up to 40 letters, digits, dots, underscores and hyphens"},
};
/* clang-format on */

START_TEST(value_is_judged)
{
    const struct example *example = &examples[_i];
    struct error err = {.text = ""};
    bool fine = example->check(example->value, &err);

    if (example->sentence != NULL)
        ck_assert_str_eq(err.text, example->sentence);
    ck_assert(fine == (example->sentence == NULL));
}
END_TEST

START_TEST(a_broken_distinguished_name_is_a_sentence)
{
    struct error err;

    ck_assert(!check_dn("OU", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "OU"));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("checks");
    TCase *values = tcase_create("values");

    tcase_add_loop_test(values, value_is_judged, 0,
                        sizeof examples / sizeof examples[0]);
    tcase_add_test(values, a_broken_distinguished_name_is_a_sentence);
    suite_add_tcase(suite, values);
    return suite;
}

CHECK_MAIN(make_suite)
