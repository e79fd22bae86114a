/* SPDX-License-Identifier: BSD-2-Clause */
#include "gss_pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>
#include <gssapi/gssapi_krb5.h>

enum {
    PATH_SIZE = 512
};

static const char *
needed(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value != NULL,
                  "%s is not set: run this with ctest, or by "
                  "tests/lab/realm.sh run",
                  name);
    return value;
}

const char *
keytab_of(const char *name)
{
    static char paths[4][PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, PATH_SIZE, "%s/%s.keytab", needed("KEYTABS"), name);
    return path;
}

static void
run(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s failed", command);
}

void
kadmin(const char *format, ...)
{
    char query[PATH_SIZE], command[3 * PATH_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(query, sizeof query, format, args);
    va_end(args);
    snprintf(command, sizeof command, "%s kadmin '%s' >/dev/null",
             needed("REALM_SH"), query);
    run(command);
}

void
realm(const char *command, const char *daemon)
{
    char line[2 * PATH_SIZE];

    snprintf(line, sizeof line, "%s %s %s", needed("REALM_SH"), command,
             daemon);
    run(line);
}

unsigned
kdc_log_count(const char *text, const char *also)
{
    char line[4096];
    unsigned count = 0;
    FILE *log;

    snprintf(line, sizeof line, "%s/kdc.log", needed("REALM_DIR"));
    log = fopen(line, "r");
    ck_assert_ptr_nonnull(log);
    while (fgets(line, sizeof line, log) != NULL)
        count += strstr(line, text) != NULL && strstr(line, also) != NULL;
    fclose(log);
    return count;
}

struct credential *
client_of(const char *principal)
{
    struct initiator_settings settings = {
        .principal = principal,
        .keytab = keytab_of(principal),
    };
    struct credential *credential;
    struct error err;

    ck_assert_msg(credential_new_initiator(&settings, 0, &credential, &err),
                  "%s", err.text);
    return credential;
}

struct credential *
server_of(const char *keytab, const char *replay_cache)
{
    struct acceptor_settings settings = {
        .keytab = keytab_of(keytab),
        .replay_cache = replay_cache,
    };
    struct credential *credential;
    struct error err;

    ck_assert_msg(credential_new_acceptor(&settings, 0, &credential, &err),
                  "%s", err.text);
    return credential;
}

enum context_status
first_step(struct context *initiator, struct context_output *out)
{
    enum context_status status = initiator->ops->step(initiator, NULL, 0, out);

    if (status != CONTEXT_NEED_TICKET)
        return status;
    if (!initiator->ops->fetch(initiator, &out->error))
        return CONTEXT_FAILED;
    return initiator->ops->step(initiator, NULL, 0, out);
}

bool
pair_establish(struct pair *pair, struct credential *client,
               struct credential *server, const char *target)
{
    struct context_output request = {0}, answer = {0}, end = {0};
    enum context_status accepted = CONTEXT_FAILED, status = CONTEXT_FAILED;

    *pair = (struct pair){0};
    pair->initiator = context_new_initiator(client, target, &pair->error);
    pair->acceptor = context_new_acceptor(server, &pair->error);
    if (pair->initiator == NULL || pair->acceptor == NULL)
        return false;
    if (first_step(pair->initiator, &request) == CONTEXT_CONTINUE) {
        accepted = pair->acceptor->ops->step(pair->acceptor, request.token,
                                             request.token_size, &answer);
        if (answer.token != NULL)
            status = pair->initiator->ops->step(pair->initiator, answer.token,
                                                answer.token_size, &end);
    }
    pair->acceptor_error = answer.error;
    pair->error = request.error;
    pair->stale = end.stale;
    if (request.token != NULL)
        pair->error = answer.token == NULL ? answer.error : end.error;
    free(request.token);
    free(answer.token);
    return accepted == CONTEXT_DONE && status == CONTEXT_DONE;
}

void
pair_clear(struct pair *pair)
{
    context_free(pair->initiator);
    context_free(pair->acceptor);
    *pair = (struct pair){0};
}

/* Whose tickets the ambient credential is. */
static const char *raw_client = "alice";

void
raw_enctype(const char *name)
{
    char path[PATH_SIZE], profiles[2 * PATH_SIZE];
    FILE *file;

    raw_client = "polyglot";
    snprintf(path, sizeof path, "%s/%s.conf", needed("REALM_DIR"), name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "[libdefaults]\n"
            "default_tgs_enctypes = %s\n"
            "default_tkt_enctypes = %s\n",
            name, name);
    fclose(file);
    snprintf(profiles, sizeof profiles, "%s:%s", path, needed("KRB5_CONFIG"));
    setenv("KRB5_CONFIG", profiles, 1);
}

/* The ambient credential: environment variables do here what kerbwrap never
 * lets them do.  Acquired once, because some tests make a thousand pairs. */
static gss_cred_id_t
ambient(gss_cred_usage_t usage)
{
    static gss_cred_id_t credentials[3];
    OM_uint32 minor;

    if (credentials[usage] == GSS_C_NO_CREDENTIAL) {
        setenv("KRB5_CLIENT_KTNAME", keytab_of(raw_client), 1);
        setenv("KRB5CCNAME", "MEMORY:", 1);
        setenv("KRB5_KTNAME", keytab_of("web1"), 1);
        setenv("KRB5RCACHENAME", "none:", 1);
        ck_assert_uint_eq(gss_acquire_cred(&minor, GSS_C_NO_NAME,
                                           GSS_C_INDEFINITE, GSS_C_NO_OID_SET,
                                           usage, &credentials[usage], NULL,
                                           NULL),
                          GSS_S_COMPLETE);
    }
    return credentials[usage];
}

static void
import(const char *text, gss_name_t *name)
{
    gss_buffer_desc buffer = {strlen(text), (void *)(uintptr_t)text};
    OM_uint32 minor;

    ck_assert_uint_eq(
        gss_import_name(&minor, &buffer, GSS_KRB5_NT_PRINCIPAL_NAME, name),
        GSS_S_COMPLETE);
}

static OM_uint32
raw_step(OM_uint32 flags, gss_OID mech, gss_ctx_id_t *context,
         gss_buffer_t input, gss_buffer_t output)
{
    OM_uint32 major, minor;
    gss_name_t target;

    import(PAIR_TARGET, &target);
    major = gss_init_sec_context(
        &minor, ambient(GSS_C_INITIATE), context, target, mech, flags, 0,
        GSS_C_NO_CHANNEL_BINDINGS, input, NULL, output, NULL, NULL);
    gss_release_name(&minor, &target);
    return major;
}

void
raw_request(OM_uint32 flags, gss_OID mech, gss_ctx_id_t *initiator,
            gss_buffer_t token)
{
    *initiator = GSS_C_NO_CONTEXT;
    ck_assert(
        !GSS_ERROR(raw_step(flags, mech, initiator, GSS_C_NO_BUFFER, token)));
}

void
raw_pair(gss_ctx_id_t *initiator, gss_ctx_id_t *acceptor)
{
    gss_buffer_desc request, answer, none;
    OM_uint32 major, minor;

    raw_request(RAW_FLAGS, (gss_OID)gss_mech_krb5, initiator, &request);
    *acceptor = GSS_C_NO_CONTEXT;
    major = gss_accept_sec_context(&minor, acceptor, GSS_C_NO_CREDENTIAL,
                                   &request, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                   NULL, &answer, NULL, NULL, NULL);
    ck_assert_uint_eq(major, GSS_S_COMPLETE);
    ck_assert_uint_eq(
        raw_step(RAW_FLAGS, (gss_OID)gss_mech_krb5, initiator, &answer, &none),
        GSS_S_COMPLETE);
    gss_release_buffer(&minor, &request);
    gss_release_buffer(&minor, &answer);
}
