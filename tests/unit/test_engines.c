/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels of every engine against the Kerberos library's own calls and against
 * each other: every AES type, both roles, sealed and signed.
 */
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi_krb5.h>

#include "engines.h"
#include "gss/channel_gssapi.h"
#include "gss/channel_rfc4121.h"
#include "gss/enctype.h"
#include "gss/engine_private.h"
#include "gss/lucid.h"
#include "gss/rfc4121.h"
#include "gss/seal_openssl.h"
#include "gss_pair.h"
#include "wire/frame.h"

#include "check_main.h"

enum {
    ROOM = PLAINTEXT_MAX + TOKEN_OVERHEAD_MAX,
    BATCH = 33,
    TYPES = 4,
    /* With the library's calls: each type and each form of each engine. */
    CASES = TYPES * ENGINE_COUNT,
    /* Among ourselves: each type, OpenSSL and the best form of libipsec-mb. */
    OWN_CASES = TYPES * 2,
};

static const char *const types[TYPES] = {
    "aes256-cts-hmac-sha1-96",
    "aes128-cts-hmac-sha1-96",
    "aes128-cts-hmac-sha256-128",
    "aes256-cts-hmac-sha384-192",
};

static const char *type_now;

static struct channel *
open_channel(const struct channel_state *state, const struct engine *engine)
{
    struct channel *channel;

    ck_assert(channel_rfc4121_new(state, engine->make, &channel, NULL));
    return channel;
}

static struct channel_state
export_state(gss_ctx_id_t context, bool initiator)
{
    struct channel_state state;
    struct error err;

    ck_assert_msg(lucid_export(&context, initiator, &state, &err), "%s",
                  err.text);
    ck_assert_ptr_null(context);
    ck_assert_str_eq(enctype_aes_name(state.profile->enctype), type_now);
    return state;
}

/* NULL: not here. */
static const struct engine *
select_case(int type, int engine)
{
    type_now = types[type];
    raw_enctype(type_now);
    return engine_use(&engines[engine]) ? &engines[engine] : NULL;
}

/* Our end in one role, the library's in the other. */
static void
open_mixed(const struct engine *engine, bool we_initiate, struct channel **ours,
           struct channel **library)
{
    gss_ctx_id_t initiator, acceptor;
    struct channel_state state;

    raw_pair(&initiator, &acceptor);
    state = export_state(we_initiate ? initiator : acceptor, we_initiate);
    *ours = open_channel(&state, engine);
    ck_assert(channel_gssapi_new(we_initiate ? &acceptor : &initiator,
                                 !we_initiate, library, NULL));
}

static void
export_both(struct channel_state *initiator, struct channel_state *acceptor)
{
    gss_ctx_id_t one, other;

    raw_pair(&one, &other);
    *initiator = export_state(one, true);
    *acceptor = export_state(other, false);
}

static void
fill(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8) + seed);
}

/* A batch of tokens in the making and on the way. */
static uint8_t tokens[BATCH][ROOM];
static struct unseal_record received[BATCH];

static void
seal_batch(struct channel *from, bool confidential, const size_t *sizes,
           size_t count)
{
    struct seal_record records[BATCH];
    struct token_shape shape;

    from->ops->shape(from, confidential, &shape);
    for (size_t i = 0; i < count; i++) {
        records[i] = (struct seal_record){tokens[i], sizes[i]};
        fill(tokens[i] + shape.header, sizes[i], (unsigned)i);
        received[i] = (struct unseal_record){
            .token = tokens[i],
            .token_size = shape.header + sizes[i] + shape.trailer,
        };
    }
    ck_assert(from->ops->seal(from, confidential, records, count, NULL));
}

static void
expect_batch(bool confidential, const size_t *sizes, size_t count)
{
    static uint8_t wanted[ROOM];

    for (size_t i = 0; i < count; i++) {
        fill(wanted, sizes[i], (unsigned)i);
        if (received[i].plain_size != sizes[i] ||
            received[i].confidential != confidential ||
            memcmp(received[i].plain, wanted, sizes[i]) != 0)
            ck_abort_msg("record %zu of %zu bytes came as another", i,
                         sizes[i]);
    }
}

static void
carry(struct channel *from, struct channel *to, bool confidential,
      const size_t *sizes, size_t count)
{
    struct error err = {.text = ""};

    seal_batch(from, confidential, sizes, count);
    if (to->ops->unseal(to, received, count, &err) != count)
        ck_abort_msg("%s, of %zu bytes: %s", from->ops->engine, sizes[0],
                     err.text);
    expect_batch(confidential, sizes, count);
}

static void
carry_all_ways(struct channel *one, struct channel *other, const size_t *sizes,
               size_t count)
{
    carry(one, other, true, sizes, count);
    carry(other, one, true, sizes, count);
    carry(one, other, false, sizes, count);
    carry(other, one, false, sizes, count);
}

static void
try_lengths(const struct engine *engine, bool we_initiate)
{
    struct channel *ours, *library;

    open_mixed(engine, we_initiate, &ours, &library);
    for (size_t size = 0; size <= 300; size++)
        carry_all_ways(ours, library, &size, 1);
    for (size_t power = 512; power <= 65536; power *= 2) {
        for (size_t size = power - 1; size <= power + 1; size++) {
            size_t cut = size < PLAINTEXT_MAX ? size : PLAINTEXT_MAX;
            carry_all_ways(ours, library, &cut, 1);
        }
    }
    channel_free(ours);
    channel_free(library);
}

START_TEST(every_length_goes_to_and_from_the_library)
{
    const struct engine *engine = select_case(_i / ENGINE_COUNT,
                                              _i % ENGINE_COUNT);

    if (engine == NULL)
        return;
    try_lengths(engine, true);
    try_lengths(engine, false);
}
END_TEST

static void
try_batches(const struct engine *engine, bool we_initiate)
{
    struct channel *ours, *library;
    size_t sizes[BATCH];

    open_mixed(engine, we_initiate, &ours, &library);
    for (size_t count = 1; count <= BATCH; count++) {
        for (size_t i = 0; i < BATCH; i++)
            sizes[i] = (i * 331 + count * 17) % 1500;
        sizes[count / 2] = count * 1900;
        carry_all_ways(ours, library, sizes, count);
    }
    channel_free(ours);
    channel_free(library);
}

START_TEST(every_batch_goes_to_and_from_the_library)
{
    const struct engine *engine = select_case(_i / ENGINE_COUNT,
                                              _i % ENGINE_COUNT);

    if (engine == NULL)
        return;
    try_batches(engine, true);
    try_batches(engine, false);
}
END_TEST

START_TEST(every_engine_talks_to_every_other)
{
    struct channel_state initiator, acceptor;
    const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4096, 16384, 65472};
    const struct engine *engine = select_case(_i / ENGINE_COUNT,
                                              _i % ENGINE_COUNT);

    if (engine == NULL)
        return;
    export_both(&initiator, &acceptor);
    for (size_t i = 0; i < ENGINE_COUNT; i++) {
        if (!engine_use(&engines[i]))
            continue;
        struct channel *one = open_channel(&initiator, engine);
        struct channel *other = open_channel(&acceptor, &engines[i]);
        carry_all_ways(one, other, sizes, sizeof sizes / sizeof *sizes);
        channel_free(one);
        channel_free(other);
    }
}
END_TEST

static void
expect_choice(enum engine_choice choice, const char *name)
{
    gss_ctx_id_t initiator, acceptor;
    struct channel *one, *other;
    const size_t sizes[] = {100, 1000};

    raw_pair(&initiator, &acceptor);
    ck_assert(engine_open(&initiator, true, choice, &one, NULL));
    ck_assert(engine_open(&acceptor, false, ENGINE_GSSAPI, &other, NULL));
    ck_assert_ptr_null(initiator);
    ck_assert_str_eq(one->ops->engine, name);
    carry_all_ways(one, other, sizes, 2);
    channel_free(one);
    channel_free(other);
}

START_TEST(engine_is_the_one_that_was_chosen)
{
    bool multibuffer = engine_check(ENGINE_MULTIBUFFER, NULL);
    const char *best = multibuffer ? "multibuffer" : "openssl";

    select_case(_i, 0);
    expect_choice(ENGINE_GSSAPI, "gssapi");
    expect_choice(ENGINE_OPENSSL, "openssl");
    expect_choice(ENGINE_MULTIBUFFER, best);
    expect_choice(ENGINE_AUTO, best);
}
END_TEST

/* Who asks for no answer gets no subkey: the keys would be the ticket's. */
START_TEST(context_without_the_acceptor_s_subkey_is_refused)
{
    gss_ctx_id_t initiator;
    gss_buffer_desc token;
    struct channel_state state;
    struct error err;
    OM_uint32 minor;

    raw_request(RAW_FLAGS & ~(OM_uint32)GSS_C_MUTUAL_FLAG,
                (gss_OID)gss_mech_krb5, &initiator, &token);
    gss_release_buffer(&minor, &token);
    ck_assert(!lucid_export(&initiator, true, &state, &err));
    ck_assert_str_eq(err.text, "cannot trust the peer: its context is without "
                               "the acceptor's subkey");
    gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
}
END_TEST

/* Both ends ours from here on: what is refused, and in which words. */
static struct channel *ours, *theirs;
static struct channel_state our_state, their_state;
static const struct engine *engine_now;

static void
reopen(void)
{
    channel_free(ours);
    channel_free(theirs);
    ours = open_channel(&our_state, engine_now);
    theirs = open_channel(&their_state, engine_now);
}

static bool
open_own(int i)
{
    engine_now = select_case(i / 2, i % 2);
    if (engine_now == NULL)
        return false;
    export_both(&our_state, &their_state);
    reopen();
    return true;
}

static void
close_own(void)
{
    channel_free(ours);
    channel_free(theirs);
    ours = theirs = NULL;
}

/* One token of 21 bytes of plaintext; where it is, and how long. */
static size_t
seal_one(struct channel *from, bool confidential)
{
    const size_t size = 21;

    seal_batch(from, confidential, &size, 1);
    return received[0].token_size;
}

static void
expect_refusal(struct channel *to, uint8_t *token, size_t size,
               const char *sentence)
{
    struct unseal_record record = {.token = token, .token_size = size};
    struct error err = {.text = ""};

    ck_assert_uint_eq(to->ops->unseal(to, &record, 1, &err), 0);
    ck_assert_ptr_null(record.plain);
    if (sentence != NULL)
        ck_assert_str_eq(err.text, sentence);
}

static void
rotate(uint8_t *token, size_t size, size_t count)
{
    static uint8_t body[ROOM];
    size_t body_size = size - 16;

    memcpy(body, token + 16, body_size);
    for (size_t i = 0; i < body_size; i++)
        token[16 + (i + count) % body_size] = body[i];
    token[6] = (uint8_t)(count >> 8);
    token[7] = (uint8_t)count;
}

START_TEST(every_rotation_is_accepted)
{
    const size_t size = 21;

    if (!open_own(_i))
        return;
    for (size_t count = 0; count < 300; count++) {
        for (int confidential = 0; confidential < 2; confidential++) {
            size_t token_size = seal_one(ours, confidential);
            rotate(tokens[0], token_size, count == 299 ? 65535 : count);
            ck_assert_uint_eq(theirs->ops->unseal(theirs, received, 1, NULL),
                              1);
            expect_batch(confidential, &size, 1);
        }
    }
}
END_TEST

/* The initiator's first token as another implementation may make it: with extra
 * bytes behind the plaintext.  Returns its size. */
static size_t
make_filled(const char *plain, uint16_t extra)
{
    const struct token_profile *profile = our_state.profile;
    struct seal_secrets secrets = {.profile = profile};
    struct token_header header = {
        .flags = TOKEN_SEALED | TOKEN_ACCEPTOR_SUBKEY,
        .extra_count = extra,
        .sequence = our_state.sequence[TOKEN_SENT],
    };
    size_t before = TOKEN_SEALED_BEFORE + strlen(plain) + extra;
    struct text_span text = {tokens[0] + 16, before};
    struct text_span hashed = {tokens[0], 16 + before};
    uint8_t *mac = tokens[0] + 16 + before;
    struct seal *seal;

    ck_assert(token_keys_derive(profile, our_state.key, USAGE_INITIATOR_SEAL,
                                &secrets.keys[TOKEN_SENT], NULL));
    ck_assert(seal_openssl_new(&secrets, &seal, NULL));
    memset(tokens[0], 0, before);
    memcpy(tokens[0] + TOKEN_SEALED_BEFORE, plain, strlen(plain));
    token_header_encode(&header, tokens[0] + before);
    if (!profile->encrypt_then_mac)
        ck_assert(seal->ops->mac(seal, TOKEN_SENT, &text, &mac, 1, NULL));
    ck_assert(seal->ops->encrypt(seal, &text, 1, NULL));
    if (profile->encrypt_then_mac)
        ck_assert(seal->ops->mac(seal, TOKEN_SENT, &hashed, &mac, 1, NULL));
    token_header_encode(&header, tokens[0]);
    seal->ops->free(seal);
    return 16 + before + profile->mac_size;
}

START_TEST(filler_is_taken_off)
{
    if (!open_own(_i))
        return;
    for (uint16_t extra = 0; extra <= 40; extra++) {
        struct unseal_record record = {.token = tokens[0]};
        reopen();
        record.token_size = make_filled("plain", extra);
        ck_assert_uint_eq(theirs->ops->unseal(theirs, &record, 1, NULL), 1);
        ck_assert_uint_eq(record.plain_size, 5);
        ck_assert_mem_eq(record.plain, "plain", 5);
    }
}
END_TEST

START_TEST(more_filler_than_there_is_room_for_is_refused)
{
    if (!open_own(_i))
        return;
    size_t size = make_filled("plain", 3);
    tokens[0][5] = 9;
    expect_refusal(theirs, tokens[0], size,
                   "cannot unseal a record: its size is not what its header "
                   "says");
}
END_TEST

static void
expect_flips_refused(bool confidential)
{
    for (size_t bit = 0, size = 1; bit < size * 8; bit++) {
        reopen();
        size = seal_one(ours, confidential);
        tokens[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_refusal(theirs, tokens[0], size, NULL);
    }
}

START_TEST(every_flipped_bit_is_refused)
{
    if (!open_own(_i))
        return;
    expect_flips_refused(true);
    expect_flips_refused(false);
}
END_TEST

/* On the heap, so that reading past the end shows. */
static void
expect_size_refused(size_t size)
{
    uint8_t *copy = malloc(size + 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, tokens[0], size);
    reopen();
    expect_refusal(theirs, copy, size, NULL);
    free(copy);
}

START_TEST(every_other_size_is_refused)
{
    if (!open_own(_i))
        return;
    for (int confidential = 0; confidential < 2; confidential++) {
        size_t size = seal_one(ours, confidential);
        for (size_t other = 0; other < size + 40; other++) {
            if (other != size)
                expect_size_refused(other);
        }
    }
}
END_TEST

START_TEST(replayed_token_is_refused)
{
    uint8_t copy[256];

    if (!open_own(_i))
        return;
    for (int confidential = 0; confidential < 2; confidential++) {
        reopen();
        size_t size = seal_one(ours, confidential);
        memcpy(copy, tokens[0], size);
        ck_assert_uint_eq(theirs->ops->unseal(theirs, received, 1, NULL), 1);
        expect_refusal(theirs, copy, size,
                       "cannot unseal a record: it was received before");
    }
}
END_TEST

START_TEST(missing_token_is_noticed)
{
    if (!open_own(_i))
        return;
    seal_one(ours, true);
    size_t size = seal_one(ours, true);
    expect_refusal(theirs, tokens[0], size,
                   "cannot unseal a record: one that was sent before it is "
                   "missing");
}
END_TEST

START_TEST(swapped_tokens_are_refused)
{
    const size_t sizes[] = {21, 21};
    struct unseal_record first;

    if (!open_own(_i))
        return;
    seal_batch(ours, true, sizes, 2);
    first = received[0];
    received[0] = received[1];
    received[1] = first;
    ck_assert_uint_eq(theirs->ops->unseal(theirs, received, 2, NULL), 0);
}
END_TEST

START_TEST(reflected_token_is_refused)
{
    if (!open_own(_i))
        return;
    size_t size = seal_one(ours, true);
    expect_refusal(ours, tokens[0], size,
                   "cannot unseal a record: it is one of our own, sent back");
}
END_TEST

/* Disguised as the peer's, a token of ours does not verify: each direction has
 * its own keys. */
START_TEST(disguised_reflection_is_refused)
{
    if (!open_own(_i))
        return;
    size_t size = seal_one(ours, true);
    tokens[0][2] ^= 0x01;
    expect_refusal(ours, tokens[0], size,
                   "cannot unseal a record: its checksum is wrong, it was "
                   "damaged or forged on the way");
}
END_TEST

static void
expect_good_before(size_t bad, bool confidential)
{
    size_t sizes[BATCH];
    struct error err = {.text = ""};

    for (size_t i = 0; i < BATCH; i++)
        sizes[i] = 40 + i;
    reopen();
    seal_batch(ours, confidential, sizes, BATCH);
    tokens[bad][45] ^= 1;
    ck_assert_uint_eq(theirs->ops->unseal(theirs, received, BATCH, &err), bad);
    ck_assert_str_eq(err.text, "cannot unseal a record: its checksum is wrong, "
                               "it was damaged or forged on the way");
    expect_batch(confidential, sizes, bad);
    for (size_t i = bad; i < BATCH; i++)
        ck_assert_ptr_null(received[i].plain);
}

START_TEST(records_before_the_bad_one_can_be_used_and_none_after)
{
    if (!open_own(_i))
        return;
    for (size_t bad = 0; bad < BATCH; bad++) {
        expect_good_before(bad, true);
        expect_good_before(bad, false);
    }
}
END_TEST

START_TEST(sealed_and_signed_records_may_alternate)
{
    const size_t sizes[] = {10, 20};

    if (!open_own(_i))
        return;
    seal_batch(ours, true, sizes, 1);
    struct unseal_record sealed = received[0];
    uint8_t copy[128];
    memcpy(copy, tokens[0], sealed.token_size);
    sealed.token = copy;
    seal_batch(ours, false, sizes + 1, 1);
    received[1] = received[0];
    received[0] = sealed;
    ck_assert_uint_eq(theirs->ops->unseal(theirs, received, 2, NULL), 2);
    ck_assert(received[0].confidential && !received[1].confidential);
    ck_assert_uint_eq(received[0].plain_size, 10);
    ck_assert_uint_eq(received[1].plain_size, 20);
}
END_TEST

START_TEST(numbers_go_on_after_the_last_one)
{
    if (!open_own(_i))
        return;
    our_state.sequence[TOKEN_SENT] = UINT64_MAX;
    their_state.sequence[TOKEN_RECEIVED] = UINT64_MAX;
    reopen();
    for (int i = 0; i < 3; i++) {
        seal_one(ours, true);
        ck_assert_uint_eq(theirs->ops->unseal(theirs, received, 1, NULL), 1);
    }
}
END_TEST

START_TEST(failed_channel_stays_dead)
{
    struct seal_record record = {tokens[1], 1};
    uint8_t bad[64] = {0};
    struct error err;

    if (!open_own(_i))
        return;
    size_t size = seal_one(ours, true);
    expect_refusal(theirs, bad, sizeof bad,
                   "cannot unseal a record: it is not a wrap token");
    expect_refusal(theirs, tokens[0], size,
                   "cannot unseal a record: an earlier one failed");
    ck_assert(!theirs->ops->seal(theirs, true, &record, 1, &err));
    ck_assert_str_eq(err.text, "cannot seal a record: an earlier one failed");
}
END_TEST

/* Nothing changes beyond the token: the next frame lies there already. */
START_TEST(sealing_leaves_the_neighbours_alone)
{
    static uint8_t room[16 + 400 + 64];
    struct token_shape shape;

    if (!open_own(_i))
        return;
    for (size_t size = 0; size <= 300; size++) {
        for (int confidential = 0; confidential < 2; confidential++) {
            ours->ops->shape(ours, confidential, &shape);
            size_t end = 16 + shape.header + size + shape.trailer;
            struct seal_record record = {room + 16, size};
            memset(room, 0x5a, sizeof room);
            ck_assert(ours->ops->seal(ours, confidential, &record, 1, NULL));
            for (size_t i = 0; i < 16; i++)
                ck_assert(room[i] == 0x5a && room[end + i] == 0x5a);
        }
    }
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("engines");
    TCase *others = tcase_create("with others");
    TCase *own = tcase_create("by themselves");

    tcase_set_timeout(others, 60);
    tcase_add_loop_test(others, every_length_goes_to_and_from_the_library, 0,
                        CASES);
    tcase_add_loop_test(others, every_batch_goes_to_and_from_the_library, 0,
                        CASES);
    tcase_add_loop_test(others, every_engine_talks_to_every_other, 0, CASES);
    tcase_add_loop_test(others, engine_is_the_one_that_was_chosen, 0, TYPES);
    tcase_add_test(others, context_without_the_acceptor_s_subkey_is_refused);
    suite_add_tcase(suite, others);

    tcase_set_timeout(own, 60);
    tcase_add_checked_fixture(own, NULL, close_own);
    tcase_add_loop_test(own, every_rotation_is_accepted, 0, OWN_CASES);
    tcase_add_loop_test(own, filler_is_taken_off, 0, OWN_CASES);
    tcase_add_loop_test(own, more_filler_than_there_is_room_for_is_refused, 0,
                        OWN_CASES);
    tcase_add_loop_test(own, every_flipped_bit_is_refused, 0, OWN_CASES);
    tcase_add_loop_test(own, every_other_size_is_refused, 0, OWN_CASES);
    tcase_add_loop_test(own, replayed_token_is_refused, 0, OWN_CASES);
    tcase_add_loop_test(own, missing_token_is_noticed, 0, OWN_CASES);
    tcase_add_loop_test(own, swapped_tokens_are_refused, 0, OWN_CASES);
    tcase_add_loop_test(own, reflected_token_is_refused, 0, OWN_CASES);
    tcase_add_loop_test(own, disguised_reflection_is_refused, 0, OWN_CASES);
    tcase_add_loop_test(own,
                        records_before_the_bad_one_can_be_used_and_none_after,
                        0, OWN_CASES);
    tcase_add_loop_test(own, sealed_and_signed_records_may_alternate, 0,
                        OWN_CASES);
    tcase_add_loop_test(own, numbers_go_on_after_the_last_one, 0, OWN_CASES);
    tcase_add_loop_test(own, failed_channel_stays_dead, 0, OWN_CASES);
    tcase_add_loop_test(own, sealing_leaves_the_neighbours_alone, 0, OWN_CASES);
    suite_add_tcase(suite, own);
    return suite;
}

CHECK_MAIN(make_suite)
