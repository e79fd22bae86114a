/* SPDX-License-Identifier: BSD-2-Clause */
/* RESET byte by byte, both ways, and what is refused of it. */
#include "wire/reset.h"

#include <string.h>

#include "check_main.h"

static const uint8_t reset_bytes[] = {5, 9, 1, 0, 4, 'd', 'o', 'w', 'n'};

START_TEST(reset_is_encoded_to_the_published_bytes)
{
    const struct reset reset = {RESET_UNREACHABLE, true, "down"};
    uint8_t out[RESET_SIZE_MAX];

    ck_assert_uint_eq(reset_encode(&reset, out), sizeof reset_bytes);

    ck_assert_mem_eq(out, reset_bytes, sizeof reset_bytes);
}
END_TEST

START_TEST(reset_is_read_from_the_published_bytes)
{
    struct reset reset;

    ck_assert(reset_parse(reset_bytes, sizeof reset_bytes, &reset, NULL));

    ck_assert_uint_eq(reset.code, RESET_UNREACHABLE);
    ck_assert(reset.retryable);
    ck_assert_str_eq(reset.sentence, "down");
}
END_TEST

START_TEST(reset_cut_anywhere_is_refused)
{
    struct reset reset;

    for (size_t length = 1; length < sizeof reset_bytes; length++)
        ck_assert(!reset_parse(reset_bytes, length, &reset, NULL));
}
END_TEST

START_TEST(reset_with_more_behind_it_is_refused)
{
    uint8_t bytes[sizeof reset_bytes + 1] = {0};
    struct reset reset;
    struct error err;

    memcpy(bytes, reset_bytes, sizeof reset_bytes);

    ck_assert(!reset_parse(bytes, sizeof bytes, &reset, &err));
    ck_assert_str_eq(err.text,
                     "cannot read the peer's RESET: something follows its end");
}
END_TEST

START_TEST(reset_of_a_later_version_is_understood)
{
    const uint8_t bytes[] = {5, 200, 0xfe, 0, 0};
    struct reset reset;

    ck_assert(reset_parse(bytes, sizeof bytes, &reset, NULL));

    ck_assert_uint_eq(reset.code, 200);
    ck_assert(!reset.retryable);
    ck_assert_str_eq(reset.sentence, "");
}
END_TEST

START_TEST(sentence_with_strange_bytes_still_arrives)
{
    const struct reset sent = {RESET_INTERNAL, false,
                               "a\xff"
                               "b\xc3"};
    struct reset received;
    uint8_t out[RESET_SIZE_MAX];

    ck_assert(reset_parse(out, reset_encode(&sent, out), &received, NULL));

    ck_assert_str_eq(received.sentence, "a?b?");
}
END_TEST

START_TEST(codes_have_names)
{
    ck_assert_str_eq(reset_name(RESET_INTERNAL), "internal");
    ck_assert_str_eq(reset_name(RESET_LIMIT), "limit");
    ck_assert_str_eq(reset_name(0), "unknown");
    ck_assert_str_eq(reset_name(255), "unknown");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("reset");
    TCase *tests = tcase_create("reset");

    tcase_add_test(tests, reset_is_encoded_to_the_published_bytes);
    tcase_add_test(tests, reset_is_read_from_the_published_bytes);
    tcase_add_test(tests, reset_cut_anywhere_is_refused);
    tcase_add_test(tests, reset_with_more_behind_it_is_refused);
    tcase_add_test(tests, reset_of_a_later_version_is_understood);
    tcase_add_test(tests, sentence_with_strange_bytes_still_arrives);
    tcase_add_test(tests, codes_have_names);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
