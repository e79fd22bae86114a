/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table of codes: where it may be met and what a person does about it.  The
 * library's own text follows in brackets, because it names keys, versions and
 * realms; it is made safe, since a KDC or a peer may have a word in it.
 */
#include "gss/reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <gssapi/gssapi_krb5.h>

#include "base/text.h"

enum {
    TEXT_SIZE = 512,
    /* Scenes in which a KDC is asked, or in which the peer is a Kerberos
     * server too. */
    KDC = REASON_TGT | REASON_TICKET,
    SERVICE = REASON_ACCEPT | REASON_REFUSED,
    ANYWHERE = ~0,
};

struct advice {
    krb5_error_code code;
    int scenes; /* enum reason_scene, any of them */
    const char *text;
};

/* clang-format off */
static const struct advice advices[] = {
    {KRB5KRB_AP_ERR_SKEW,          REASON_ACCEPT,  "the client's clock and this machine's differ by more than Kerberos allows; set both (NTP)"},
    {KRB5KRB_AP_ERR_SKEW,          KDC,            "the KDC's clock and this machine's differ by more than Kerberos allows; set both (NTP)"},
    {KRB5KRB_AP_ERR_SKEW,          ANYWHERE,       "the other machine's clock and this one's differ by more than Kerberos allows; set both (NTP)"},
    {KRB5_KDCREP_SKEW,             KDC,            "the KDC's clock and this machine's differ by more than Kerberos allows; set both (NTP)"},
    {KRB5KRB_AP_ERR_TKT_NYV,       ANYWHERE,       "the ticket is not valid yet; compare the clocks of both machines and of the KDC (NTP)"},
    {KRB5KRB_AP_ERR_TKT_EXPIRED,   REASON_ACCEPT,  "the client's ticket has expired; it must get a new one"},
    {KRB5KRB_AP_ERR_TKT_EXPIRED,   ANYWHERE,       "the ticket has expired; get a new one (kinit, or let kerbwrap have a keytab)"},
    {KRB5KDC_ERR_NAME_EXP,         KDC,            "the account has expired; ask its administrator"},
    {KRB5KDC_ERR_KEY_EXP,          KDC,            "the account's password has expired; change it and make the keytab anew"},
    {KRB5KDC_ERR_CLIENT_REVOKED,   KDC,            "the account is locked or disabled; ask its administrator"},
    {KRB5KDC_ERR_SERVICE_REVOKED,  KDC,            "the service's account is disabled; ask its administrator"},
    {KRB5KDC_ERR_TGT_REVOKED,      KDC,            "the KDC does not honour the ticket-granting ticket any more; get a new one"},

    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, KDC,         "the KDC knows no such service; register the SPN (kerbwrap publish, setspn -S or addprinc) or correct its spelling"},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, KDC,         "the KDC does not know this client principal; compare principal = with what klist -k shows for the keytab"},
    {KRB5KDC_ERR_PREAUTH_FAILED,   REASON_TGT,     "the keytab's key is not the account's any more; export a new keytab"},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, REASON_TGT,     "the keytab's key is not the account's any more; export a new keytab"},
    {KRB5KDC_ERR_ETYPE_NOSUPP,     KDC,            "the KDC has no key of an encryption type that both sides allow; give the account AES keys (msDS-SupportedEncryptionTypes 24)"},
    {KRB5KDC_ERR_POLICY,           KDC,            "the KDC's policy forbids it; ask its administrator"},
    {KRB5KDC_ERR_CANNOT_POSTDATE,  KDC,            "the KDC's policy forbids it; ask its administrator"},
    {KRB5_KDC_UNREACH,             ANYWHERE,       "no KDC of the realm answers; check kdc = in krb5.conf, DNS and the firewall (port 88)"},
    {KRB5_REALM_CANT_RESOLVE,      ANYWHERE,       "the names of the realm's KDCs cannot be resolved; check kdc = in krb5.conf and DNS"},
    {KRB5_REALM_UNKNOWN,           ANYWHERE,       "no KDC of the realm is known; name one with kdc = in krb5.conf or in DNS (_kerberos._udp)"},
    {KRB5_CONFIG_NODEFREALM,       ANYWHERE,       "krb5.conf names no default_realm; set it, or write the principal with @REALM"},

    {KRB5_KT_NOTFOUND,             REASON_TGT | REASON_KEYTAB, "the keytab holds no key of this principal; compare with klist -k"},
    {KRB5_KT_IOERR,                REASON_TGT | REASON_KEYTAB, "the file cannot be read as a keytab"},
    {KRB5_KEYTAB_BADVNO,           REASON_TGT | REASON_KEYTAB, "the file is empty or not a keytab"},
    {KRB5_KT_END,                  REASON_KEYTAB,  "the keytab is empty"},
    {ENOENT,                       REASON_TGT | REASON_KEYTAB, "there is no such keytab"},
    {EACCES,                       REASON_TGT | REASON_KEYTAB, "this user may not read the keytab; it needs to be readable by the user kerbwrap runs as"},

    {KRB5_FCC_NOFILE,              REASON_CACHE,   "there is no such credential cache; run kinit for it"},
    {KRB5_CC_NOTFOUND,             REASON_CACHE,   "the credential cache holds no ticket; run kinit for it"},
    {KRB5_CC_END,                  REASON_CACHE,   "the credential cache holds no ticket; run kinit for it"},
    {KRB5_FCC_PERM,                REASON_CACHE,   "this user may not read the credential cache"},
    {KRB5_CC_FORMAT,               REASON_CACHE,   "the file is empty or not a credential cache; run kinit for it"},
    {KRB5_CCACHE_BADVNO,           REASON_CACHE,   "the file is empty or not a credential cache; run kinit for it"},
    {KRB5_CC_NOTFOUND,             REASON_TICKET,  "there is no ticket-granting ticket to ask with; run kinit for the cache"},

    {KRB5KRB_AP_ERR_BADKEYVER,     REASON_ACCEPT,  "the keytab lacks the key version or encryption type of the client's ticket; export the current keys into it, or let the client get a new ticket"},
    {KRB5_KT_KVNONOTFOUND,         REASON_ACCEPT,  "the keytab lacks the key version or encryption type of the client's ticket; export the current keys into it, or let the client get a new ticket"},
    {KRB5KRB_AP_ERR_NOKEY,         REASON_ACCEPT,  "the keytab lacks the key of the client's ticket; compare versions and encryption types with klist -ke"},
    {KRB5KRB_AP_ERR_NOT_US,        REASON_ACCEPT,  "the keytab lacks the key of the client's ticket: its service is not in the keytab, or the account has a newer key; compare SPN and key version with klist -k"},
    {KRB5KRB_AP_WRONG_PRINC,       REASON_ACCEPT,  "the keytab lacks the key of the client's ticket: its service is not in the keytab, or the account has a newer key; compare SPN and key version with klist -k"},
    {KRB5_KT_NOTFOUND,             REASON_ACCEPT,  "the keytab lacks the key of the client's ticket; compare with klist -ke"},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, REASON_ACCEPT,  "the keytab's key does not open the client's ticket; export the current key into it"},
    {KRB5KRB_AP_ERR_MODIFIED,      REASON_ACCEPT,  "the token was changed on its way, or the keytab's key is not the account's"},
    {KRB5KRB_AP_ERR_REPEAT,        REASON_ACCEPT,  "the client's token was used before: somebody replays it, or a client tried twice in the same microsecond"},
    {KRB5_NOPERM_ETYPE,            SERVICE,        "the encryption type is not permitted here; give the account AES keys (msDS-SupportedEncryptionTypes 24)"},

    {KRB5KRB_AP_ERR_TKT_EXPIRED,   REASON_REFUSED, "it says that our ticket has expired; compare the clocks"},
    {KRB5KRB_AP_ERR_BADKEYVER,     REASON_REFUSED, "its keytab lacks the key version or encryption type of our ticket; its keytab or our ticket is out of date"},
    {KRB5KRB_AP_ERR_NOKEY,         REASON_REFUSED, "its keytab lacks the key of our ticket; its keytab or our ticket is out of date"},
    {KRB5KRB_AP_ERR_NOT_US,        REASON_REFUSED, "its keytab lacks the key of our ticket: the service is not in it, or the account has a newer key; compare SPN and key version with its keytab"},
    {KRB5KRB_AP_WRONG_PRINC,       REASON_REFUSED, "its keytab lacks the key of our ticket: the service is not in it, or the account has a newer key; compare SPN and key version with its keytab"},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, REASON_REFUSED, "its keytab's key does not open our ticket; its keytab or our ticket is out of date"},
    {KRB5KRB_AP_ERR_MODIFIED,      REASON_REFUSED, "its keytab's key does not open our ticket; its keytab or our ticket is out of date"},
    {KRB5KRB_AP_ERR_REPEAT,        REASON_REFUSED, "it has seen our token before: somebody else sent it first"},
    {KRB5KRB_ERR_GENERIC,          REASON_REFUSED, "it failed; its own log says why"},
};
/* clang-format on */

const char *
reason_advice(enum reason_scene scene, krb5_error_code code)
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (advices[i].code == code && (advices[i].scenes & (int)scene) != 0)
            return advices[i].text;
    }
    return NULL;
}

/* Double quotes would come out as escapes, and libraries quote with them. */
static void
make_safe(const char *text, size_t length, char safe[TEXT_SIZE])
{
    char plain[TEXT_SIZE];
    size_t size = length < sizeof plain ? length : sizeof plain - 1;

    memcpy(plain, text, size);
    for (size_t i = 0; i < size; i++) {
        if (plain[i] == '"')
            plain[i] = '\'';
    }
    text_sanitize(plain, size, safe, TEXT_SIZE);
}

static void
compose(struct error *err, const char *advice, const char *detail,
        const char *what)
{
    if (advice != NULL)
        error_set(err, "%s: %s (%s)", what, advice, detail);
    else
        error_set(err, "%s: %s", what, detail);
}

void
reason_krb5(struct error *err, enum reason_scene scene, krb5_context context,
            krb5_error_code code, const char *format, ...)
{
    const char *message = krb5_get_error_message(context, code);
    char what[TEXT_SIZE], detail[TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    make_safe(message, strlen(message), detail);
    krb5_free_error_message(context, message);
    compose(err, reason_advice(scene, code), detail, what);
    error_label(err, reason_label(code));
}

/* The first text of a status: further ones repeat it in MIT's library. */
static void
status_text(OM_uint32 status, int type, char text[TEXT_SIZE])
{
    gss_OID mech = type == GSS_C_MECH_CODE ? (gss_OID)gss_mech_krb5 : NULL;
    gss_buffer_desc buffer = GSS_C_EMPTY_BUFFER;
    OM_uint32 ignored, more = 0;

    if (gss_display_status(&ignored, status, type, mech, &more, &buffer) !=
        GSS_S_COMPLETE) {
        snprintf(text, TEXT_SIZE, "status %u", (unsigned)status);
        return;
    }
    make_safe(buffer.value, buffer.length, text);
    gss_release_buffer(&ignored, &buffer);
}

void
reason_gss(struct error *err, enum reason_scene scene, OM_uint32 major,
           OM_uint32 minor, const char *format, ...)
{
    char what[TEXT_SIZE], major_text[TEXT_SIZE], minor_text[TEXT_SIZE];
    const char *advice = reason_advice(scene, (krb5_error_code)minor);
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    status_text(major, GSS_C_GSS_CODE, major_text);
    if (minor != 0)
        status_text(minor, GSS_C_MECH_CODE, minor_text);
    if (minor == 0)
        compose(err, advice, major_text, what);
    else if (advice != NULL)
        compose(err, advice, minor_text, what);
    else
        error_set(err, "%s: %s (%s)", what, major_text, minor_text);
    error_label(err, reason_label((krb5_error_code)minor));
}
