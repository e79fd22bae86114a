/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens of the establishment, as far as they are in clear. */
#include "gss/apreq.h"

#include <string.h>

#include "check_main.h"

/* The krb5 mechanism's object identifier, as an element. */
#define OID 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02

/* An AP-REQ with a ticket of etype 18, of which all that is passed by is cut
 * as short as it goes. */
enum {
    ETYPE_AT = 53
};
static const uint8_t request[] = {
    0x60, 0x3a, OID,  0x01, 0x00, 0x6e, 0x2b, 0x30, 0x29, /* AP-REQ */
    0xa0, 0x03, 0x02, 0x01, 0x05,                         /* pvno */
    0xa1, 0x03, 0x02, 0x01, 0x0e,                         /* msg-type */
    0xa3, 0x1d, 0x61, 0x1b, 0x30, 0x19,                   /* ticket */
    0xa0, 0x03, 0x02, 0x01, 0x05,                         /* tkt-vno */
    0xa1, 0x03, 0x1b, 0x01, 'R',                          /* realm */
    0xa3, 0x0d, 0x30, 0x0b,                               /* enc-part */
    0xa0, 0x03, 0x02, 0x01, 0x12,                         /* etype */
    0xa2, 0x04, 0x04, 0x02, 0x00, 0x00,                   /* cipher */
};

START_TEST(enctype_of_the_ticket_is_found)
{
    int32_t enctype = 0;

    ck_assert_int_eq(request[ETYPE_AT - 1], 0x01);
    ck_assert(apreq_ticket_enctype(request, sizeof request, &enctype, NULL));
    ck_assert_int_eq(enctype, 18);
}
END_TEST

START_TEST(negative_enctype_is_negative)
{
    uint8_t bytes[sizeof request];
    int32_t enctype = 0;

    memcpy(bytes, request, sizeof bytes);
    bytes[ETYPE_AT] = 0x80;
    ck_assert(apreq_ticket_enctype(bytes, sizeof bytes, &enctype, NULL));
    ck_assert_int_eq(enctype, -128);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    int32_t enctype = 77;

    for (size_t size = 0; size < sizeof request; size++) {
        uint8_t *bytes = malloc(size + 1);

        memcpy(bytes, request, size);
        ck_assert(!apreq_ticket_enctype(bytes, size, &enctype, NULL));
        free(bytes);
    }
    ck_assert_int_eq(enctype, 77);
}
END_TEST

START_TEST(other_mechanisms_are_refused)
{
    const uint8_t spnego[] = {0x60, 0x0a, 0x06, 0x06, 0x2b, 0x06,
                              0x01, 0x05, 0x05, 0x02, 0xa0, 0x00};
    struct error err;
    int32_t enctype;

    ck_assert_int_eq(token_kind(spnego, sizeof spnego), TOKEN_UNKNOWN);
    ck_assert(!apreq_ticket_enctype(spnego, sizeof spnego, &enctype, &err));
    ck_assert_str_eq(err.text,
                     "cannot accept the client: its first token is not "
                     "Kerberos' (only the krb5 mechanism is spoken here)");
}
END_TEST

START_TEST(missing_encrypted_part_is_refused)
{
    uint8_t bytes[sizeof request];
    struct error err;
    int32_t enctype;

    memcpy(bytes, request, sizeof bytes);
    bytes[ETYPE_AT - 8] = 0xa4;
    ck_assert(!apreq_ticket_enctype(bytes, sizeof bytes, &enctype, &err));
    ck_assert_str_eq(err.text,
                     "cannot accept the client: its AP-REQ is malformed");
}
END_TEST

START_TEST(indefinite_and_huge_lengths_are_refused)
{
    const uint8_t lengths[] = {0x80, 0x85, 0xff};
    uint8_t bytes[sizeof request];
    int32_t enctype;

    for (size_t i = 0; i < sizeof lengths; i++) {
        memcpy(bytes, request, sizeof bytes);
        bytes[1] = lengths[i];
        ck_assert(!apreq_ticket_enctype(bytes, sizeof bytes, &enctype, NULL));
    }
}
END_TEST

START_TEST(kind_follows_the_object_identifier)
{
    uint8_t bytes[] = {0x60, 0x0d, OID, 0x01, 0x00};

    ck_assert_int_eq(token_kind(bytes, sizeof bytes), TOKEN_AP_REQ);
    bytes[13] = 2;
    ck_assert_int_eq(token_kind(bytes, sizeof bytes), TOKEN_AP_REP);
    bytes[13] = 3;
    ck_assert_int_eq(token_kind(bytes, sizeof bytes), TOKEN_KRB_ERROR);
    bytes[13] = 4;
    ck_assert_int_eq(token_kind(bytes, sizeof bytes), TOKEN_UNKNOWN);
    bytes[13] = 1;
    bytes[14] = 1;
    ck_assert_int_eq(token_kind(bytes, sizeof bytes), TOKEN_UNKNOWN);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("apreq");
    TCase *cases = tcase_create("apreq");

    tcase_add_test(cases, enctype_of_the_ticket_is_found);
    tcase_add_test(cases, negative_enctype_is_negative);
    tcase_add_test(cases, every_truncation_is_refused);
    tcase_add_test(cases, other_mechanisms_are_refused);
    tcase_add_test(cases, missing_encrypted_part_is_refused);
    tcase_add_test(cases, indefinite_and_huge_lengths_are_refused);
    tcase_add_test(cases, kind_follows_the_object_identifier);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
