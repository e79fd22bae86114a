/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and filters: the canonical form, containment, and escaping, which is
 * held against libldap's own parser over random bytes.
 */
#include "directory/dn.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ldap.h>

#include "check_main.h"
#include "directory/filter.h"
#include "directory/guid.h"

/* libldap exports its filter parser without declaring it. */
int ldap_pvt_put_filter(BerElement *ber, const char *text);

static void
expect_canonical(const char *text, const char *canonical)
{
    struct error err = {.text = ""};
    char *got = dn_canonical(text, &err);

    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, canonical);
    free(got);
}

static void
expect_no_dn(const char *text, const char *sentence)
{
    struct error err = {.text = ""};

    ck_assert_ptr_null(dn_canonical(text, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(case_and_blanks_around_separators_do_not_matter)
{
    expect_canonical("CN=Web1 , ou = Servers,DC=Corp",
                     "cn=web1,ou=servers,dc=corp");
}
END_TEST

START_TEST(escapes_are_resolved_and_written_anew)
{
    expect_canonical("CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i,DC=x",
                     "cn=a\\2cb\\2bc\\22d\\5ce\\3cf\\3eg\\3bh\\3di,dc=x");
    expect_canonical("CN=a\\2Cb,DC=x", "cn=a\\2cb,dc=x");
    expect_canonical("CN=\\ a\\ ,DC=x", "cn= a ,dc=x");
    expect_canonical("CN=b\\c3\\a4r,DC=x", "cn=b\xc3\xa4r,dc=x");
}
END_TEST

START_TEST(parts_of_an_rdn_are_sorted)
{
    expect_canonical("OU=z+CN=a,DC=x", "cn=a+ou=z,dc=x");
}
END_TEST

START_TEST(encoded_values_stay_apart_from_texts)
{
    expect_canonical("CN=#0401Aa,DC=x", "cn=#0401aa,dc=x");
    expect_canonical("CN=\\#0401aa,DC=x", "cn=\\230401aa,dc=x");
}
END_TEST

START_TEST(what_is_not_a_dn_is_refused)
{
    expect_no_dn("", "'' is not a distinguished name");
    expect_no_dn("web1", "'web1' is not a distinguished name");
    expect_no_dn("CN=\"a,b\",DC=x",
                 "'CN=\\x22a,b\\x22,DC=x' is not a distinguished name");
    expect_no_dn("CN=a;DC=x", "'CN=a;DC=x' is not a distinguished name");
    expect_no_dn("CN=a,,DC=x", "'CN=a,,DC=x' is not a distinguished name");
    expect_no_dn("CN=a,", "'CN=a,' is not a distinguished name");
    expect_no_dn("CN=a\\", "'CN=a\\x5c' is not a distinguished name");
    expect_no_dn("CN=a\\\x10\x11", "'CN=a\\x5c\\x10\\x11' is not a "
                                   "distinguished name");
}
END_TEST

START_TEST(a_name_over_4096_bytes_is_refused)
{
    char text[5000];
    struct error err;

    memset(text, 'a', sizeof text - 1);
    memcpy(text, "CN=", 3);
    text[sizeof text - 1] = '\0';
    ck_assert_ptr_null(dn_canonical(text, &err));
}
END_TEST

START_TEST(containment_is_by_whole_rdns)
{
    ck_assert(dn_is_below("cn=a,ou=b,dc=x", "ou=b,dc=x"));
    ck_assert(dn_is_below("cn=a,ou=b,dc=x", "dc=x"));
    ck_assert(!dn_is_below("ou=b,dc=x", "ou=b,dc=x"));
    ck_assert(!dn_is_below("cn=aou=b,dc=x", "ou=b,dc=x"));
    ck_assert(!dn_is_below("cn=a,ou=b,dc=x", ""));
}
END_TEST

START_TEST(an_escaped_comma_does_not_move_a_name_below_a_container)
{
    struct error err;
    char *forged = dn_canonical("CN=a\\,OU=b\\,DC=x", &err);

    ck_assert(!dn_is_below(forged, "ou=b,dc=x"));
    ck_assert_ptr_null(dn_parent(forged));
    free(forged);
}
END_TEST

START_TEST(the_parent_is_behind_the_first_bare_comma)
{
    ck_assert_str_eq(dn_parent_text("CN=a\\,b, OU=C,DC=x"), "OU=C,DC=x");
    ck_assert_ptr_null(dn_parent_text("CN=a\\,b"));
    ck_assert_str_eq(dn_parent("cn=a\\2cb,ou=c"), "ou=c");
}
END_TEST

START_TEST(the_domain_is_spelled_by_the_last_dcs)
{
    char domain[64] = "";

    ck_assert(dn_domain("cn=a,dc=corp,dc=test", domain, sizeof domain));
    ck_assert_str_eq(domain, "corp.test");
    ck_assert(dn_domain("dc=no,cn=a,dc=test", domain, sizeof domain));
    ck_assert_str_eq(domain, "test");
    ck_assert(!dn_domain("cn=a,ou=b", domain, sizeof domain));
    ck_assert(!dn_domain("cn=a,dc=b\\2cc", domain, sizeof domain));
    ck_assert(!dn_domain("cn=a,dc=corp,dc=test", domain, 9));
}
END_TEST

START_TEST(a_domain_becomes_a_dn)
{
    char dn[64];

    ck_assert(dn_of_domain("corp.example.test", dn, sizeof dn));
    ck_assert_str_eq(dn, "DC=corp,DC=example,DC=test");
    ck_assert(!dn_of_domain("corp..test", dn, sizeof dn));
    ck_assert(!dn_of_domain("", dn, sizeof dn));
}
END_TEST

START_TEST(values_are_escaped_for_names)
{
    char out[64];

    ck_assert_uint_eq(dn_escape(" #a,b\\c ", 8, out, sizeof out), 16);
    ck_assert_str_eq(out, "\\20#a\\2cb\\5cc\\20");
    dn_escape("#x\0", 3, out, sizeof out);
    ck_assert_str_eq(out, "\\23x\\00");
    dn_escape("", 0, out, sizeof out);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(values_are_escaped_for_filters)
{
    char out[64];

    ck_assert_uint_eq(filter_escape("a*(b)\\\0\xc3", 8, out, sizeof out), 20);
    ck_assert_str_eq(out, "a\\2a\\28b\\29\\5c\\00\\c3");
}
END_TEST

START_TEST(all_keywords_are_asked_for)
{
    char *words[] = {(char[]){"orders"}, (char[]){"a)(objectClass=*"}};
    struct error err;
    char *filter = filter_all("serviceConnectionPoint", "keywords", words, 2,
                              &err);

    ck_assert_str_eq(filter, "(&(objectClass=serviceConnectionPoint)"
                             "(keywords=orders)"
                             "(keywords=a\\29\\28objectClass=\\2a))");
    free(filter);
}
END_TEST

START_TEST(guids_are_shown_in_the_directorys_order)
{
    static const uint8_t octets[GUID_SIZE] = {
        0x1c, 0x31, 0xb1, 0xb7, 0x2e, 0xb8, 0xd0, 0x11,
        0xaf, 0xee, 0x00, 0x00, 0xf8, 0x03, 0x67, 0xc1};
    struct guid guid;
    char text[GUID_TEXT_SIZE];

    ck_assert(guid_parse("{B7B1311C-b82e-11d0-afee-0000f80367c1}", &guid));
    ck_assert_mem_eq(guid.octets, octets, GUID_SIZE);
    guid_format(&guid, text);
    ck_assert_str_eq(text, "b7b1311c-b82e-11d0-afee-0000f80367c1");
}
END_TEST

START_TEST(what_is_not_a_guid_is_refused)
{
    struct guid guid;

    ck_assert(!guid_parse("", &guid));
    ck_assert(!guid_parse("b7b1311c-b82e-11d0-afee-0000f80367c", &guid));
    ck_assert(!guid_parse("b7b1311c-b82e-11d0-afee-0000f80367c1x", &guid));
    ck_assert(!guid_parse("{b7b1311c-b82e-11d0-afee-0000f80367c1", &guid));
    ck_assert(!guid_parse("b7b1311cb82e11d0afee0000f80367c1", &guid));
    ck_assert(!guid_parse("CN=a,DC=x", &guid));
}
END_TEST

/* A fixed sequence of bytes in which the ones that matter are frequent. */
static uint8_t
next_byte(uint32_t *state)
{
    static const char marks[] = " \"#+,;<>\\=/@*()\0ab0\xc3\xa4\x1f\x7f";

    *state = *state * 1664525u + 1013904223u;
    uint32_t drawn = *state >> 16;
    return drawn % 3 == 0 ? (uint8_t)(drawn >> 4)
                          : (uint8_t)marks[drawn % (sizeof marks - 1)];
}

static size_t
random_value(uint32_t *state, uint8_t *value, size_t size)
{
    size_t length = 1 + next_byte(state) % (size - 1);

    for (size_t i = 0; i < length; i++)
        value[i] = next_byte(state);
    return length;
}

START_TEST(libldap_reads_back_every_escaped_value)
{
    uint32_t state = 1;

    for (int round = 0; round < 20000; round++) {
        uint8_t value[24];
        size_t length = random_value(&state, value, sizeof value);
        char escaped[80], text[100];
        LDAPDN dn = NULL;

        dn_escape(value, length, escaped, sizeof escaped);
        snprintf(text, sizeof text, "CN=%s,DC=x", escaped);
        ck_assert_int_eq(ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3),
                         LDAP_SUCCESS);
        ck_assert_ptr_null(dn[2]);
        ck_assert_uint_eq(dn[0][0]->la_value.bv_len, length);
        ck_assert_mem_eq(dn[0][0]->la_value.bv_val, value, length);
        ldap_dnfree(dn);
    }
}
END_TEST

/* The canonical form of random text is read by libldap as the same name. */
START_TEST(libldap_agrees_about_the_number_of_rdns)
{
    uint32_t state = 2;
    int agreed = 0;

    for (int round = 0; round < 50000; round++) {
        char text[32] = "CN=";
        size_t length = random_value(&state, (uint8_t *)text + 3, 24);
        LDAPDN dn = NULL;
        size_t rdns = 1, theirs = 0;

        text[3 + length] = '\0';
        char *canonical = dn_canonical(text, NULL);
        if (canonical == NULL)
            continue;
        for (const char *at = canonical; (at = strchr(at, ',')); at++)
            rdns++;
        ck_assert_msg(ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) ==
                          LDAP_SUCCESS,
                      "libldap refuses '%s'", text);
        while (dn[theirs] != NULL)
            theirs++;
        ck_assert_uint_eq(rdns, theirs);
        ldap_dnfree(dn);
        free(canonical);
        agreed++;
    }
    ck_assert_int_gt(agreed, 500);
}
END_TEST

START_TEST(libldap_reads_back_every_filter_value)
{
    uint32_t state = 3;

    for (int round = 0; round < 20000; round++) {
        uint8_t value[24];
        size_t length = random_value(&state, value, sizeof value);
        struct error err;
        char *filter = filter_equal("keywords", value, length, &err);
        BerElement *ber = ber_alloc_t(LBER_USE_DER);
        struct berval attribute, asserted;

        ck_assert_int_eq(ldap_pvt_put_filter(ber, filter), 0);
        ber_reset(ber, 1);
        ck_assert_uint_ne(ber_scanf(ber, "{mm}", &attribute, &asserted),
                          LBER_ERROR);
        ck_assert_uint_eq(asserted.bv_len, length);
        ck_assert_mem_eq(asserted.bv_val, value, length);
        ber_free(ber, 1);
        free(filter);
    }
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("dn");
    TCase *names = tcase_create("names");
    TCase *escaping = tcase_create("escaping");

    tcase_add_test(names, case_and_blanks_around_separators_do_not_matter);
    tcase_add_test(names, escapes_are_resolved_and_written_anew);
    tcase_add_test(names, parts_of_an_rdn_are_sorted);
    tcase_add_test(names, encoded_values_stay_apart_from_texts);
    tcase_add_test(names, what_is_not_a_dn_is_refused);
    tcase_add_test(names, a_name_over_4096_bytes_is_refused);
    tcase_add_test(names, containment_is_by_whole_rdns);
    tcase_add_test(names,
                   an_escaped_comma_does_not_move_a_name_below_a_container);
    tcase_add_test(names, the_parent_is_behind_the_first_bare_comma);
    tcase_add_test(names, the_domain_is_spelled_by_the_last_dcs);
    tcase_add_test(names, a_domain_becomes_a_dn);
    tcase_add_test(escaping, values_are_escaped_for_names);
    tcase_add_test(escaping, values_are_escaped_for_filters);
    tcase_add_test(escaping, all_keywords_are_asked_for);
    tcase_add_test(escaping, guids_are_shown_in_the_directorys_order);
    tcase_add_test(escaping, what_is_not_a_guid_is_refused);
    tcase_add_test(escaping, libldap_reads_back_every_escaped_value);
    tcase_add_test(escaping, libldap_agrees_about_the_number_of_rdns);
    tcase_add_test(escaping, libldap_reads_back_every_filter_value);
    suite_add_tcase(suite, names);
    suite_add_tcase(suite, escaping);
    return suite;
}

CHECK_MAIN(make_suite)
