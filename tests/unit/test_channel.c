/* SPDX-License-Identifier: BSD-2-Clause */
/* Records through the engine that is made of GSSAPI's own calls. */
#include <string.h>
#include <gssapi/gssapi_ext.h>

#include "gss/channel_gssapi.h"
#include "gss_pair.h"
#include "wire/frame.h"

#include "check_main.h"

enum {
    ROOM = PLAINTEXT_MAX + TOKEN_OVERHEAD_MAX,
    /* Not such that the encrypted part is a power of two long: else flipping a
     * bit of the rotation count would rotate by nothing, which is allowed. */
    SMALL = 21,
};

static struct channel *ours, *theirs;

static void
open_channels(void)
{
    gss_ctx_id_t initiator, acceptor;

    raw_pair(&initiator, &acceptor);
    ck_assert(channel_gssapi_new(&initiator, true, &ours, NULL));
    ck_assert(channel_gssapi_new(&acceptor, false, &theirs, NULL));
}

static void
close_channels(void)
{
    channel_free(ours);
    channel_free(theirs);
}

/* A token of size bytes of plaintext that depend on seed. */
static size_t
seal(struct channel *channel, bool confidential, uint8_t *token, size_t size,
     unsigned seed)
{
    struct seal_record record = {token, size};
    struct token_shape shape;

    channel->ops->shape(channel, confidential, &shape);
    for (size_t i = 0; i < size; i++)
        token[shape.header + i] = (uint8_t)(i * 7 + seed);
    ck_assert(channel->ops->seal(channel, confidential, &record, 1, NULL));
    return shape.header + size + shape.trailer;
}

static void
expect_plain(const struct unseal_record *record, size_t size, unsigned seed)
{
    size_t right = 0;

    /* Each assertion is a message to the parent: not one a byte. */
    ck_assert_uint_eq(record->plain_size, size);
    while (right < size && record->plain[right] == (uint8_t)(right * 7 + seed))
        right++;
    ck_assert_uint_eq(right, size);
}

static bool
unseal(struct channel *channel, uint8_t *token, size_t size, struct error *err)
{
    struct unseal_record record = {.token = token, .token_size = size};

    return channel->ops->unseal(channel, &record, 1, err) == 1;
}

static void
expect_round_trip(struct channel *from, struct channel *to, bool confidential,
                  size_t size)
{
    static uint8_t token[ROOM];
    struct unseal_record record = {.token = token};

    record.token_size = seal(from, confidential, token, size, (unsigned)size);
    ck_assert_uint_le(record.token_size, size + TOKEN_OVERHEAD_MAX);
    ck_assert_uint_eq(to->ops->unseal(to, &record, 1, NULL), 1);
    ck_assert(record.confidential == confidential);
    expect_plain(&record, size, (unsigned)size);
}

static void
expect_round_trips(size_t size)
{
    expect_round_trip(ours, theirs, true, size);
    expect_round_trip(theirs, ours, true, size);
    expect_round_trip(ours, theirs, false, size);
    expect_round_trip(theirs, ours, false, size);
}

START_TEST(every_small_size_comes_through)
{
    for (size_t size = 0; size <= 300; size++)
        expect_round_trips(size);
}
END_TEST

START_TEST(sizes_at_the_limits_come_through)
{
    const size_t sizes[] = {16383, 16384, 16385, 65471, 65472};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        expect_round_trips(sizes[i]);
}
END_TEST

START_TEST(sealed_token_does_not_show_its_plaintext)
{
    uint8_t token[256];
    size_t size = seal(ours, true, token, 64, 1);
    uint8_t plain[64];

    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 7 + 1);
    ck_assert_ptr_null(memmem(token, size, plain, 8));
}
END_TEST

START_TEST(batches_of_all_sizes_come_through_in_order)
{
    static uint8_t tokens[33][256];
    struct unseal_record records[33];

    for (size_t count = 1; count <= 33; count++) {
        for (size_t i = 0; i < count; i++) {
            records[i].token = tokens[i];
            records[i].token_size = seal(ours, true, tokens[i], 100,
                                         (unsigned)i);
        }
        ck_assert_uint_eq(theirs->ops->unseal(theirs, records, count, NULL),
                          count);
        for (size_t i = 0; i < count; i++)
            expect_plain(&records[i], 100, (unsigned)i);
    }
}
END_TEST

START_TEST(batch_is_sealed_in_order)
{
    static uint8_t tokens[33][256];
    struct seal_record records[33];
    struct token_shape shape;

    ours->ops->shape(ours, true, &shape);
    for (size_t i = 0; i < 33; i++)
        records[i] = (struct seal_record){tokens[i], i};
    ck_assert(ours->ops->seal(ours, true, records, 33, NULL));
    for (size_t i = 0; i < 33; i++)
        ck_assert(
            unseal(theirs, tokens[i], shape.header + i + shape.trailer, NULL));
}
END_TEST

START_TEST(long_conversation_keeps_its_sequence)
{
    for (unsigned i = 0; i < 600; i++)
        expect_round_trip(ours, theirs, i % 2 == 0, 32);
}
END_TEST

START_TEST(token_is_shaped_by_rfc_4121)
{
    const uint8_t head[] = {0x05, 0x04, 0x06, 0xff, 0, 0, 0, 0};
    struct token_shape shape;
    uint8_t token[256];

    ours->ops->shape(ours, true, &shape);
    ck_assert_uint_eq(shape.header, 32);
    ck_assert_uint_eq(shape.trailer, 28);
    seal(ours, true, token, 10, 1);
    ck_assert_mem_eq(token, head, sizeof head);
    seal(theirs, false, token, 10, 1);
    ck_assert_uint_eq(token[2], 0x05);
}
END_TEST

/* Each bit needs channels of its own: a bad record is their end. */
static void
expect_flips_refused(bool confidential)
{
    uint8_t token[256];
    size_t size = 1;

    for (size_t bit = 0; bit < size * 8; bit++) {
        open_channels();
        size = seal(ours, confidential, token, SMALL, 1);
        token[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!unseal(theirs, token, size, NULL), "bit %zu", bit);
        close_channels();
    }
}

START_TEST(every_flipped_bit_of_a_sealed_token_is_refused)
{
    expect_flips_refused(true);
}
END_TEST

START_TEST(every_flipped_bit_of_a_signed_token_is_refused)
{
    expect_flips_refused(false);
}
END_TEST

/* On the heap, so that reading past the end shows. */
static void
expect_size_refused(bool confidential, int difference)
{
    uint8_t token[256], *copy;
    size_t size;

    open_channels();
    size = (size_t)((int)seal(ours, confidential, token, SMALL, 1) +
                    difference);
    copy = malloc(size + 1);
    memcpy(copy, token, size);
    ck_assert_msg(!unseal(theirs, copy, size, NULL), "size %zu", size);
    free(copy);
    close_channels();
}

START_TEST(every_truncation_is_refused)
{
    for (int missing = 1; missing <= 32 + SMALL + 28; missing++)
        expect_size_refused(true, -missing);
    for (int missing = 1; missing <= 16 + SMALL + 12; missing++)
        expect_size_refused(false, -missing);
}
END_TEST

START_TEST(every_extension_is_refused)
{
    for (int more = 1; more <= 17; more++) {
        expect_size_refused(true, more);
        expect_size_refused(false, more);
    }
}
END_TEST

static void
expect_refusal(struct channel *channel, uint8_t *token, size_t size,
               const char *sentence)
{
    struct error err = {.text = ""};

    ck_assert(!unseal(channel, token, size, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(replayed_token_is_refused)
{
    uint8_t token[256], copy[256];
    size_t size = seal(ours, true, token, SMALL, 1);

    memcpy(copy, token, size);
    ck_assert(unseal(theirs, token, size, NULL));
    expect_refusal(theirs, copy, size,
                   "cannot unseal a record: it was received before");
}
END_TEST

START_TEST(missing_token_is_noticed)
{
    uint8_t token[256];
    size_t size;

    seal(ours, true, token, SMALL, 1);
    size = seal(ours, true, token, SMALL, 2);
    expect_refusal(theirs, token, size,
                   "cannot unseal a record: one that was sent before it is "
                   "missing");
}
END_TEST

START_TEST(swapped_tokens_are_refused)
{
    uint8_t tokens[2][256];
    struct unseal_record records[2] = {{.token = tokens[1]},
                                       {.token = tokens[0]}};

    records[1].token_size = seal(ours, true, tokens[0], SMALL, 1);
    records[0].token_size = seal(ours, true, tokens[1], SMALL, 2);
    ck_assert_uint_eq(theirs->ops->unseal(theirs, records, 2, NULL), 0);
}
END_TEST

START_TEST(reflected_token_is_refused)
{
    uint8_t token[256];
    size_t size = seal(ours, true, token, SMALL, 1);

    expect_refusal(ours, token, size,
                   "cannot unseal a record: it is one of our own, sent back");
}
END_TEST

START_TEST(token_without_the_acceptor_s_subkey_is_refused)
{
    uint8_t token[256];
    size_t size = seal(ours, true, token, SMALL, 1);

    token[2] &= (uint8_t)~0x04;
    expect_refusal(theirs, token, size,
                   "cannot unseal a record: it was not made with the "
                   "acceptor's subkey");
}
END_TEST

START_TEST(what_is_no_wrap_token_is_refused)
{
    uint8_t token[256] = "GET / HTTP/1.0";

    expect_refusal(theirs, token, 100,
                   "cannot unseal a record: it is not a wrap token");
}
END_TEST

START_TEST(records_before_the_bad_one_can_be_used)
{
    static uint8_t tokens[5][256];
    struct unseal_record records[5];

    for (size_t i = 0; i < 5; i++) {
        records[i].token = tokens[i];
        records[i].token_size = seal(ours, true, tokens[i], SMALL, 1);
    }
    tokens[3][40] ^= 1;
    ck_assert_uint_eq(theirs->ops->unseal(theirs, records, 5, NULL), 3);
    expect_plain(&records[2], SMALL, 1);
}
END_TEST

START_TEST(failed_channel_stays_dead)
{
    uint8_t token[256], bad[16] = {0};
    struct seal_record record = {token, 1};
    size_t size = seal(ours, true, token, SMALL, 1);
    struct error err;

    ck_assert(!unseal(theirs, bad, sizeof bad, NULL));
    expect_refusal(theirs, token, size,
                   "cannot unseal a record: an earlier one failed");
    ck_assert(!theirs->ops->seal(theirs, true, &record, 1, &err));
    ck_assert_str_eq(err.text, "cannot seal a record: an earlier one failed");
}
END_TEST

/* Without a place for the trailer the library puts it behind the header, and
 * says so by RRC, the count of bytes that the token was rotated by. */
static size_t
make_rotated(gss_ctx_id_t context, uint8_t *token, const char *plain)
{
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_HEADER, {32 + 28, token}},
        {GSS_IOV_BUFFER_TYPE_DATA, {strlen(plain), token + 32 + 28}},
        {GSS_IOV_BUFFER_TYPE_PADDING, {0, NULL}},
    };
    OM_uint32 minor;

    memcpy(parts[1].buffer.value, plain, strlen(plain));
    ck_assert_uint_eq(
        gss_wrap_iov(&minor, context, 1, GSS_C_QOP_DEFAULT, NULL, parts, 3),
        GSS_S_COMPLETE);
    ck_assert_uint_ne(token[7], 0);
    return 32 + 28 + strlen(plain);
}

START_TEST(rotated_token_is_accepted)
{
    gss_ctx_id_t initiator, acceptor;
    uint8_t token[256];
    struct unseal_record record = {.token = token};
    struct channel *channel;
    OM_uint32 minor;

    raw_pair(&initiator, &acceptor);
    ck_assert(channel_gssapi_new(&acceptor, false, &channel, NULL));
    record.token_size = make_rotated(initiator, token, "rotate me");
    ck_assert_uint_eq(channel->ops->unseal(channel, &record, 1, NULL), 1);
    ck_assert_uint_eq(record.plain_size, 9);
    ck_assert_mem_eq(record.plain, "rotate me", 9);
    gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
    channel_free(channel);
}
END_TEST

START_TEST(token_of_gss_wrap_is_accepted)
{
    gss_buffer_desc plain = {7, (void *)(uintptr_t) "wrap me"}, token;
    gss_ctx_id_t initiator, acceptor;
    struct channel *channel;
    OM_uint32 minor;

    raw_pair(&initiator, &acceptor);
    ck_assert(channel_gssapi_new(&acceptor, false, &channel, NULL));
    gss_wrap(&minor, initiator, 1, GSS_C_QOP_DEFAULT, &plain, NULL, &token);
    ck_assert(unseal(channel, token.value, token.length, NULL));
    gss_release_buffer(&minor, &token);
    gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
    channel_free(channel);
}
END_TEST

START_TEST(gss_unwrap_accepts_our_token)
{
    gss_ctx_id_t initiator, acceptor;
    gss_buffer_desc token, plain;
    struct channel *channel;
    uint8_t bytes[256];
    OM_uint32 minor;
    int confidential;

    raw_pair(&initiator, &acceptor);
    ck_assert(channel_gssapi_new(&initiator, true, &channel, NULL));
    token.length = seal(channel, true, bytes, SMALL, 0);
    token.value = bytes;
    ck_assert_uint_eq(
        gss_unwrap(&minor, acceptor, &token, &plain, &confidential, NULL),
        GSS_S_COMPLETE);
    ck_assert_int_eq(confidential, 1);
    ck_assert_uint_eq(plain.length, SMALL);
    ck_assert_uint_eq(((uint8_t *)plain.value)[1], 7);
    gss_release_buffer(&minor, &plain);
    gss_delete_sec_context(&minor, &acceptor, GSS_C_NO_BUFFER);
    channel_free(channel);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("channel");
    TCase *open = tcase_create("open");
    TCase *many = tcase_create("many");

    tcase_add_checked_fixture(open, open_channels, close_channels);
    tcase_add_test(open, every_small_size_comes_through);
    tcase_add_test(open, sizes_at_the_limits_come_through);
    tcase_add_test(open, sealed_token_does_not_show_its_plaintext);
    tcase_add_test(open, batches_of_all_sizes_come_through_in_order);
    tcase_add_test(open, batch_is_sealed_in_order);
    tcase_add_test(open, long_conversation_keeps_its_sequence);
    tcase_add_test(open, token_is_shaped_by_rfc_4121);
    tcase_add_test(open, replayed_token_is_refused);
    tcase_add_test(open, missing_token_is_noticed);
    tcase_add_test(open, swapped_tokens_are_refused);
    tcase_add_test(open, reflected_token_is_refused);
    tcase_add_test(open, token_without_the_acceptor_s_subkey_is_refused);
    tcase_add_test(open, what_is_no_wrap_token_is_refused);
    tcase_add_test(open, records_before_the_bad_one_can_be_used);
    tcase_add_test(open, failed_channel_stays_dead);
    suite_add_tcase(suite, open);
    tcase_set_timeout(many, 60);
    tcase_add_test(many, every_flipped_bit_of_a_sealed_token_is_refused);
    tcase_add_test(many, every_flipped_bit_of_a_signed_token_is_refused);
    tcase_add_test(many, every_truncation_is_refused);
    tcase_add_test(many, every_extension_is_refused);
    tcase_add_test(many, rotated_token_is_accepted);
    tcase_add_test(many, token_of_gss_wrap_is_accepted);
    tcase_add_test(many, gss_unwrap_accepts_our_token);
    suite_add_tcase(suite, many);
    return suite;
}

CHECK_MAIN(make_suite)
