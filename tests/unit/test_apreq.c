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

/* An AP-REQ in which nothing is missing, and a ticket of three bytes. */
static const uint8_t plain[] = {
    0x60, 0x2f, OID,  0x01, 0x00, 0x6e, 0x20, 0x30, 0x1e, /* AP-REQ */
    0xa0, 0x03, 0x02, 0x01, 0x05,                         /* pvno */
    0xa1, 0x03, 0x02, 0x01, 0x0e,                         /* msg-type */
    0xa2, 0x05, 0x03, 0x03, 0x00, 0x20, 0x00,             /* ap-options */
    0xa3, 0x03, 0x61, 0x01, 0x77,                         /* ticket */
    0xa4, 0x06, 0x30, 0x04, 0xa3, 0x02, 0x61, 0x00,       /* authenticator */
};
enum {
    TICKET_AT = 38,
    AUTHENTICATOR_AT = 41,
};

static bool
has_ticket(const uint8_t *token, size_t size)
{
    const uint8_t *ticket;
    size_t ticket_size;

    return apreq_ticket(token, size, &ticket, &ticket_size);
}

START_TEST(ticket_is_found_whole)
{
    const uint8_t *ticket;
    size_t size;

    ck_assert(apreq_ticket(plain, sizeof plain, &ticket, &size));
    ck_assert_ptr_eq(ticket, plain + TICKET_AT);
    ck_assert_uint_eq(size, 3);
    ck_assert(!has_ticket(request, sizeof request));
}
END_TEST

START_TEST(ticket_is_not_looked_for_in_what_is_cut_short_or_goes_on)
{
    uint8_t bytes[sizeof plain + 1] = {0};

    for (size_t size = 0; size < sizeof plain; size++) {
        uint8_t *part = malloc(size + 1);

        memcpy(part, plain, size);
        ck_assert(!has_ticket(part, size));
        free(part);
    }
    memcpy(bytes, plain, sizeof plain);
    ck_assert(!has_ticket(bytes, sizeof bytes));
}
END_TEST

/* Every byte of the way to it: tags, lengths, the mechanism. */
START_TEST(ticket_is_not_found_in_another_form)
{
    static const size_t ends[] = {TICKET_AT, AUTHENTICATOR_AT + 2};
    static const size_t begins[] = {0, AUTHENTICATOR_AT};
    /* Values inside of the elements that come before it. */
    static const size_t free_bytes[] = {21, 22, 23, 26, 27, 28,
                                        31, 32, 33, 34, 35};
    uint8_t bytes[sizeof plain];
    const uint8_t *ticket;
    size_t size;

    for (size_t part = 0; part < 2; part++) {
        for (size_t at = begins[part]; at < ends[part]; at++) {
            bool is_free = false;
            for (size_t i = 0; i < sizeof free_bytes / sizeof *free_bytes; i++)
                is_free = is_free || free_bytes[i] == at;
            for (unsigned value = 0; value < 256; value++) {
                memcpy(bytes, plain, sizeof bytes);
                bytes[at] = (uint8_t)value;
                bool found = apreq_ticket(bytes, sizeof bytes, &ticket, &size);
                ck_assert_msg(found == (is_free || value == plain[at]),
                              "byte %zu is 0x%02x", at, value);
                ck_assert(!found || ticket == bytes + TICKET_AT);
            }
        }
    }
}
END_TEST

/* The same lengths in more bytes than they need. */
START_TEST(ticket_is_not_found_behind_a_roundabout_length)
{
    static const size_t lengths[] = {1, 16, 18, 20, 25, 30, 37, 42};
    uint8_t bytes[sizeof plain + 1];

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t at = lengths[i];

        memcpy(bytes, plain, at);
        bytes[at] = 0x81;
        memcpy(bytes + at + 1, plain + at, sizeof plain - at);
        /* All that are around it are longer by one. */
        for (size_t outer = 0; outer < 3; outer++)
            if (lengths[outer] < at)
                bytes[lengths[outer]]++;
        ck_assert_msg(!has_ticket(bytes, sizeof bytes), "length at %zu", at);
    }
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
    tcase_add_test(cases, ticket_is_found_whole);
    tcase_add_test(cases,
                   ticket_is_not_looked_for_in_what_is_cut_short_or_goes_on);
    tcase_add_test(cases, ticket_is_not_found_in_another_form);
    tcase_add_test(cases, ticket_is_not_found_behind_a_roundabout_length);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
