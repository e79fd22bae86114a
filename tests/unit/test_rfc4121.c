/* SPDX-License-Identifier: BSD-2-Clause */
/* The token's header, byte by byte. */
#include "gss/rfc4121.h"

#include <string.h>

#include "check_main.h"

static const uint8_t example[TOKEN_HEADER_SIZE] = {
    0x05, 0x04, 0x07, 0xff, 0x00, 0x0c, 0x01, 0x02,
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
};

START_TEST(header_is_encoded_as_the_rfc_draws_it)
{
    const struct token_header header = {
        .flags = TOKEN_BY_ACCEPTOR | TOKEN_SEALED | TOKEN_ACCEPTOR_SUBKEY,
        .extra_count = 12,
        .rotation = 0x0102,
        .sequence = 0x1122334455667788,
    };
    uint8_t bytes[TOKEN_HEADER_SIZE];

    token_header_encode(&header, bytes);
    ck_assert_mem_eq(bytes, example, sizeof bytes);
}
END_TEST

START_TEST(header_is_parsed_to_what_it_says)
{
    struct token_header header;

    ck_assert(token_header_parse(example, sizeof example, TOKEN_BY_ACCEPTOR,
                                 &header, NULL));
    ck_assert_uint_eq(header.flags, 0x07);
    ck_assert_uint_eq(header.extra_count, 12);
    ck_assert_uint_eq(header.rotation, 0x0102);
    ck_assert_uint_eq(header.sequence, 0x1122334455667788);
}
END_TEST

static void
expect_refused(size_t at, uint8_t value, size_t size, uint8_t peer_flag,
               const char *sentence)
{
    uint8_t bytes[TOKEN_HEADER_SIZE];
    struct token_header header;
    struct error err;

    memcpy(bytes, example, sizeof bytes);
    bytes[at] = value;
    ck_assert(!token_header_parse(bytes, size, peer_flag, &header, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(what_is_no_wrap_token_is_refused)
{
    const char *sentence = "cannot unseal a record: it is not a wrap token";

    expect_refused(0, 0x04, 16, TOKEN_BY_ACCEPTOR, sentence);
    expect_refused(1, 0x05, 16, TOKEN_BY_ACCEPTOR, sentence);
    expect_refused(3, 0xfe, 16, TOKEN_BY_ACCEPTOR, sentence);
    for (size_t size = 0; size < TOKEN_HEADER_SIZE; size++)
        expect_refused(0, 0x05, size, TOKEN_BY_ACCEPTOR, sentence);
}
END_TEST

START_TEST(token_that_went_the_other_way_is_refused)
{
    const char *sentence = "cannot unseal a record: it is one of our own, sent "
                           "back";

    expect_refused(2, 0x07, 16, 0, sentence);
    expect_refused(2, 0x06, 16, TOKEN_BY_ACCEPTOR, sentence);
}
END_TEST

START_TEST(token_without_the_acceptor_s_subkey_is_refused)
{
    expect_refused(2, 0x03, 16, TOKEN_BY_ACCEPTOR,
                   "cannot unseal a record: it was not made with the "
                   "acceptor's subkey");
}
END_TEST

START_TEST(flags_that_nobody_knows_are_ignored)
{
    uint8_t bytes[TOKEN_HEADER_SIZE];
    struct token_header header;

    memcpy(bytes, example, sizeof bytes);
    bytes[2] = 0xff;
    ck_assert(token_header_parse(bytes, sizeof bytes, TOKEN_BY_ACCEPTOR,
                                 &header, NULL));
    ck_assert_uint_eq(header.flags, 0xff);
}
END_TEST

START_TEST(every_rotation_is_undone)
{
    const uint8_t wanted[] = "abcdefghijk";
    const size_t size = sizeof wanted - 1;
    uint8_t bytes[11];

    for (size_t count = 0; count <= 3 * size; count++) {
        for (size_t i = 0; i < size; i++)
            bytes[(i + count) % size] = wanted[i];
        token_unrotate(bytes, size, count);
        ck_assert_mem_eq(bytes, wanted, size);
    }
    token_unrotate(bytes, 0, 5);
}
END_TEST

START_TEST(fault_of_a_number_is_told)
{
    ck_assert_str_eq(token_sequence_fault(7, 6),
                     "one that was sent before it is missing");
    ck_assert_str_eq(token_sequence_fault(5, 6), "it was received before");
    ck_assert_str_eq(token_sequence_fault(0, UINT64_MAX),
                     "one that was sent before it is missing");
    ck_assert_str_eq(token_sequence_fault(UINT64_MAX, 0),
                     "it was received before");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("rfc4121");
    TCase *cases = tcase_create("header");

    tcase_add_test(cases, header_is_encoded_as_the_rfc_draws_it);
    tcase_add_test(cases, header_is_parsed_to_what_it_says);
    tcase_add_test(cases, what_is_no_wrap_token_is_refused);
    tcase_add_test(cases, token_that_went_the_other_way_is_refused);
    tcase_add_test(cases, token_without_the_acceptor_s_subkey_is_refused);
    tcase_add_test(cases, flags_that_nobody_knows_are_ignored);
    tcase_add_test(cases, every_rotation_is_undone);
    tcase_add_test(cases, fault_of_a_number_is_told);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
