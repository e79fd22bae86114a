/* SPDX-License-Identifier: BSD-2-Clause */
/* HELLO byte by byte, both ways, and what is refused of it. */
#include "wire/hello.h"

#include <string.h>

#include "check_main.h"

/* clang-format off */
static const uint8_t hello_bytes[] = {
    1, 'K', 'W', 'R', 'P', 1, 3, 2, 0,
    0x80, 0x00, 0x00, 0x05,
    0x00, 0x00, 0xff, 0xc0,
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    0, 5, 'o', '/', 'd', 'b', '1',
    0, 2, 0xc3, 0xa9,
    0, 3, 'k', '/', '1',
};
/* clang-format on */

enum {
    AT_MAGIC = 1,
    AT_VERSION_LOW = 5,
    AT_PROTECTION = 7,
    AT_RESERVED = 8,
    AT_MAX_PLAINTEXT = 13,
    AT_TARGET = 25,
};

static const struct hello hello_value = {
    .version_low = 1,
    .version_high = 3,
    .protection = PROTECTION_SEAL,
    .capabilities = 0x80000005,
    .max_plaintext = 65472,
    .connection_id = 0x0102030405060708,
    .target = "o/db1",
    .label = "\xc3\xa9",
    .agent = "k/1",
};

/* The sample with one byte changed must be refused with this sentence. */
static void
expect_hello_refused(size_t offset, uint8_t byte, const char *sentence)
{
    uint8_t bytes[sizeof hello_bytes];
    struct hello hello;
    struct error err;

    memcpy(bytes, hello_bytes, sizeof bytes);
    bytes[offset] = byte;

    ck_assert(!hello_parse(bytes, sizeof bytes, &hello, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(hello_is_encoded_to_the_published_bytes)
{
    uint8_t out[HELLO_SIZE_MAX];

    ck_assert_uint_eq(hello_encode(&hello_value, out), sizeof hello_bytes);

    ck_assert_mem_eq(out, hello_bytes, sizeof hello_bytes);
}
END_TEST

START_TEST(hello_is_read_from_the_published_bytes)
{
    struct hello hello;

    ck_assert(hello_parse(hello_bytes, sizeof hello_bytes, &hello, NULL));

    ck_assert_uint_eq(hello.version_low, 1);
    ck_assert_uint_eq(hello.version_high, 3);
    ck_assert_int_eq(hello.protection, PROTECTION_SEAL);
    ck_assert_uint_eq(hello.capabilities, 0x80000005);
    ck_assert_uint_eq(hello.max_plaintext, 65472);
    ck_assert_uint_eq(hello.connection_id, 0x0102030405060708);
    ck_assert_str_eq(hello.target, "o/db1");
    ck_assert_str_eq(hello.label, "\xc3\xa9");
    ck_assert_str_eq(hello.agent, "k/1");
}
END_TEST

START_TEST(hello_cut_anywhere_is_refused)
{
    struct hello hello;

    for (size_t length = 1; length < sizeof hello_bytes; length++)
        ck_assert(!hello_parse(hello_bytes, length, &hello, NULL));
}
END_TEST

START_TEST(hello_cut_names_the_field)
{
    struct hello hello;
    struct error err;

    ck_assert(!hello_parse(hello_bytes, AT_TARGET + 4, &hello, &err));

    ck_assert_str_eq(err.text,
                     "cannot read the peer's HELLO: the target is cut short");
}
END_TEST

START_TEST(hello_of_a_later_version_may_be_longer)
{
    uint8_t bytes[sizeof hello_bytes + 9] = {0};
    struct hello hello;

    memcpy(bytes, hello_bytes, sizeof hello_bytes);
    bytes[AT_RESERVED] = 0xff;

    ck_assert(hello_parse(bytes, sizeof bytes, &hello, NULL));
    ck_assert_str_eq(hello.agent, "k/1");
}
END_TEST

START_TEST(hello_with_a_bad_field_is_refused)
{
    expect_hello_refused(AT_MAGIC, 'k',
                         "cannot read the peer's HELLO: the magic is wrong");
    expect_hello_refused(
        AT_VERSION_LOW, 4,
        "cannot read the peer's HELLO: its versions 4 to 3 are no range");
    expect_hello_refused(
        AT_PROTECTION, 3,
        "cannot read the peer's HELLO: protection 3 is unknown");
    expect_hello_refused(
        AT_TARGET, 0x04,
        "cannot read the peer's HELLO: the target is longer than 1024 bytes");
    expect_hello_refused(
        AT_TARGET + 3, '\0',
        "cannot read the peer's HELLO: the target contains a NUL byte");
    expect_hello_refused(
        AT_TARGET + 3, 0xc0,
        "cannot read the peer's HELLO: the target is not valid UTF-8");
}
END_TEST

START_TEST(hello_that_takes_too_little_is_refused)
{
    uint8_t bytes[sizeof hello_bytes];
    struct hello hello;
    struct error err;

    memcpy(bytes, hello_bytes, sizeof bytes);
    memcpy(bytes + AT_MAX_PLAINTEXT, "\x00\x00\x0f\xff", 4);

    ck_assert(!hello_parse(bytes, sizeof bytes, &hello, &err));
    ck_assert_str_eq(err.text, "cannot read the peer's HELLO: its largest "
                               "plaintext of 4095 bytes is below 4096");
}
END_TEST

START_TEST(refused_hello_leaves_the_result_alone)
{
    struct hello hello = {.label = "before"};

    ck_assert(!hello_parse(hello_bytes, sizeof hello_bytes - 1, &hello, NULL));

    ck_assert_str_eq(hello.label, "before");
}
END_TEST

START_TEST(largest_hello_survives_the_way)
{
    struct hello sent = hello_value, received;
    uint8_t out[HELLO_SIZE_MAX];

    memset(sent.target, 't', MESSAGE_TARGET_MAX);
    memset(sent.label, 'l', MESSAGE_LABEL_MAX);
    memset(sent.agent, 'a', MESSAGE_AGENT_MAX);

    ck_assert(hello_parse(out, hello_encode(&sent, out), &received, NULL));
    ck_assert_str_eq(received.target, sent.target);
    ck_assert_str_eq(received.label, sent.label);
    ck_assert_str_eq(received.agent, sent.agent);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("hello");
    TCase *tests = tcase_create("hello");

    tcase_add_test(tests, hello_is_encoded_to_the_published_bytes);
    tcase_add_test(tests, hello_is_read_from_the_published_bytes);
    tcase_add_test(tests, hello_cut_anywhere_is_refused);
    tcase_add_test(tests, hello_cut_names_the_field);
    tcase_add_test(tests, hello_of_a_later_version_may_be_longer);
    tcase_add_test(tests, hello_with_a_bad_field_is_refused);
    tcase_add_test(tests, hello_that_takes_too_little_is_refused);
    tcase_add_test(tests, refused_hello_leaves_the_result_alone);
    tcase_add_test(tests, largest_hello_survives_the_way);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
