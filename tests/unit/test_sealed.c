/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/sealed.c: single messages as sealed frames. */
#include "check_main.h"

#include <string.h>

#include "fake_gss.h"
#include "proxy/sealed.h"

static struct bytes bytes;
static struct fake_channel *ours, *theirs;

static void
set_up(void)
{
    ours = fake_channel_new(ROLE_CLIENT);
    theirs = fake_channel_new(ROLE_SERVER);
}

static void
tear_down(void)
{
    bytes_clear(&bytes);
    channel_free(&ours->channel);
    channel_free(&theirs->channel);
}

/* Opens the only frame in bytes. */
static struct unseal_record
open_frame(void)
{
    struct unseal_record record;
    uint8_t header[] = {0, 0, 0, (uint8_t)(bytes.size - 4)};

    ck_assert_uint_lt(bytes.size, 256);
    ck_assert_mem_eq(bytes.data, header, 4);
    ck_assert(sealed_open(&theirs->channel, bytes.data + 4, bytes.size - 4,
                          &record, NULL));
    ck_assert(record.confidential);
    return record;
}

START_TEST(bytes_are_appended)
{
    ck_assert(bytes_append(&bytes, "one", 3));
    ck_assert(bytes_append(&bytes, "two", 3));
    ck_assert_uint_eq(bytes.size, 6);
    ck_assert_mem_eq(bytes.data, "onetwo", 6);
}
END_TEST

START_TEST(appending_nothing_takes_no_memory)
{
    ck_assert(bytes_append(&bytes, NULL, 0));
    ck_assert_ptr_null(bytes.data);
}
END_TEST

START_TEST(cleared_bytes_are_empty)
{
    ck_assert(bytes_append(&bytes, "one", 3));
    bytes_clear(&bytes);
    ck_assert_ptr_null(bytes.data);
    ck_assert_uint_eq(bytes.size, 0);
}
END_TEST

START_TEST(message_becomes_an_encrypted_frame)
{
    ck_assert(sealed_append(&bytes, &ours->channel, (const uint8_t *)"\x02", 1,
                            NULL));
    ck_assert_uint_eq(bytes.size, FAKE_AROUND + 1);
    struct unseal_record record = open_frame();
    ck_assert_uint_eq(record.plain_size, 1);
    ck_assert_int_eq(record.plain[0], MESSAGE_READY);
}
END_TEST

START_TEST(frame_goes_behind_what_is_there)
{
    ck_assert(bytes_append(&bytes, "before", 6));
    ck_assert(sealed_append(&bytes, &ours->channel, (const uint8_t *)"\x02", 1,
                            NULL));
    ck_assert_uint_eq(bytes.size, 6 + FAKE_AROUND + 1);
    ck_assert_mem_eq(bytes.data, "before\0\0\0\x15", 10);
}
END_TEST

START_TEST(channel_that_fails_leaves_bytes_as_they_were)
{
    struct error error;

    ck_assert(bytes_append(&bytes, "before", 6));
    ours->seals_left = 0;
    ck_assert(!sealed_append(&bytes, &ours->channel, (const uint8_t *)"\x02", 1,
                             &error));
    ck_assert_str_eq(error.text, "cannot seal a record: told to fail");
    ck_assert_uint_eq(bytes.size, 6);
}
END_TEST

START_TEST(hello_is_sealed_whole)
{
    const struct hello hello = {
        .version_low = 1,
        .version_high = 1,
        .protection = PROTECTION_SIGN,
        .max_plaintext = 65472,
        .target = "orders/db1",
    };
    struct hello read;

    ck_assert(sealed_append_hello(&bytes, &ours->channel, &hello, NULL));
    struct unseal_record record = open_frame();
    ck_assert(hello_parse(record.plain, record.plain_size, &read, NULL));
    ck_assert_str_eq(read.target, "orders/db1");
}
END_TEST

static struct reset
append_reset(enum reset_code code, const char *sentence)
{
    struct reset reset;

    ck_assert(
        sealed_append_reset(&bytes, &ours->channel, code, sentence, NULL));
    struct unseal_record record = open_frame();
    ck_assert(reset_parse(record.plain, record.plain_size, &reset, NULL));
    return reset;
}

START_TEST(reset_carries_its_code_and_sentence)
{
    struct reset reset = append_reset(RESET_FORBIDDEN, "not allowed");

    ck_assert_int_eq(reset.code, RESET_FORBIDDEN);
    ck_assert_str_eq(reset.sentence, "not allowed");
    ck_assert(!reset.retryable);
}
END_TEST

START_TEST(reset_is_safe_to_show)
{
    struct reset reset = append_reset(RESET_INTERNAL, "bell \a");

    ck_assert_str_eq(reset.sentence, "bell \\x07");
}
END_TEST

START_TEST(long_sentence_of_a_reset_is_cut)
{
    char sentence[2000];
    struct unseal_record record;
    struct reset reset;

    memset(sentence, 'x', sizeof sentence);
    sentence[sizeof sentence - 1] = '\0';
    ck_assert(sealed_append_reset(&bytes, &ours->channel, RESET_TIMEOUT,
                                  sentence, NULL));
    ck_assert(sealed_open(&theirs->channel, bytes.data + 4, bytes.size - 4,
                          &record, NULL));
    ck_assert(reset_parse(record.plain, record.plain_size, &reset, NULL));
    ck_assert_uint_eq(strlen(reset.sentence), MESSAGE_SENTENCE_MAX);
}
END_TEST

/* The table of docs/protocol.md section 4.3. */
START_TEST(what_lies_in_one_server_is_retryable)
{
    static const bool retryable[] = {
        [RESET_INTERNAL] = true,    [RESET_PROTOCOL] = false,
        [RESET_VERSION] = false,    [RESET_PROTECTION] = false,
        [RESET_LABEL] = false,      [RESET_TARGET] = false,
        [RESET_FORBIDDEN] = false,  [RESET_APPLICATION] = false,
        [RESET_UNREACHABLE] = true, [RESET_TIMEOUT] = false,
        [RESET_SHUTDOWN] = true,    [RESET_LIMIT] = true,
    };

    ck_assert(reset_is_retryable((enum reset_code)_i) == retryable[_i]);
    ck_assert(append_reset((enum reset_code)_i, "").retryable == retryable[_i]);
}
END_TEST

START_TEST(broken_token_is_not_opened)
{
    struct unseal_record record;
    struct error error;

    ck_assert(sealed_append(&bytes, &ours->channel, (const uint8_t *)"\x02", 1,
                            NULL));
    bytes.data[4 + FAKE_HEADER] ^= 1;
    ck_assert(!sealed_open(&theirs->channel, bytes.data + 4, bytes.size - 4,
                           &record, &error));
    ck_assert_str_eq(error.text,
                     "cannot unseal a record: its checksum is wrong");
}
END_TEST

static Suite *
sealed_suite(void)
{
    Suite *suite = suite_create("sealed");
    TCase *cases = tcase_create("sealed");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, bytes_are_appended);
    tcase_add_test(cases, appending_nothing_takes_no_memory);
    tcase_add_test(cases, cleared_bytes_are_empty);
    tcase_add_test(cases, message_becomes_an_encrypted_frame);
    tcase_add_test(cases, frame_goes_behind_what_is_there);
    tcase_add_test(cases, channel_that_fails_leaves_bytes_as_they_were);
    tcase_add_test(cases, hello_is_sealed_whole);
    tcase_add_test(cases, reset_carries_its_code_and_sentence);
    tcase_add_test(cases, reset_is_safe_to_show);
    tcase_add_test(cases, long_sentence_of_a_reset_is_cut);
    tcase_add_loop_test(cases, what_lies_in_one_server_is_retryable,
                        RESET_INTERNAL, RESET_LIMIT + 1);
    tcase_add_test(cases, broken_token_is_not_opened);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(sealed_suite)
