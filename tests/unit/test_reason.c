/* SPDX-License-Identifier: BSD-2-Clause */
/* Statuses of the libraries and the sentences they become. */
#include "gss/reason.h"

#include <string.h>
#include <gssapi/gssapi_krb5.h>

#include "check_main.h"

static krb5_context context;

/* The library knows its texts once it has been used. */
static void
use_library(void)
{
    setenv("KRB5_CONFIG", "/dev/null", 1);
    ck_assert_int_eq(krb5_init_context(&context), 0);
}

static void
leave_library(void)
{
    krb5_free_context(context);
}

static void
expect_krb5(enum reason_scene scene, krb5_error_code code, const char *sentence)
{
    struct error err = {.text = ""};

    reason_krb5(&err, scene, NULL, code, "cannot %s", "go on");
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(known_code_gets_advice_and_the_library_s_text)
{
    expect_krb5(REASON_TICKET, KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN,
                "cannot go on: the KDC knows no such service; register the "
                "SPN (kerbwrap publish, setspn -S or addprinc) or correct its "
                "spelling (Server not found in Kerberos database)");
}
END_TEST

START_TEST(unknown_code_gets_the_library_s_text)
{
    expect_krb5(REASON_TICKET, KRB5_PARSE_MALFORMED,
                "cannot go on: Malformed representation of principal");
}
END_TEST

START_TEST(clock_skew_has_a_sentence_in_every_role)
{
    expect_krb5(REASON_ACCEPT, KRB5KRB_AP_ERR_SKEW,
                "cannot go on: the client's clock and this machine's differ by "
                "more than Kerberos allows; set both (NTP) (Clock skew too "
                "great)");
    expect_krb5(REASON_TGT, KRB5KRB_AP_ERR_SKEW,
                "cannot go on: the KDC's clock and this machine's differ by "
                "more than Kerberos allows; set both (NTP) (Clock skew too "
                "great)");
    expect_krb5(REASON_REFUSED, KRB5KRB_AP_ERR_SKEW,
                "cannot go on: the other machine's clock and this one's differ "
                "by more than Kerberos allows; set both (NTP) (Clock skew too "
                "great)");
}
END_TEST

START_TEST(one_code_means_different_things_at_different_places)
{
    const char *tgt = reason_advice(REASON_TGT, KRB5KRB_AP_ERR_BAD_INTEGRITY);
    const char *accept = reason_advice(REASON_ACCEPT,
                                       KRB5KRB_AP_ERR_BAD_INTEGRITY);

    ck_assert_str_eq(tgt, "the keytab's key is not the account's any more; "
                          "export a new keytab");
    ck_assert_str_eq(accept, "the keytab's key does not open the client's "
                             "ticket; export the current key into it");
    ck_assert_ptr_null(
        reason_advice(REASON_CACHE, KRB5KRB_AP_ERR_BAD_INTEGRITY));
}
END_TEST

/* Every failure that the manual promises a sentence for. */
START_TEST(promised_sentences_exist)
{
    const struct {
        enum reason_scene scene;
        krb5_error_code code;
    } promised[] = {
        {REASON_ACCEPT, KRB5KRB_AP_ERR_SKEW},
        {REASON_TICKET, KRB5KRB_AP_ERR_SKEW},
        {REASON_ACCEPT, KRB5KRB_AP_ERR_BADKEYVER},
        {REASON_ACCEPT, KRB5KRB_AP_ERR_NOKEY},
        {REASON_ACCEPT, KRB5KRB_AP_ERR_NOT_US},
        {REASON_ACCEPT, KRB5KRB_AP_ERR_REPEAT},
        {REASON_TICKET, KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN},
        {REASON_TICKET, KRB5_KDC_UNREACH},
        {REASON_TICKET, KRB5KDC_ERR_POLICY},
        {REASON_TGT, KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN},
        {REASON_TGT, KRB5KDC_ERR_PREAUTH_FAILED},
        {REASON_TICKET, KRB5KRB_AP_ERR_TKT_EXPIRED},
        {REASON_CACHE, KRB5_FCC_NOFILE},
        {REASON_CACHE, KRB5_CC_NOTFOUND},
    };

    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++)
        ck_assert_ptr_nonnull(
            reason_advice(promised[i].scene, promised[i].code));
}
END_TEST

START_TEST(major_and_mechanism_are_both_shown_without_advice)
{
    gss_buffer_desc text = {5, (void *)(uintptr_t) "a@b@c"};
    gss_name_t raw, name = GSS_C_NO_NAME;
    OM_uint32 major, minor, ignored;
    struct error err;

    gss_import_name(&ignored, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &raw);
    major = gss_canonicalize_name(&minor, raw, (gss_OID)gss_mech_krb5, &name);
    reason_gss(&err, REASON_INIT, major, minor, "cannot go on");
    ck_assert_str_eq(err.text,
                     "cannot go on: Unspecified GSS failure.  Minor code may "
                     "provide more information (Malformed representation of "
                     "principal)");
    gss_release_name(&ignored, &raw);
}
END_TEST

START_TEST(major_alone_is_shown_without_a_minor)
{
    struct error err;

    reason_gss(&err, REASON_CHANNEL, GSS_S_BAD_SIG, 0, "cannot go on");
    ck_assert_str_eq(err.text,
                     "cannot go on: A token had an invalid Message Integrity "
                     "Check (MIC)");
}
END_TEST

START_TEST(hostile_text_is_made_safe)
{
    struct error err;

    krb5_set_error_message(context, KRB5_PARSE_MALFORMED, "\"x\"\n\033[1m");
    reason_krb5(&err, REASON_INIT, context, KRB5_PARSE_MALFORMED, "cannot");
    ck_assert_str_eq(err.text, "cannot: 'x'\\x0a\\x1b[1m");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("reason");
    TCase *cases = tcase_create("reason");

    tcase_add_checked_fixture(cases, use_library, leave_library);
    tcase_add_test(cases, known_code_gets_advice_and_the_library_s_text);
    tcase_add_test(cases, unknown_code_gets_the_library_s_text);
    tcase_add_test(cases, clock_skew_has_a_sentence_in_every_role);
    tcase_add_test(cases, one_code_means_different_things_at_different_places);
    tcase_add_test(cases, promised_sentences_exist);
    tcase_add_test(cases, major_and_mechanism_are_both_shown_without_advice);
    tcase_add_test(cases, major_alone_is_shown_without_a_minor);
    tcase_add_test(cases, hostile_text_is_made_safe);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
