/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A KDC tells its time in every error, and an error is what somebody gets who
 * asks without a key.  The library is left at that moment, through its hook for
 * answers, before it would go on with a key.
 */
#include "gss/examine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <krb5.h>
#include <profile.h>

#include "gss/credential_private.h"
#include "gss/reason.h"

enum {
    DEFAULT_CLOCKSKEW_S = 300
};

static unsigned
read_clockskew(krb5_context context)
{
    struct _profile_t *profile;
    int seconds = DEFAULT_CLOCKSKEW_S;

    if (krb5_get_profile(context, &profile) != 0)
        return DEFAULT_CLOCKSKEW_S;
    if (profile_get_integer(profile, "libdefaults", "clockskew", NULL,
                            DEFAULT_CLOCKSKEW_S, &seconds) != 0 ||
        seconds <= 0)
        seconds = DEFAULT_CLOCKSKEW_S;
    profile_release(profile);
    return (unsigned)seconds;
}

bool
kerberos_settings_read(struct kerberos_settings *settings_out,
                       struct error *err)
{
    krb5_context context = NULL;
    krb5_error_code code = krb5_init_context(&context);
    char *realm = NULL;

    if (code != 0) {
        reason_krb5(err, REASON_KEYTAB, NULL, code, "cannot use krb5.conf");
        return false;
    }
    settings_out->realm[0] = '\0';
    if (krb5_get_default_realm(context, &realm) == 0) {
        snprintf(settings_out->realm, sizeof settings_out->realm, "%s", realm);
        krb5_free_default_realm(context, realm);
    }
    settings_out->clockskew_s = read_clockskew(context);
    krb5_free_context(context);
    return true;
}

static int64_t
milliseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nothing when the answer is a ticket. */
static void
read_refusal(krb5_context context, const krb5_data *reply,
             struct kdc_answer *answer)
{
    /* What MIT's KDC says; another's name for an account may be unknown too. */
    static const char deleted[] = "CLIENT_NOT_FOUND";
    krb5_error *error;

    if (krb5_rd_error(context, reply, &error) != 0)
        return;
    answer->timed = true;
    answer->ahead = (int64_t)(uint32_t)error->stime * 1000 +
                    error->susec / 1000 - milliseconds(CLOCK_REALTIME);
    answer->unknown = error->error ==
                      KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN - ERROR_TABLE_BASE_krb5;
    answer->deleted = answer->unknown &&
                      error->text.length >= sizeof deleted - 1 &&
                      memcmp(error->text.data, deleted, sizeof deleted - 1) ==
                          0;
    krb5_free_error(context, error);
}

struct asking_kdc {
    struct kdc_answer answer;
    bool answered;
};

static krb5_error_code
on_answer(krb5_context context, void *data, krb5_error_code code,
          const krb5_data *realm, const krb5_data *message,
          const krb5_data *reply, krb5_data **new_reply)
{
    struct asking_kdc *asking = data;

    (void)realm;
    (void)message;
    (void)new_reply;
    if (code != 0)
        return code;
    asking->answered = true;
    read_refusal(context, reply, &asking->answer);
    /* The one code after which the library asks nobody else. */
    return KRB5_LIBOS_PWDINTR;
}

bool
kdc_ask(const char *principal, struct kdc_answer *answer_out, struct error *err)
{
    struct asking_kdc asking = {.answered = false};
    int64_t began = milliseconds(CLOCK_MONOTONIC);
    krb5_context context = NULL;
    krb5_principal client = NULL;
    krb5_creds creds = {0};
    krb5_error_code code = krb5_init_context(&context);

    if (code == 0)
        code = krb5_parse_name(context, principal, &client);
    if (code == 0) {
        krb5_set_kdc_recv_hook(context, on_answer, &asking);
        code = krb5_get_init_creds_password(context, &creds, client, "", NULL,
                                            NULL, 0, NULL, NULL);
        krb5_free_cred_contents(context, &creds);
    }
    if (asking.answered) {
        *answer_out = asking.answer;
        answer_out->spent = (unsigned)(milliseconds(CLOCK_MONOTONIC) - began);
    } else {
        reason_krb5(err, REASON_TGT, context, code, "cannot ask a KDC about %s",
                    principal);
    }
    krb5_free_principal(context, client);
    krb5_free_context(context);
    return asking.answered;
}

static void
look_at(const struct ticket_facts *facts, struct ticket_view *view)
{
    *view = (struct ticket_view){
        .kvno = facts->kvno,
        .enctype = facts->enctype,
        .endtime = facts->endtime,
    };
    snprintf(view->realm, sizeof view->realm, "%s", facts->realm);
    enctype_describe(facts->enctype, view->enctype_name);
}

bool
credential_ticket(struct credential *credential, const char *service,
                  struct ticket_view *view_out, struct error *err)
{
    struct worker spare, *worker;
    struct target *target;
    struct tickets *tickets;
    struct ticket_facts facts;
    bool ok = false;

    if (!worker_enter(credential, &spare, &worker, err))
        return false;
    if (credential_target(credential, service, &target, err)) {
        if (credential_fetch(credential, target, err)) {
            ok = credential_find(credential, worker, target, &tickets, &facts);
            if (!ok)
                error_set(err,
                          "cannot use the ticket for %s: it is for "
                          "another name or already at its end",
                          service);
        }
        if (ok) {
            look_at(&facts, view_out);
            credential_drop_tickets(credential, worker->context, tickets);
        }
        credential_drop_target(credential, target);
    }
    worker_leave(credential, worker, &spare);
    return ok;
}
