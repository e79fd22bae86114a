/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cryptography of every engine: the RFCs' vectors, the Kerberos library's
 * own encryption both ways, and each other.  No KDC is needed.
 */
#include "gss/seal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <krb5.h>

#include "engines.h"
#include "gss/seal_openssl.h"

#include "check_main.h"

enum {
    LONGEST = 70000, /* beyond what libipsec-mb takes */
    PROFILES = 4,
};

static const int32_t enctypes[PROFILES] = {
    ENCTYPE_AES128_CTS_HMAC_SHA1_96,
    ENCTYPE_AES256_CTS_HMAC_SHA1_96,
    ENCTYPE_AES128_CTS_HMAC_SHA256_128,
    ENCTYPE_AES256_CTS_HMAC_SHA384_192,
};

static struct seal_secrets secrets;
static struct seal *seal;

static void
close_seal(void)
{
    if (seal != NULL)
        seal->ops->free(seal);
    seal = NULL;
}

/* What is sent and what is received has the same keys here. */
static bool
open_seal(const struct engine *engine, int32_t enctype)
{
    if (!engine_use(engine))
        return false;
    close_seal();
    secrets.profile = token_profile(enctype);
    secrets.keys[TOKEN_RECEIVED] = secrets.keys[TOKEN_SENT];
    ck_assert(engine->make(&secrets, &seal, NULL));
    return true;
}

static void
encrypt(uint8_t *bytes, size_t size)
{
    struct text_span text = {bytes, size};

    ck_assert(seal->ops->encrypt(seal, &text, 1, NULL));
}

static void
decrypt(uint8_t *bytes, size_t size)
{
    struct text_span text = {bytes, size};

    ck_assert(seal->ops->decrypt(seal, &text, 1, NULL));
}

static void
mac(uint8_t *bytes, size_t size, uint8_t *out)
{
    struct text_span text = {bytes, size};

    ck_assert(seal->ops->mac(seal, TOKEN_RECEIVED, &text, &out, 1, NULL));
}

static void
fill(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 8) + seed);
}

/* RFC 3962 appendix B: one key and the beginnings of one sentence. */
static const char sentence[] = "I would like the General Gau's Chicken, "
                               "please, and wonton soup.";
/* clang-format off */
static const struct {
    size_t size;
    const char *encrypted;
} cts_vectors[] = {
    {17, "c6353568f2bf8cb4d8a580362da7ff7f 97"},
    {31, "fc00783e0efdb2c1d445d4c8eff7ed22 97687268d6ecccc0c07b25e25ecfe5"},
    {32, "39312523a78662d5be7fcbcc98ebf5a8 97687268d6ecccc0c07b25e25ecfe584"},
    {47, "97687268d6ecccc0c07b25e25ecfe584 b3fffd940c16a18c1b5549d2f838029e 39312523a78662d5be7fcbcc98ebf5"},
    {48, "97687268d6ecccc0c07b25e25ecfe584 9dad8bbb96c4cdc03bc103e1a194bbd8 39312523a78662d5be7fcbcc98ebf5a8"},
    {64, "97687268d6ecccc0c07b25e25ecfe584 39312523a78662d5be7fcbcc98ebf5a8 4807efe836ee89a526730dbc2f7bc840 9dad8bbb96c4cdc03bc103e1a194bbd8"},
};
/* clang-format on */

START_TEST(vectors_of_rfc_3962_come_out)
{
    uint8_t bytes[64], wanted[64];

    memcpy(secrets.keys[TOKEN_SENT].encryption, "chicken teriyaki", 16);
    if (!open_seal(&engines[_i], ENCTYPE_AES128_CTS_HMAC_SHA1_96))
        return;
    for (size_t i = 0; i < sizeof cts_vectors / sizeof *cts_vectors; i++) {
        size_t size = cts_vectors[i].size;
        ck_assert_uint_eq(hex_bytes(cts_vectors[i].encrypted, wanted), size);
        memcpy(bytes, sentence, size);
        encrypt(bytes, size);
        ck_assert_mem_eq(bytes, wanted, size);
        decrypt(bytes, size);
        ck_assert_mem_eq(bytes, sentence, size);
    }
}
END_TEST

/* RFC 8009 appendix A; the plaintext is 00 01 02 ... */
/* clang-format off */
static const struct {
    int32_t enctype;
    const char *ke, *ki, *confounder;
    size_t plain_size;
    const char *encrypted, *mac;
} sha2_vectors[] = {
    {ENCTYPE_AES128_CTS_HMAC_SHA256_128, "9B197DD1E8C5609D6E67C3E37C62C72E", "9FDA0E56AB2D85E1569A688696C26A6C",
     "7BCA285E2FD4130FB55B1A5C83BC5B24", 6,
     "84D7F30754ED987BAB0BF3506BEB09CFB55402CEF7E6", "877CE99E247E52D16ED4421DFDF8976C"},
    {ENCTYPE_AES128_CTS_HMAC_SHA256_128, "9B197DD1E8C5609D6E67C3E37C62C72E", "9FDA0E56AB2D85E1569A688696C26A6C",
     "56AB21713FF62C0A1457200F6FA9948F", 16,
     "3517D640F50DDC8AD3628722B3569D2AE07493FA8263254080EA65C1008E8FC2", "95FB4852E7D83E1E7C48C37EEBE6B0D3"},
    {ENCTYPE_AES128_CTS_HMAC_SHA256_128, "9B197DD1E8C5609D6E67C3E37C62C72E", "9FDA0E56AB2D85E1569A688696C26A6C",
     "A7A4E29A4728CE10664FB64E49AD3FAC", 21,
     "720F73B18D9859CD6CCB4346115CD336C70F58EDC0C4437C5573544C31C813BCE1E6D072C1", "86B39A413C2F92CA9B8334A287FFCBFC"},
    {ENCTYPE_AES256_CTS_HMAC_SHA384_192, "56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49", "69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F",
     "B80D3251C1F6471494256FFE712D0B9A", 6,
     "4ED7B37C2BCAC8F74F23C1CF07E62BC7B75FB3F637B9", "F559C7F664F69EAB7B6092237526EA0D1F61CB20D69D10F2"},
    {ENCTYPE_AES256_CTS_HMAC_SHA384_192, "56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49", "69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F",
     "53BF8A0D105265D4E276428624CE5E63", 16,
     "BC47FFEC7998EB91E8115CF8D19DAC4BBBE2E163E87DD37F49BECA92027764F6", "8CF51F14D798C2273F35DF574D1F932E40C4FF255B36A266"},
    {ENCTYPE_AES256_CTS_HMAC_SHA384_192, "56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49", "69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F",
     "763E65367E864F02F55153C7E3B58AF1", 21,
     "40013E2DF58E8751957D2878BCD2D6FE101CCFD556CB1EAE79DB3C3EE86429F2B2A602AC86", "FEF6ECB647D6295FAE077A1FEB517508D2C16B4192E01F62"},
};
/* clang-format on */

static void
expect_sha2_vector(const struct engine *engine, size_t i)
{
    struct token_keys *keys = &secrets.keys[TOKEN_SENT];
    uint8_t bytes[16 + 64] = {0}, wanted[64], mac_wanted[TOKEN_MAC_MAX];
    uint8_t computed[TOKEN_MAC_MAX];
    size_t size = 16 + sha2_vectors[i].plain_size;

    hex_bytes(sha2_vectors[i].ke, keys->encryption);
    hex_bytes(sha2_vectors[i].ki, keys->integrity);
    if (!open_seal(engine, sha2_vectors[i].enctype))
        return;
    hex_bytes(sha2_vectors[i].confounder, bytes + 16);
    for (size_t j = 0; j < sha2_vectors[i].plain_size; j++)
        bytes[32 + j] = (uint8_t)j;
    encrypt(bytes + 16, size);
    mac(bytes, 16 + size, computed);
    ck_assert_mem_eq(bytes + 16, wanted,
                     hex_bytes(sha2_vectors[i].encrypted, wanted));
    ck_assert_mem_eq(computed, mac_wanted,
                     hex_bytes(sha2_vectors[i].mac, mac_wanted));
}

START_TEST(vectors_of_rfc_8009_come_out)
{
    for (size_t i = 0; i < sizeof sha2_vectors / sizeof *sha2_vectors; i++)
        expect_sha2_vector(&engines[_i], i);
}
END_TEST

/* The Kerberos library's encryption, with a key for which it derives what we
 * do. */
static krb5_context context;
static uint8_t base_key[TOKEN_KEY_MAX];
static krb5_keyblock keyblock = {.contents = base_key};

static bool
open_compared(const struct engine *engine, int32_t enctype)
{
    fill(base_key, sizeof base_key, 77);
    keyblock.enctype = enctype;
    keyblock.length = (unsigned)token_profile(enctype)->key_size;
    ck_assert(token_keys_derive(token_profile(enctype), base_key,
                                USAGE_INITIATOR_SEAL, &secrets.keys[TOKEN_SENT],
                                NULL));
    return open_seal(engine, enctype);
}

/* 16 bytes | confounder | plaintext | checksum, as a token has it. */
static uint8_t message[16 + LONGEST + TOKEN_MAC_MAX];
static uint8_t plain[LONGEST];

static void
expect_library_opens_ours(size_t size)
{
    size_t text = 16 + size, mac_size = secrets.profile->mac_size;
    krb5_enc_data sealed = {.enctype = keyblock.enctype};
    krb5_data opened = {.data = (char *)plain, .length = LONGEST};

    memset(message, 0, 16);
    fill(message + 16, text, 5);
    if (secrets.profile->encrypt_then_mac) {
        encrypt(message + 16, text);
        mac(message, 16 + text, message + 16 + text);
    } else {
        mac(message + 16, text, message + 16 + text);
        encrypt(message + 16, text);
    }
    sealed.ciphertext.data = (char *)message + 16;
    sealed.ciphertext.length = (unsigned)(text + mac_size);
    ck_assert_int_eq(krb5_c_decrypt(context, &keyblock, USAGE_INITIATOR_SEAL,
                                    NULL, &sealed, &opened),
                     0);
    fill(message, 16 + size, 5);
    ck_assert(opened.length >= size && memcmp(plain, message + 16, size) == 0);
}

static void
expect_ours_opens_the_library_s(size_t size)
{
    size_t text = 16 + size, mac_size = secrets.profile->mac_size;
    krb5_data in = {.data = (char *)plain, .length = (unsigned)size};
    krb5_enc_data sealed = {.ciphertext = {.data = (char *)message + 16}};
    uint8_t computed[TOKEN_MAC_MAX];

    fill(plain, size, 9);
    sealed.ciphertext.length = (unsigned)(text + mac_size);
    ck_assert_int_eq(krb5_c_encrypt(context, &keyblock, USAGE_INITIATOR_SEAL,
                                    NULL, &in, &sealed),
                     0);
    memset(message, 0, 16);
    if (secrets.profile->encrypt_then_mac)
        mac(message, 16 + text, computed);
    decrypt(message + 16, text);
    if (!secrets.profile->encrypt_then_mac)
        mac(message + 16, text, computed);
    ck_assert(memcmp(computed, message + 16 + text, mac_size) == 0);
    ck_assert(memcmp(plain, message + 32, size) == 0);
}

static void
expect_the_same_as_the_library(size_t size)
{
    expect_library_opens_ours(size);
    expect_ours_opens_the_library_s(size);
}

START_TEST(encryption_is_the_kerberos_library_s)
{
    const struct engine *engine = &engines[_i % ENGINE_COUNT];

    if (!open_compared(engine, enctypes[_i / ENGINE_COUNT]))
        return;
    ck_assert_int_eq(krb5_init_context(&context), 0);
    for (size_t size = 1; size <= 300; size++)
        expect_the_same_as_the_library(size);
    for (size_t power = 512; power <= 65536; power *= 2) {
        for (size_t size = power - 17; size <= power + 17; size++)
            expect_the_same_as_the_library(size);
    }
    krb5_free_context(context);
}
END_TEST

START_TEST(signature_is_the_kerberos_library_s)
{
    const struct engine *engine = &engines[_i % ENGINE_COUNT];
    uint8_t computed[TOKEN_MAC_MAX];
    krb5_checksum checksum;
    krb5_data in = {.data = (char *)message};

    if (!open_compared(engine, enctypes[_i / ENGINE_COUNT]))
        return;
    ck_assert_int_eq(krb5_init_context(&context), 0);
    fill(message, 400, 3);
    for (size_t size = 0; size <= 300; size++) {
        struct text_span parts[2] = {{message, size}, {message + size, 16}};
        in.length = (unsigned)size + 16;
        ck_assert_int_eq(krb5_c_make_checksum(context, 0, &keyblock,
                                              USAGE_INITIATOR_SEAL, &in,
                                              &checksum),
                         0);
        ck_assert(seal->ops->sign(seal, TOKEN_SENT, parts, computed, NULL));
        ck_assert_uint_eq(checksum.length, secrets.profile->mac_size);
        ck_assert_mem_eq(computed, checksum.contents, checksum.length);
        krb5_free_checksum_contents(context, &checksum);
    }
    krb5_free_context(context);
}
END_TEST

/* Several texts at once, each of another size, next to bytes that are not the
 * engine's. */
struct several {
    struct text_span texts[SEAL_COUNT_MAX];
    uint8_t *macs[SEAL_COUNT_MAX];
    uint8_t bytes[SEAL_COUNT_MAX * 700 + LONGEST];
};

static uint8_t *
lay_out_next(struct several *several, size_t i, uint8_t *bytes, size_t size)
{
    several->texts[i] = (struct text_span){bytes, size};
    several->macs[i] = bytes + size;
    return bytes + size + secrets.profile->mac_size + 1;
}

static void
lay_out(struct several *several, size_t count, unsigned seed, size_t longest)
{
    uint8_t *next = several->bytes;

    fill(several->bytes, sizeof several->bytes, seed);
    for (size_t i = 0; i < count; i++)
        next = lay_out_next(several, i, next,
                            i == count / 2 ? longest
                                           : 17 + (i * 97 + seed) % 600);
}

static void
lay_out_alike(struct several *several, size_t count, size_t size)
{
    uint8_t *next = several->bytes;

    fill(several->bytes, sizeof several->bytes, (unsigned)size);
    for (size_t i = 0; i < count; i++)
        next = lay_out_next(several, i, next, size);
}

static void
run_all(struct seal *by, struct several *several, size_t count)
{
    ck_assert(by->ops->mac(by, TOKEN_SENT, several->texts, several->macs, count,
                           NULL));
    ck_assert(by->ops->encrypt(by, several->texts, count, NULL));
    ck_assert(by->ops->mac(by, TOKEN_RECEIVED, several->texts, several->macs,
                           count, NULL));
}

static void
expect_the_same(struct seal *reference_seal, struct several *ours,
                struct several *reference, size_t count)
{
    run_all(seal, ours, count);
    run_all(reference_seal, reference, count);
    ck_assert(memcmp(ours->bytes, reference->bytes, sizeof ours->bytes) == 0);
    ck_assert(seal->ops->decrypt(seal, ours->texts, count, NULL));
    ck_assert(reference_seal->ops->decrypt(reference_seal, reference->texts,
                                           count, NULL));
    ck_assert(memcmp(ours->bytes, reference->bytes, sizeof ours->bytes) == 0);
}

START_TEST(several_at_once_are_as_one_after_the_other)
{
    static struct several ours, reference;
    struct seal *openssl;

    if (!open_compared(&engines[_i % ENGINE_COUNT],
                       enctypes[_i / ENGINE_COUNT]))
        return;
    ck_assert(seal_openssl_new(&secrets, &openssl, NULL));
    for (unsigned i = 0; i < 2 * SEAL_COUNT_MAX; i++) {
        unsigned count = 1 + i / 2;
        size_t longest = i % 2 == 0 ? count * 1000 : LONGEST;
        lay_out(&ours, count, count, longest);
        lay_out(&reference, count, count, longest);
        expect_the_same(openssl, &ours, &reference, count);
    }
    openssl->ops->free(openssl);
}
END_TEST

/* As many as fill lanes, and all that does not. */
START_TEST(many_of_every_length_are_as_one_after_the_other)
{
    static struct several ours, reference;
    struct seal *openssl;

    if (!open_compared(&engines[_i], ENCTYPE_AES256_CTS_HMAC_SHA1_96))
        return;
    ck_assert(seal_openssl_new(&secrets, &openssl, NULL));
    for (size_t size = 17; size <= 17 + 300; size++) {
        size_t count = 3 + size % (SEAL_COUNT_MAX - 2);
        lay_out_alike(&ours, count, size);
        lay_out_alike(&reference, count, size);
        expect_the_same(openssl, &ours, &reference, count);
    }
    openssl->ops->free(openssl);
}
END_TEST

/* Each thread has its own of what the library works in, and a channel may go
 * from one thread to another. */
static void *
seal_in_thread(void *arg)
{
    static const uint8_t wanted[1000];
    struct seal *mine = arg;
    uint8_t bytes[1000] = {0};
    struct text_span text = {bytes, sizeof bytes};

    for (int i = 0; i < 200; i++) {
        if (!mine->ops->encrypt(mine, &text, 1, NULL) ||
            !mine->ops->decrypt(mine, &text, 1, NULL) ||
            memcmp(bytes, wanted, sizeof bytes) != 0)
            return arg;
    }
    return NULL;
}

START_TEST(threads_do_not_meet)
{
    struct seal *seals[4];
    pthread_t threads[4];
    void *failed;

    if (!open_compared(&engines[_i], ENCTYPE_AES256_CTS_HMAC_SHA1_96))
        return;
    for (size_t i = 0; i < 4; i++) {
        ck_assert(engines[_i].make(&secrets, &seals[i], NULL));
        pthread_create(&threads[i], NULL, seal_in_thread, seals[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
        ck_assert_ptr_null(seal_in_thread(seals[i]));
        seals[i]->ops->free(seals[i]);
    }
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("seal");
    TCase *cases = tcase_create("engines");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, NULL, close_seal);
    tcase_add_loop_test(cases, vectors_of_rfc_3962_come_out, 0, ENGINE_COUNT);
    tcase_add_loop_test(cases, vectors_of_rfc_8009_come_out, 0, ENGINE_COUNT);
    tcase_add_loop_test(cases, encryption_is_the_kerberos_library_s, 0,
                        ENGINE_COUNT * PROFILES);
    tcase_add_loop_test(cases, signature_is_the_kerberos_library_s, 0,
                        ENGINE_COUNT * PROFILES);
    tcase_add_loop_test(cases, several_at_once_are_as_one_after_the_other, 0,
                        ENGINE_COUNT * PROFILES);
    tcase_add_loop_test(cases, many_of_every_length_are_as_one_after_the_other,
                        0, ENGINE_COUNT);
    tcase_add_loop_test(cases, threads_do_not_meet, 0, ENGINE_COUNT);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
