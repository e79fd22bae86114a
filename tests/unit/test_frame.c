/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as docs/protocol.md section 2 has them. */
#include "wire/frame.h"

#include "check_main.h"

enum {
    UNTOUCHED = 77
};

/* Parses length bytes and expects this status and token size. */
static void
expect(const uint8_t *bytes, size_t length, size_t max,
       enum frame_status status, size_t token_size)
{
    size_t found = UNTOUCHED;

    ck_assert_int_eq(frame_parse(bytes, length, max, &found), status);
    ck_assert_uint_eq(found, token_size);
}

START_TEST(whole_frame_is_ready)
{
    const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c'};

    expect(bytes, sizeof bytes, 3, FRAME_READY, 3);
}
END_TEST

START_TEST(bytes_of_the_next_frame_do_not_matter)
{
    const uint8_t bytes[] = {0, 0, 0, 1, 'a', 0xff, 0xff};

    expect(bytes, sizeof bytes, 16, FRAME_READY, 1);
}
END_TEST

START_TEST(each_missing_byte_needs_more)
{
    const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c'};

    for (size_t length = 0; length < sizeof bytes; length++)
        expect(bytes, length, 16, FRAME_NEED_MORE, length < 4 ? UNTOUCHED : 3);
}
END_TEST

START_TEST(empty_frame_is_refused)
{
    const uint8_t bytes[] = {0, 0, 0, 0};

    expect(bytes, sizeof bytes, 16, FRAME_EMPTY, 0);
}
END_TEST

START_TEST(largest_frame_is_taken)
{
    const uint8_t bytes[] = {0x00, 0x02, 0x00, 0x00};

    expect(bytes, sizeof bytes, FRAME_HANDSHAKE_MAX, FRAME_NEED_MORE, 131072);
}
END_TEST

START_TEST(oversized_frame_is_refused_before_its_token_arrives)
{
    const uint8_t one_over[] = {0x00, 0x02, 0x00, 0x01};
    const uint8_t all_ones[] = {0xff, 0xff, 0xff, 0xff};

    expect(one_over, 4, FRAME_HANDSHAKE_MAX, FRAME_TOO_LARGE, 131073);
    expect(all_ones, 4, FRAME_HANDSHAKE_MAX, FRAME_TOO_LARGE, 0xffffffff);
}
END_TEST

START_TEST(first_byte_of_another_protocol_is_refused)
{
    expect((const uint8_t *)"G", 1, FRAME_HANDSHAKE_MAX, FRAME_TOO_LARGE,
           0x47000000);
    expect((const uint8_t *)"\x16", 1, FRAME_HANDSHAKE_MAX, FRAME_TOO_LARGE,
           0x16000000);
}
END_TEST

START_TEST(header_is_big_endian)
{
    uint8_t header[FRAME_HEADER_SIZE];

    frame_encode(header, 0x01020304);

    ck_assert_mem_eq(header, "\x01\x02\x03\x04", 4);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = tcase_create("frame");

    tcase_add_test(tests, whole_frame_is_ready);
    tcase_add_test(tests, bytes_of_the_next_frame_do_not_matter);
    tcase_add_test(tests, each_missing_byte_needs_more);
    tcase_add_test(tests, empty_frame_is_refused);
    tcase_add_test(tests, largest_frame_is_taken);
    tcase_add_test(tests, oversized_frame_is_refused_before_its_token_arrives);
    tcase_add_test(tests, first_byte_of_another_protocol_is_refused);
    tcase_add_test(tests, header_is_big_endian);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
