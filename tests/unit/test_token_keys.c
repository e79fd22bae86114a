/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys as the RFCs derive them. */
#include "gss/token_keys.h"

#include <krb5.h>

#include "engines.h"

#include "check_main.h"

struct example {
    int32_t enctype;
    unsigned usage;
    const char *key, *ke, *ki, *kc;
};

/* RFC 8009 appendix A, for usage 2.  RFC 3962 has none of the kind: test_seal.c
 * compares what comes of the keys with the Kerberos library's. */
static const struct example examples[] = {
    {ENCTYPE_AES128_CTS_HMAC_SHA256_128, 2, "3705D96080C17728A0E800EAB6E0D23C",
     "9B197DD1E8C5609D6E67C3E37C62C72E", "9FDA0E56AB2D85E1569A688696C26A6C",
     "B31A018A48F54776F403E9A396325DC3"},
    {ENCTYPE_AES256_CTS_HMAC_SHA384_192, 2,
     "6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52",
     "56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49",
     "69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F",
     "EF5718BE86CC84963D8BBB5031E9F5C4BA41F28FAF69E73D"},
};

START_TEST(keys_are_derived_as_the_rfc_says)
{
    const struct example *example = &examples[_i];
    const struct token_profile *profile = token_profile(example->enctype);
    uint8_t key[TOKEN_KEY_MAX], ke[TOKEN_KEY_MAX], ki[TOKEN_KEY_MAX];
    uint8_t kc[TOKEN_KEY_MAX];
    struct token_keys keys;

    hex_bytes(example->key, key);
    ck_assert(token_keys_derive(profile, key, (enum token_usage)example->usage,
                                &keys, NULL));
    ck_assert_mem_eq(keys.encryption, ke, hex_bytes(example->ke, ke));
    ck_assert_mem_eq(keys.integrity, ki, hex_bytes(example->ki, ki));
    uint8_t checksum[TOKEN_KEY_MAX];
    ck_assert(token_keys_checksum(profile, &keys, checksum, NULL));
    ck_assert_mem_eq(checksum, kc, hex_bytes(example->kc, kc));
}
END_TEST

START_TEST(keys_of_senders_and_purposes_differ)
{
    const struct token_profile *profile = token_profile(
        ENCTYPE_AES256_CTS_HMAC_SHA1_96);
    const uint8_t key[TOKEN_KEY_MAX] = {1, 2, 3};
    struct token_keys ours, theirs;
    uint8_t our_checksum[TOKEN_KEY_MAX], their_checksum[TOKEN_KEY_MAX];

    ck_assert(
        token_keys_derive(profile, key, USAGE_INITIATOR_SEAL, &ours, NULL));
    ck_assert(
        token_keys_derive(profile, key, USAGE_ACCEPTOR_SEAL, &theirs, NULL));
    ck_assert_mem_ne(ours.encryption, theirs.encryption, 32);
    ck_assert_mem_ne(ours.integrity, theirs.integrity, 32);
    ck_assert(token_keys_checksum(profile, &ours, our_checksum, NULL));
    ck_assert(token_keys_checksum(profile, &theirs, their_checksum, NULL));
    ck_assert_mem_ne(our_checksum, their_checksum, 32);
    ck_assert_mem_ne(ours.encryption, ours.integrity, 32);
    ck_assert_mem_ne(ours.integrity, our_checksum, 32);
}
END_TEST

START_TEST(only_aes_has_a_profile)
{
    ck_assert_ptr_null(token_profile(ENCTYPE_ARCFOUR_HMAC));
    ck_assert_ptr_null(token_profile(0));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("token_keys");
    TCase *cases = tcase_create("derivation");

    tcase_add_loop_test(cases, keys_are_derived_as_the_rfc_says, 0,
                        sizeof examples / sizeof examples[0]);
    tcase_add_test(cases, keys_of_senders_and_purposes_differ);
    tcase_add_test(cases, only_aes_has_a_profile);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
