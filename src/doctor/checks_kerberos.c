/* SPDX-License-Identifier: BSD-2-Clause */
/* The KDC, its clock, and getting tickets from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/text.h"
#include "doctor/checks.h"
#include "gss/principal.h"
#include "proxy/inquiry.h"

/* --- a client's credential ----------------------------------------------- */

/* Of the credential, which knows its name. */
static bool
take_realm(struct patient *patient, const char *name, struct error *err)
{
    struct principal principal;

    if (!principal_parse(name, &principal, err))
        return false;
    snprintf(patient->realm, sizeof patient->realm, "%s", principal.realm);
    principal_clear(&principal);
    return true;
}

static bool
keytab_has_aes(const struct service_settings *service, bool *aes_out,
               struct error *err)
{
    struct keytab_keys keys;

    if (!keytab_read(service->keytab, &keys, err))
        return false;
    *aes_out = false;
    for (size_t i = 0; i < keys.count; i++)
        *aes_out = *aes_out || keys.items[i].aes;
    keytab_clear(&keys);
    return true;
}

static void
warn_of_readers(struct visit *visit, const char *path)
{
    struct stat found;

    if (stat(path, &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH)) != 0)
        visit_warn(visit, "take away the others' rights: chmod o-rwx",
                   "everybody on this machine may %s the keytab %s",
                   (found.st_mode & S_IROTH) != 0 ? "read" : "write", path);
}

static void
take_keytab(struct visit *visit, const struct service_settings *service)
{
    struct patient *patient = visit->patient;
    struct error error;
    bool aes;

    if (!keytab_has_aes(service, &aes, &error)) {
        visit_fail(visit, NULL, "%s", error.text);
    } else if (!aes) {
        visit_fail(visit,
                   "give the account AES keys "
                   "(msDS-SupportedEncryptionTypes 24) and export a "
                   "new keytab",
                   "the keytab %s holds no AES key", service->keytab);
    } else if (*service->principal == '\0') {
        visit_fail(visit, NULL, "there is a keytab and no principal");
    } else {
        patient->credential = service_credential(service, NO_WORKERS, &error);
        if (patient->credential == NULL ||
            !take_realm(patient, credential_name(patient->credential), &error))
            visit_fail(visit, NULL, "%s", error.text);
        else
            visit_ok(visit, "%s has a key of %s", service->keytab,
                     credential_name(patient->credential));
        warn_of_readers(visit, service->keytab);
    }
}

/* Asks no KDC: what is there is copied. */
static void
take_cache(struct visit *visit, const char *cache, const char *advice)
{
    struct patient *patient = visit->patient;
    const struct initiator_settings settings = {.ccache = cache};
    struct error error;

    if (!credential_new_initiator(&settings, NO_WORKERS, &patient->credential,
                                  &error) ||
        !credential_renew(patient->credential, &error) ||
        !take_realm(patient, credential_name(patient->credential), &error))
        visit_fail(visit, advice, "%s", error.text);
    else
        visit_ok(visit, "the credential cache %s has tickets of %s", cache,
                 credential_name(patient->credential));
}

void
examine_client_credential(struct visit *visit)
{
    const struct service_settings *service = visit->patient->service;

    if (*service->keytab != '\0')
        take_keytab(visit, service);
    else
        take_cache(visit, service->ccache,
                   "run kinit for that cache, or set ccache, or keytab and "
                   "principal");
}

/* --- the KDC ------------------------------------------------------------- */

/* Whoever was asked about the same realm before. */
static const struct patient *
asked_before(const struct patient *patient)
{
    const struct patient *other = patient->previous;

    while (other != NULL && strcmp(other->realm, patient->realm) != 0)
        other = other->previous;
    return other;
}

void
examine_kdc(struct visit *visit)
{
    struct patient *patient = visit->patient;
    const struct patient *other = asked_before(patient);
    char nobody[EXAMINE_NAME_SIZE + 32];
    struct error error;

    if (other != NULL && (other->facts & FACT_KDC) == 0) {
        visit_skip(visit, "not tried again, see above [%s]", other->title);
        return;
    }
    if (other != NULL) {
        patient->kdc = other->kdc;
        return;
    }
    snprintf(nobody, sizeof nobody, "kerbwrap-doctor@%s", patient->realm);
    if (kdc_ask(nobody, &patient->kdc, &error))
        visit_ok(visit, "a KDC of %s answers within %u ms", patient->realm,
                 patient->kdc.spent);
    else
        visit_fail(visit, NULL, "%s", error.text);
}

void
examine_clock(struct visit *visit)
{
    struct patient *patient = visit->patient;
    const struct patient *other = asked_before(patient);
    const struct kdc_answer *kdc = &patient->kdc;
    unsigned forgiven = patient_machine(patient)->kerberos.clockskew_s;
    uint64_t off = (uint64_t)llabs(kdc->ahead) / 1000;
    const char *side = kdc->ahead < 0 ? "ahead of" : "behind";

    if (other != NULL) {
        if ((other->facts & FACT_CLOCK) == 0)
            visit_skip(visit, "not tried again, see above [%s]", other->title);
        return;
    }
    if (!kdc->timed)
        visit_skip(visit, "the KDC of %s did not tell its time",
                   patient->realm);
    else if (off > forgiven)
        visit_fail(visit, NULL,
                   "this machine's clock is %llu s %s that of the KDC of %s, "
                   "%u s are forgiven",
                   (unsigned long long)off, side, patient->realm, forgiven);
    else if (off > forgiven / 5)
        visit_warn(visit, NULL,
                   "this machine's clock is %llu s %s that of the KDC of %s; "
                   "from %u s on nothing works",
                   (unsigned long long)off, side, patient->realm, forgiven);
    else
        visit_ok(visit, "within %llu s of the KDC's",
                 (unsigned long long)off + 1);
}

/* --- logging in ---------------------------------------------------------- */

static void
tell_tickets(struct visit *visit)
{
    struct credential *credential = visit->patient->credential;
    int64_t left = credential_expires(credential) - (int64_t)time(NULL);

    visit_ok(visit, "%s has a ticket-granting ticket for %lld min",
             credential_name(credential), (long long)left / 60);
}

void
examine_client_login(struct visit *visit)
{
    struct error error;

    if (credential_renew(visit->patient->credential, &error))
        tell_tickets(visit);
    else
        visit_fail(visit, NULL, "%s", error.text);
}

/* Whose key to log in with: the account's, else the first of a name. */
static const struct keytab_key *
choose_key(const struct patient *patient)
{
    const struct keytab_keys *keys = &patient->keys;
    const char *account = patient->service->account;
    const char *machine = keytab_machine(keys);
    const char *wanted = *account != '\0' && keytab_has(keys, account) ? account
                         : machine != NULL                             ? machine
                                           : patient->names[0];

    for (size_t i = 0; i < keys->count; i++)
        if (strcasecmp(keys->items[i].name, wanted) == 0)
            return &keys->items[i];
    return &keys->items[0];
}

/* The account of a directory has one login name, and many others. */
static void
explain_unknown(struct visit *visit, const char *principal,
                const struct error *error)
{
    struct kdc_answer answer = {.unknown = false};
    struct error ignored;

    if (!kdc_ask(principal, &answer, &ignored) || !answer.unknown ||
        answer.deleted)
        visit_fail(visit, NULL, "%s", error->text);
    else
        visit_skip(visit,
                   "%s is no login name, only a name of some account: nobody "
                   "can compare its keys with the KDC's; give --ccache CACHE "
                   "with somebody's tickets",
                   principal);
}

static bool
log_in(struct patient *patient, const struct initiator_settings *settings,
       struct error *err)
{
    return credential_new_initiator(settings, NO_WORKERS, &patient->credential,
                                    err) &&
           credential_renew(patient->credential, err);
}

/* With the keytab's own key when that is a login name, for that tries it. */
void
examine_server_login(struct visit *visit)
{
    struct patient *patient = visit->patient;
    const struct keytab_key *key = choose_key(patient);
    char principal[SPN_SIZE];
    const struct initiator_settings own = {
        .principal = principal,
        .keytab = patient->service->keytab,
    };
    struct error error;

    if (patient->settings->ccache != NULL) {
        take_cache(visit, patient->settings->ccache, "run kinit");
        return;
    }
    snprintf(principal, sizeof principal, "%s@%s", key->name, key->realm);
    if (log_in(patient, &own, &error))
        tell_tickets(visit);
    else
        explain_unknown(visit, principal, &error);
}
