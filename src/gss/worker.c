/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only places where GSSAPI credentials are acquired.  Name, ccache and
 * client keytab are given together, and keytab with replay cache: whatever is
 * left out, the library looks for in the environment.
 */
#include "gss/worker.h"

#include <string.h>
#include <profile.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "base/pool.h"
#include "gss/acceptor_keys.h"
#include "gss/credential_private.h"
#include "gss/reason.h"

enum {
    CLOCK_SKEW_USUAL = 300
};

/* A client keytab that is always empty: given to GSSAPI, it keeps the ambient
 * one from being used. */
static const char empty_keytab[] = "MEMORY:kerbwrap-no-keytab";

void
worker_clear(struct credential *credential, struct worker *worker)
{
    OM_uint32 ignored;

    if (worker->context == NULL)
        return;
    gss_release_cred(&ignored, &worker->handle);
    credential_drop_tickets(credential, worker->context, worker->tickets);
    credential_drop_keys(credential, worker->context, worker->keys);
    krb5_free_context(worker->context);
    *worker = (struct worker){0};
}

static int
clock_skew_of(krb5_context context)
{
    int skew = CLOCK_SKEW_USUAL;
    profile_t profile;

    if (krb5_get_profile(context, &profile) != 0)
        return skew;
    (void)profile_get_integer(profile, "libdefaults", "clockskew", NULL,
                              CLOCK_SKEW_USUAL, &skew);
    profile_release(profile);
    return skew;
}

bool
worker_enter(struct credential *credential, struct worker *spare,
             struct worker **worker_out, struct error *err)
{
    int number = pool_worker();
    struct worker *worker = spare;
    krb5_error_code code = 0;

    *spare = (struct worker){0};
    if (number >= 0 && (unsigned)number < credential->worker_count)
        worker = &credential->workers[number];
    if (worker->context == NULL) {
        code = krb5_init_context(&worker->context);
        if (code == 0)
            worker->clock_skew = clock_skew_of(worker->context);
    }
    if (code != 0) {
        worker->context = NULL;
        reason_krb5(err, REASON_KEYTAB, NULL, code,
                    "cannot begin to use Kerberos (is krb5.conf sound?)");
        return false;
    }
    *worker_out = worker;
    return true;
}

void
worker_leave(struct credential *credential, struct worker *worker,
             struct worker *spare)
{
    if (worker == spare)
        worker_clear(credential, spare);
}

static OM_uint32
acquire(const char *client, const char *cache, gss_cred_id_t *handle_out,
        OM_uint32 *minor)
{
    gss_buffer_desc text = {strlen(client), (char *)client};
    gss_key_value_element_desc elements[] = {
        {"ccache", cache},
        {"client_keytab", empty_keytab},
    };
    gss_key_value_set_desc store = {2, elements};
    gss_OID_set_desc mechs = {1, (gss_OID)gss_mech_krb5};
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 major, ignored;

    major = gss_import_name(minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &name);
    if (major == GSS_S_COMPLETE)
        major = gss_acquire_cred_from(minor, name, GSS_C_INDEFINITE, &mechs,
                                      GSS_C_INITIATE, &store, handle_out, NULL,
                                      NULL);
    gss_release_name(&ignored, &name);
    return major;
}

bool
worker_initiator_handle(struct credential *credential, struct worker *worker,
                        struct tickets *tickets, struct error *err)
{
    OM_uint32 major, minor;

    if (worker->tickets == tickets)
        return true;
    gss_release_cred(&minor, &worker->handle);
    credential_drop_tickets(credential, worker->context, worker->tickets);
    worker->tickets = NULL;
    major = acquire(tickets->client_text, tickets->name, &worker->handle,
                    &minor);
    if (major != GSS_S_COMPLETE) {
        worker->handle = GSS_C_NO_CREDENTIAL;
        reason_gss(err, REASON_INIT, major, minor,
                   "cannot use the tickets of %s", tickets->client_text);
        return false;
    }
    pthread_mutex_lock(&credential->mutex);
    tickets->references++;
    pthread_mutex_unlock(&credential->mutex);
    worker->tickets = tickets;
    return true;
}

static OM_uint32
acquire_acceptor(const char *keytab, const char *replay_cache,
                 gss_cred_id_t *handle_out, OM_uint32 *minor)
{
    gss_key_value_element_desc elements[] = {
        {"keytab", keytab},
        {"rcache", replay_cache},
    };
    gss_key_value_set_desc store = {2, elements};
    gss_OID_set_desc mechs = {1, (gss_OID)gss_mech_krb5};

    return gss_acquire_cred_from(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs,
                                 GSS_C_ACCEPT, &store, handle_out, NULL, NULL);
}

bool
worker_acceptor_handle(struct credential *credential, struct worker *worker,
                       struct error *err)
{
    OM_uint32 major, minor;
    struct acceptor_keys *keys = credential_keys(credential, worker->context);

    if (keys == NULL) {
        error_set(err, "cannot use keytab %s: out of memory",
                  credential->keytab);
        return false;
    }
    if (worker->keys == keys) {
        credential_drop_keys(credential, worker->context, keys);
        return true;
    }
    gss_release_cred(&minor, &worker->handle);
    credential_drop_keys(credential, worker->context, worker->keys);
    worker->keys = NULL;
    major = acquire_acceptor(keys->name, credential->replay_cache,
                             &worker->handle, &minor);
    if (major == GSS_S_COMPLETE) {
        worker->keys = keys;
        return true;
    }
    worker->handle = GSS_C_NO_CREDENTIAL;
    credential_drop_keys(credential, worker->context, keys);
    if (acceptor_check_files(credential, worker, err))
        reason_gss(err, REASON_KEYTAB, major, minor, "cannot use keytab %s",
                   credential->keytab);
    return false;
}
