/* SPDX-License-Identifier: BSD-2-Clause */
/* Establishment, step by step, with the checks of docs/protocol.md section 3. */
#include "gss/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <dlfcn.h>
#include <unistd.h>
#include <gssapi/gssapi_krb5.h>

#include "gss_pair.h"

#include "check_main.h"

#define REALM "CORP.EXAMPLE.TEST"
#define REFUSED_PREFIX                                                         \
    PAIR_TARGET "@" REALM " refused us, says an answer that nothing proves: "

static struct credential *alice, *web1;
static struct pair pair;
/* What the library does not report at the initiator, and what it was asked. */
static OM_uint32 withheld, requested;
static bool takes_credentials, reads_name;

/* MIT's initiator reports what it asked for, whatever the acceptor did; so a
 * library that grants less is this one, seen through here. */
OM_uint32
gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t credential,
                     gss_ctx_id_t *context, gss_name_t target, gss_OID mech,
                     OM_uint32 flags, OM_uint32 seconds,
                     gss_channel_bindings_t bindings, gss_buffer_t input,
                     gss_OID *mech_out, gss_buffer_t output,
                     OM_uint32 *flags_out, OM_uint32 *seconds_out)
{
    OM_uint32 (*real)(OM_uint32 *, gss_cred_id_t, gss_ctx_id_t *, gss_name_t,
                      gss_OID, OM_uint32, OM_uint32, gss_channel_bindings_t,
                      gss_buffer_t, gss_OID *, gss_buffer_t, OM_uint32 *,
                      OM_uint32 *);
    OM_uint32 major;

    requested = flags;
    *(void **)&real = dlsym(RTLD_NEXT, "gss_init_sec_context");
    major = real(minor, credential, context, target, mech, flags, seconds,
                 bindings, input, mech_out, output, flags_out, seconds_out);
    if (flags_out != NULL)
        *flags_out &= ~withheld;
    return major;
}

OM_uint32
gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context,
                       gss_cred_id_t credential, gss_buffer_t input,
                       gss_channel_bindings_t bindings, gss_name_t *client,
                       gss_OID *mech, gss_buffer_t output, OM_uint32 *flags,
                       OM_uint32 *seconds, gss_cred_id_t *delegated)
{
    OM_uint32 (*real)(OM_uint32 *, gss_ctx_id_t *, gss_cred_id_t, gss_buffer_t,
                      gss_channel_bindings_t, gss_name_t *, gss_OID *,
                      gss_buffer_t, OM_uint32 *, OM_uint32 *, gss_cred_id_t *);

    takes_credentials = delegated != NULL;
    reads_name = client != NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "gss_accept_sec_context");
    return real(minor, context, credential, input, bindings, client, mech,
                output, flags, seconds, delegated);
}

static void
set_up(void)
{
    alice = client_of("alice");
    web1 = server_of("web1", NULL);
}

static void
tear_down(void)
{
    pair_clear(&pair);
    credential_release(alice);
    credential_release(web1);
}

/* Both sides refuse, in these words. */
static void
expect_failure(struct credential *client, struct credential *server,
               const char *target, const char *at_acceptor,
               const char *at_initiator)
{
    ck_assert(!pair_establish(&pair, client, server, target));
    ck_assert_str_eq(pair.acceptor_error.text, at_acceptor);
    ck_assert_str_eq(pair.error.text, at_initiator);
}

/* The acceptor refuses this first token. */
static void
expect_refused(const void *token, size_t size, const char *sentence)
{
    struct context *acceptor = context_new_acceptor(web1, NULL);
    struct context_output out;

    ck_assert_int_eq(acceptor->ops->step(acceptor, token, size, &out),
                     CONTEXT_FAILED);
    ck_assert_str_eq(out.error.text, sentence);
    free(out.token);
    context_free(acceptor);
}

START_TEST(both_sides_learn_who_the_other_is)
{
    ck_assert(pair_establish(&pair, alice, web1, PAIR_TARGET));
    const struct context_peer *client = pair.acceptor->ops->peer(pair.acceptor);
    const struct context_peer *server = pair.initiator->ops->peer(
        pair.initiator);

    ck_assert_str_eq(client->display, "alice@" REALM);
    ck_assert_uint_eq(client->principal.count, 1);
    ck_assert_str_eq(client->principal.components[0], "alice");
    ck_assert_str_eq(client->principal.realm, REALM);
    ck_assert_str_eq(server->display, PAIR_TARGET "@" REALM);
    ck_assert_str_eq(server->principal.components[1], "localhost");
}
END_TEST

static void
expect_client(struct credential *client, const char *name)
{
    ck_assert_msg(pair_establish(&pair, client, web1, PAIR_TARGET), "%s",
                  pair.error.text);
    const struct context_peer *peer = pair.acceptor->ops->peer(pair.acceptor);
    ck_assert_str_eq(peer->display, name);
    ck_assert_str_eq(peer->principal.realm, REALM);
    pair_clear(&pair);
}

START_TEST(name_is_read_when_a_ticket_comes_first)
{
    struct credential *bob = client_of("bob");

    for (int i = 0; i < 3; i++) {
        expect_client(alice, "alice@" REALM);
        ck_assert_int_eq(reads_name, i == 0);
        expect_client(bob, "bob@" REALM);
        ck_assert_int_eq(reads_name, i == 0);
    }
    /* The same client, another ticket. */
    credential_release(bob);
    bob = client_of("bob");
    expect_client(bob, "bob@" REALM);
    ck_assert(reads_name);
    credential_release(bob);
}
END_TEST

START_TEST(both_sides_learn_enctypes_and_endtime)
{
    ck_assert(pair_establish(&pair, alice, web1, PAIR_TARGET));
    const struct context_peer *client = pair.acceptor->ops->peer(pair.acceptor);
    const struct context_peer *server = pair.initiator->ops->peer(
        pair.initiator);
    int64_t end = (int64_t)time(NULL) + 10 * 3600;

    ck_assert_str_eq(client->enctype, "aes256-cts-hmac-sha1-96");
    ck_assert_str_eq(client->ticket_enctype, "aes256-cts-hmac-sha1-96");
    ck_assert_str_eq(server->enctype, client->enctype);
    ck_assert_str_eq(server->ticket_enctype, client->ticket_enctype);
    ck_assert_int_le(llabs(server->endtime - end), 60);
    ck_assert_int_le(llabs(client->endtime - server->endtime), 1);
}
END_TEST

/* One record from the initiator to the acceptor. */
static void
expect_record_passes(void)
{
    struct channel *ours = pair.initiator->ops->channel(pair.initiator);
    struct channel *theirs = pair.acceptor->ops->channel(pair.acceptor);
    uint8_t token[256] = {0};
    struct seal_record sealed = {token, 100};
    struct token_shape shape;

    pair_clear(&pair);
    ours->ops->shape(ours, true, &shape);
    struct unseal_record record = {
        .token = token, .token_size = shape.header + 100 + shape.trailer};
    ck_assert(ours->ops->seal(ours, true, &sealed, 1, NULL));
    ck_assert_uint_eq(theirs->ops->unseal(theirs, &record, 1, NULL), 1);
    ck_assert_uint_eq(record.plain_size, 100);
    channel_free(ours);
    channel_free(theirs);
}

/* More for [libdefaults] of krb5.conf, which comes first. */
static void
layer(const char *name, const char *key, const char *value)
{
    char path[256], layered[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.conf", getenv("REALM_DIR"), name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "[libdefaults]\n%s = %s\n", key, value);
    fclose(file);
    snprintf(layered, sizeof layered, "%s:%s", path, getenv("KRB5_CONFIG"));
    setenv("KRB5_CONFIG", layered, 1);
}

/* The service's key and the session's, of each type that is allowed. */
START_TEST(every_aes_type_makes_a_channel)
{
    static const char *const types[] = {
        "aes128-cts-hmac-sha1-96",
        "aes256-cts-hmac-sha1-96",
        "aes128-cts-hmac-sha256-128",
        "aes256-cts-hmac-sha384-192",
    };
    const char *type = types[_i];
    char target[64], permitted[64];

    snprintf(target, sizeof target, "aes/%d.example.test", _i);
    kadmin("addprinc -randkey -e %s:normal %s", type, target);
    kadmin("setstr %s session_enctypes %s", target, type);
    kadmin("ktadd -q -norandkey -k %s %s", keytab_of("aes"), target);
    /* Both ends like it best: they agree on it for the session. */
    snprintf(permitted, sizeof permitted, "%s aes256-cts", type);
    layer(type, "permitted_enctypes", permitted);
    struct credential *server = server_of("aes", NULL);
    bool ok = pair_establish(&pair, alice, server, target);
    credential_release(server);
    ck_assert_msg(ok, "%s", pair.error.text);
    const struct context_peer *peer = pair.acceptor->ops->peer(pair.acceptor);
    ck_assert_str_eq(peer->enctype, type);
    ck_assert_str_eq(peer->ticket_enctype, type);
    expect_record_passes();
}
END_TEST

START_TEST(channels_outlive_their_contexts)
{
    ck_assert(pair_establish(&pair, alice, web1, PAIR_TARGET));
    expect_record_passes();
}
END_TEST

START_TEST(first_step_without_a_ticket_asks_for_one)
{
    struct context *context = context_new_initiator(alice, PAIR_TARGET, NULL);
    struct context_output out;

    ck_assert_str_eq(context->lane, "kdc " REALM);
    ck_assert_int_eq(context->ops->step(context, NULL, 0, &out),
                     CONTEXT_NEED_TICKET);
    ck_assert_int_eq(first_step(context, &out), CONTEXT_CONTINUE);
    free(out.token);
    context_free(context);
}
END_TEST

START_TEST(step_with_a_ticket_needs_no_kdc)
{
    ck_assert(pair_establish(&pair, alice, web1, PAIR_TARGET));
    pair_clear(&pair);
    realm("stop", "kdc");
    bool ok = pair_establish(&pair, alice, web1, PAIR_TARGET);
    realm("start", "kdc");
    ck_assert_msg(ok, "%s", pair.error.text);
}
END_TEST

START_TEST(realm_of_the_target_is_the_mapped_one)
{
    struct context *mapped = context_new_initiator(
        alice, "orders/web1.corp.example.test:7443", NULL);
    struct context *named = context_new_initiator(
        alice, "orders/web1@OTHER.TEST", NULL);
    struct context *ours = context_new_initiator(alice, "orders/x", NULL);
    struct context *referred = context_new_initiator(alice, "orders/x@", NULL);

    ck_assert_str_eq(mapped->lane, "kdc " REALM);
    ck_assert_str_eq(named->lane, "kdc OTHER.TEST");
    ck_assert_str_eq(ours->lane, "kdc " REALM);
    ck_assert_str_eq(referred->lane, "kdc " REALM);
    context_free(mapped);
    context_free(named);
    context_free(ours);
    context_free(referred);
}
END_TEST

START_TEST(target_is_not_canonicalised_whatever_krb5_conf_says)
{
    layer("canonicalize", "dns_canonicalize_hostname", "true");
    layer("reverse", "rdns", "true");
    struct credential *client = client_of("alice");

    /* The name service would make it localhost, which there is. */
    expect_failure(client, web1, "orders/127.0.0.1", "",
                   "cannot get a ticket for orders/127.0.0.1@" REALM
                   " as alice@" REALM
                   ": the KDC knows no such service; register the SPN "
                   "(kerbwrap publish, setspn -S or addprinc) or correct its "
                   "spelling (Server orders/127.0.0.1@" REALM
                   " not found in Kerberos database)");
    credential_release(client);
}
END_TEST

START_TEST(malformed_target_is_refused)
{
    struct error err;

    ck_assert_ptr_null(context_new_initiator(alice, "orders/a@b@c", &err));
    ck_assert_str_eq(err.text, "cannot use service name orders/a@b@c: "
                               "Malformed representation of principal");
}
END_TEST

START_TEST(unknown_service_is_named)
{
    expect_failure(alice, web1, "nosuch/localhost", "",
                   "cannot get a ticket for nosuch/localhost@" REALM
                   " as alice@" REALM
                   ": the KDC knows no such service; register the SPN "
                   "(kerbwrap publish, setspn -S or addprinc) or correct its "
                   "spelling (Server nosuch/localhost@" REALM
                   " not found in Kerberos database)");
}
END_TEST

START_TEST(ticket_for_another_service_is_refused)
{
    struct credential *web2 = server_of("web2", NULL);

    expect_failure(
        alice, web2, PAIR_TARGET,
        "cannot accept the client: the keytab lacks the key of the client's "
        "ticket: its service is not in the keytab, or the account has a newer "
        "key; compare SPN and key version with klist -k (Request ticket server "
        "orders/localhost@" REALM " not found in keytab (ticket kvno 2))",
        REFUSED_PREFIX
        "its keytab lacks the key of our ticket: the service is not in it, or "
        "the account has a newer key; compare SPN and key version with its "
        "keytab (The ticket isn't for us)");
    credential_release(web2);
}
END_TEST

START_TEST(missing_key_version_is_named)
{
    struct credential *web2 = server_of("web2", NULL);

    kadmin("cpw -randkey HTTP/web2.corp.example.test");
    ck_assert(
        !pair_establish(&pair, alice, web2, "HTTP/web2.corp.example.test"));
    ck_assert_str_eq(
        pair.acceptor_error.text,
        "cannot accept the client: the keytab lacks the key version or "
        "encryption type of the client's ticket; export the current keys into "
        "it, or let the client get a new ticket (Request ticket server "
        "HTTP/web2.corp.example.test@" REALM
        " kvno 3 not found in keytab; keytab is likely out of date)");
    ck_assert_str_eq(
        pair.error.text,
        "HTTP/web2.corp.example.test@" REALM
        " refused us, says an answer that nothing proves: its keytab lacks the "
        "key version or encryption type of our ticket; its keytab or our "
        "ticket is out of date (Key version is not available)");
    credential_release(web2);
}
END_TEST

START_TEST(ticket_sealed_with_rc4_is_not_used)
{
    expect_failure(
        alice, web1, "legacy/web1.corp.example.test", "",
        "cannot use the ticket for legacy/web1.corp.example.test@" REALM
        ": it is of type arcfour-hmac, only AES is allowed; give the service's "
        "account AES keys (msDS-SupportedEncryptionTypes 24), export its "
        "keytab and get new tickets");
}
END_TEST

/* An AP-REQ for a service whose ticket is sealed with RC4, by another client. */
START_TEST(ticket_sealed_with_rc4_is_not_accepted)
{
    gss_buffer_desc token, name = {sizeof "legacy/web1.corp.example.test" - 1,
                                   (void *)"legacy/web1.corp.example.test"};
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t target;
    OM_uint32 minor;

    setenv("KRB5_CLIENT_KTNAME", keytab_of("alice"), 1);
    setenv("KRB5CCNAME", "MEMORY:", 1);
    gss_import_name(&minor, &name, GSS_KRB5_NT_PRINCIPAL_NAME, &target);
    ck_assert_uint_eq(
        gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, target,
                             (gss_OID)gss_mech_krb5, RAW_FLAGS, 0, NULL, NULL,
                             NULL, &token, NULL, NULL),
        GSS_S_CONTINUE_NEEDED);
    expect_refused(token.value, token.length,
                   "cannot use the client's ticket: it is of type "
                   "arcfour-hmac, only AES is allowed; give the service's "
                   "account AES keys (msDS-SupportedEncryptionTypes 24), "
                   "export its keytab and get new tickets");
    gss_release_buffer(&minor, &token);
    gss_release_name(&minor, &target);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
}
END_TEST

static void
expect_raw_refused(OM_uint32 flags, gss_OID mech, const char *sentence)
{
    gss_ctx_id_t initiator;
    gss_buffer_desc token;
    OM_uint32 minor;

    raw_request(flags, mech, &initiator, &token);
    expect_refused(token.value, token.length, sentence);
    gss_release_buffer(&minor, &token);
    gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
}

/* It has no frame, which is enough to know it by. */
START_TEST(three_leg_authentication_is_refused)
{
    expect_raw_refused(RAW_FLAGS | GSS_C_DCE_STYLE, (gss_OID)gss_mech_krb5,
                       "cannot accept the client: its first token is not "
                       "Kerberos' (only the krb5 mechanism is spoken here)");
}
END_TEST

START_TEST(other_mechanisms_are_refused)
{
    static gss_OID_desc spnego = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
    static gss_OID_desc iakerb = {6, (void *)"\x2b\x06\x01\x05\x02\x05"};
    const char *sentence = "cannot accept the client: its first token is not "
                           "Kerberos' (only the krb5 mechanism is spoken here)";

    expect_raw_refused(RAW_FLAGS, &spnego, sentence);
    expect_raw_refused(RAW_FLAGS, &iakerb, sentence);
    expect_refused("GET / HTTP/1.0\r\n\r\n", 18, sentence);
    expect_refused("", 0, sentence);
}
END_TEST

START_TEST(changed_request_is_refused_with_an_error_token)
{
    struct context *initiator = context_new_initiator(alice, PAIR_TARGET, NULL);
    struct context *acceptor = context_new_acceptor(web1, NULL);
    struct context_output request, answer, end;

    ck_assert_int_eq(first_step(initiator, &request), CONTEXT_CONTINUE);
    request.token[request.token_size - 1] ^= 1;
    ck_assert_int_eq(acceptor->ops->step(acceptor, request.token,
                                         request.token_size, &answer),
                     CONTEXT_FAILED);
    ck_assert_ptr_nonnull(answer.token);
    ck_assert_int_eq(
        initiator->ops->step(initiator, answer.token, answer.token_size, &end),
        CONTEXT_FAILED);
    ck_assert_ptr_nonnull(strstr(end.error.text, "refused us, says an answer "
                                                 "that nothing proves: "));
    free(request.token);
    free(answer.token);
    context_free(initiator);
    context_free(acceptor);
}
END_TEST

static void
expect_answer_refused(const void *answer, size_t size, const char *sentence)
{
    struct context *initiator = context_new_initiator(alice, PAIR_TARGET, NULL);
    struct context_output request, end;

    ck_assert_int_eq(first_step(initiator, &request), CONTEXT_CONTINUE);
    ck_assert_int_eq(initiator->ops->step(initiator, answer, size, &end),
                     CONTEXT_FAILED);
    ck_assert_str_eq(end.error.text, sentence);
    free(request.token);
    context_free(initiator);
}

START_TEST(answer_that_is_not_kerberos_is_refused)
{
    expect_answer_refused("220 smtp.example.test ready\r\n", 29,
                          "cannot authenticate " PAIR_TARGET "@" REALM
                          ": its answer is not Kerberos");
    expect_answer_refused("", 0,
                          "cannot authenticate " PAIR_TARGET "@" REALM
                          ": its answer is not Kerberos");
}
END_TEST

START_TEST(answer_to_another_request_is_refused)
{
    struct context *other = context_new_initiator(alice, PAIR_TARGET, NULL);
    struct context *acceptor = context_new_acceptor(web1, NULL);
    struct context_output request, answer;

    ck_assert_int_eq(first_step(other, &request), CONTEXT_CONTINUE);
    ck_assert_int_eq(acceptor->ops->step(acceptor, request.token,
                                         request.token_size, &answer),
                     CONTEXT_DONE);
    expect_answer_refused(answer.token, answer.token_size,
                          "cannot authenticate " PAIR_TARGET "@" REALM
                          ": Unspecified GSS failure.  Minor code may provide "
                          "more information (Mutual authentication failed)");
    free(request.token);
    free(answer.token);
    context_free(other);
    context_free(acceptor);
}
END_TEST

/* The second acceptor stands for the same service, after the first. */
static enum context_status
replay(struct credential *server, struct context_output *out)
{
    struct context *initiator = context_new_initiator(alice, PAIR_TARGET, NULL);
    struct context *first = context_new_acceptor(server, NULL);
    struct context *second = context_new_acceptor(server, NULL);
    struct context_output request;

    ck_assert_int_eq(first_step(initiator, &request), CONTEXT_CONTINUE);
    ck_assert_int_eq(
        first->ops->step(first, request.token, request.token_size, out),
        CONTEXT_DONE);
    free(out->token);
    enum context_status status = second->ops->step(second, request.token,
                                                   request.token_size, out);
    free(out->token);
    free(request.token);
    context_free(initiator);
    context_free(first);
    context_free(second);
    return status;
}

START_TEST(replayed_request_is_refused_by_the_replay_cache)
{
    char path[256];
    struct context_output out;

    snprintf(path, sizeof path, "%s/replay-%d", getenv("REALM_DIR"),
             (int)getpid());
    struct credential *server = server_of("web1", path);
    ck_assert_int_eq(replay(server, &out), CONTEXT_FAILED);
    ck_assert_str_eq(out.error.text,
                     "cannot accept the client: the client's token was used "
                     "before: somebody replays it, or a client tried twice in "
                     "the same microsecond (Request is a replay)");
    ck_assert_int_eq(access(path, F_OK), 0);
    credential_release(server);
}
END_TEST

START_TEST(without_a_replay_cache_only_the_first_record_tells)
{
    struct context_output out;

    ck_assert_int_eq(replay(web1, &out), CONTEXT_DONE);
}
END_TEST

START_TEST(replay_cache_that_cannot_be_written_is_named)
{
    char directory[] = "/tmp/test_context.XXXXXX", path[64], sentence[256];

    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/replay", directory);
    struct credential *server = server_of("web1", path);
    unlink(path);
    rmdir(directory);
    snprintf(sentence, sizeof sentence,
             "cannot accept the client: cannot write the replay cache %s (it "
             "must be possible for the user kerbwrap runs as): No such file or "
             "directory",
             path);

    expect_failure(alice, server, PAIR_TARGET, sentence,
                   REFUSED_PREFIX "it failed; its own log says why (Generic "
                                  "error (see e-text))");
    credential_release(server);
}
END_TEST

/* An AP-REQ with these flags and an authenticator of so many seconds later,
 * framed by hand: the checksum of RFC 4121 section 4.1.1 holds the flags. */
static size_t
make_request(OM_uint32 flags, int ahead, uint8_t *token)
{
    static const uint8_t head[] = {0x60, 0x82, 0,    0,    0x06, 0x09,
                                   0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12,
                                   0x01, 0x02, 0x02, 0x01, 0x00};
    uint8_t checksum[24] = {16};
    krb5_data data = {.length = sizeof checksum, .data = (char *)checksum};
    krb5_auth_context auth = NULL;
    krb5_data request;
    krb5_context context;
    krb5_keytab keytab;
    krb5_creds creds;
    krb5_principal client;

    checksum[20] = (uint8_t)flags;
    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_parse_name(context, "alice", &client), 0);
    ck_assert_int_eq(krb5_kt_resolve(context, keytab_of("alice"), &keytab), 0);
    ck_assert_int_eq(krb5_get_init_creds_keytab(context, &creds, client, keytab,
                                                0, PAIR_TARGET, NULL),
                     0);
    krb5_set_real_time(context, (krb5_timestamp)(time(NULL) + ahead), 0);
    krb5_auth_con_init(context, &auth);
    krb5_auth_con_set_req_cksumtype(context, auth, 0x8003);
    ck_assert_int_eq(krb5_mk_req_extended(context, &auth,
                                          AP_OPTS_MUTUAL_REQUIRED, &data,
                                          &creds, &request),
                     0);
    memcpy(token, head, sizeof head);
    token[2] = (uint8_t)((request.length + 13) >> 8);
    token[3] = (uint8_t)(request.length + 13);
    memcpy(token + sizeof head, request.data, request.length);
    size_t size = sizeof head + request.length;
    krb5_free_data_contents(context, &request);
    krb5_auth_con_free(context, auth);
    krb5_free_cred_contents(context, &creds);
    krb5_kt_close(context, keytab);
    krb5_free_principal(context, client);
    krb5_free_context(context);
    return size;
}

static const struct {
    OM_uint32 flag;
    const char *sentence;
} required[] = {
    {GSS_C_MUTUAL_FLAG, "cannot trust the peer: its context is without mutual "
                        "authentication"},
    {GSS_C_REPLAY_FLAG, "cannot trust the peer: its context is without replay "
                        "detection"},
    {GSS_C_SEQUENCE_FLAG, "cannot trust the peer: its context is without "
                          "sequence detection"},
    {GSS_C_CONF_FLAG, "cannot trust the peer: its context is without "
                      "confidentiality"},
    {GSS_C_INTEG_FLAG, "cannot trust the peer: its context is without "
                       "integrity"},
};

START_TEST(acceptor_refuses_a_context_without_a_required_flag)
{
    uint8_t token[4096];
    size_t size = make_request(RAW_FLAGS & ~required[_i].flag, 0, token);

    expect_refused(token, size, required[_i].sentence);
}
END_TEST

START_TEST(initiator_refuses_a_context_without_a_required_flag)
{
    withheld = required[_i].flag;
    expect_failure(alice, web1, PAIR_TARGET, "", required[_i].sentence);
}
END_TEST

START_TEST(request_made_by_hand_is_accepted_with_all_flags)
{
    struct context *acceptor = context_new_acceptor(web1, NULL);
    struct context_output out;
    uint8_t token[4096];
    size_t size = make_request(RAW_FLAGS, 0, token);

    ck_assert_int_eq(acceptor->ops->step(acceptor, token, size, &out),
                     CONTEXT_DONE);
    free(out.token);
    context_free(acceptor);
}
END_TEST

START_TEST(delegation_is_neither_requested_nor_kept)
{
    ck_assert(pair_establish(&pair, alice, web1, PAIR_TARGET));
    ck_assert_uint_eq(requested, RAW_FLAGS);
    ck_assert(!takes_credentials);
}
END_TEST

START_TEST(clock_skew_is_named_on_both_sides)
{
    struct context *acceptor = context_new_acceptor(web1, NULL);
    struct context_output out;
    uint8_t token[4096];
    size_t size = make_request(RAW_FLAGS, 3600, token);

    ck_assert_int_eq(acceptor->ops->step(acceptor, token, size, &out),
                     CONTEXT_FAILED);
    ck_assert_str_eq(out.error.text,
                     "cannot accept the client: the client's clock and this "
                     "machine's differ by more than Kerberos allows; set both "
                     "(NTP) (Clock skew too great)");
    expect_answer_refused(out.token, out.token_size,
                          REFUSED_PREFIX
                          "the other machine's clock and this one's differ by "
                          "more than Kerberos allows; set both (NTP) (Clock "
                          "skew too great)");
    free(out.token);
    context_free(acceptor);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("context");
    TCase *cases = tcase_create("context");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, both_sides_learn_who_the_other_is);
    tcase_add_test(cases, name_is_read_when_a_ticket_comes_first);
    tcase_add_test(cases, both_sides_learn_enctypes_and_endtime);
    tcase_add_loop_test(cases, every_aes_type_makes_a_channel, 0, 4);
    tcase_add_test(cases, channels_outlive_their_contexts);
    tcase_add_test(cases, first_step_without_a_ticket_asks_for_one);
    tcase_add_test(cases, step_with_a_ticket_needs_no_kdc);
    tcase_add_test(cases, realm_of_the_target_is_the_mapped_one);
    tcase_add_test(cases, target_is_not_canonicalised_whatever_krb5_conf_says);
    tcase_add_test(cases, malformed_target_is_refused);
    tcase_add_test(cases, unknown_service_is_named);
    tcase_add_test(cases, ticket_for_another_service_is_refused);
    tcase_add_test(cases, missing_key_version_is_named);
    tcase_add_test(cases, ticket_sealed_with_rc4_is_not_used);
    tcase_add_test(cases, ticket_sealed_with_rc4_is_not_accepted);
    tcase_add_loop_test(cases,
                        acceptor_refuses_a_context_without_a_required_flag, 0,
                        sizeof required / sizeof required[0]);
    tcase_add_loop_test(cases,
                        initiator_refuses_a_context_without_a_required_flag, 0,
                        sizeof required / sizeof required[0]);
    tcase_add_test(cases, request_made_by_hand_is_accepted_with_all_flags);
    tcase_add_test(cases, three_leg_authentication_is_refused);
    tcase_add_test(cases, other_mechanisms_are_refused);
    tcase_add_test(cases, changed_request_is_refused_with_an_error_token);
    tcase_add_test(cases, answer_that_is_not_kerberos_is_refused);
    tcase_add_test(cases, answer_to_another_request_is_refused);
    tcase_add_test(cases, replayed_request_is_refused_by_the_replay_cache);
    tcase_add_test(cases, without_a_replay_cache_only_the_first_record_tells);
    tcase_add_test(cases, replay_cache_that_cannot_be_written_is_named);
    tcase_add_test(cases, delegation_is_neither_requested_nor_kept);
    tcase_add_test(cases, clock_skew_is_named_on_both_sides);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
