/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The measure for kerbwrap's channels: gss_wrap and gss_unwrap as they are, on
 * a context pair made by the library's own ways of finding credentials.
 */
#include "seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>

enum {
    FLAGS = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |
            GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG,
};

struct bare {
    struct sealer sealer; /* first */
    gss_ctx_id_t initiator, acceptor;
};

static void
check(OM_uint32 major, OM_uint32 wanted, OM_uint32 minor, const char *what)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 ignored, more = 0;
    char reason[200];

    if (major == wanted)
        return;
    gss_display_status(&ignored, minor, GSS_C_MECH_CODE, (gss_OID)gss_mech_krb5,
                       &more, &text);
    snprintf(reason, sizeof reason, "%.*s", (int)text.length,
             (const char *)text.value);
    die(what, reason);
}

/* Where the library looks for credentials when it is told nothing. */
static void
point_environment(const struct seal_parties *parties)
{
    if (setenv("KRB5CCNAME", "MEMORY:seal", 1) != 0 ||
        setenv("KRB5_CLIENT_KTNAME", parties->keytab, 1) != 0 ||
        setenv("KRB5_KTNAME", parties->target_keytab, 1) != 0)
        die("set the environment", "out of memory");
}

static void
establish(struct bare *bare, gss_name_t target)
{
    gss_buffer_desc request = GSS_C_EMPTY_BUFFER, answer = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc none = GSS_C_EMPTY_BUFFER;
    OM_uint32 major, minor, ignored;

    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &bare->initiator,
                                 target, (gss_OID)gss_mech_krb5, FLAGS, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER,
                                 NULL, &request, NULL, NULL);
    check(major, GSS_S_CONTINUE_NEEDED, minor, "ask to authenticate");
    major = gss_accept_sec_context(&minor, &bare->acceptor, GSS_C_NO_CREDENTIAL,
                                   &request, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                   NULL, &answer, NULL, NULL, NULL);
    check(major, GSS_S_COMPLETE, minor, "accept");
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &bare->initiator,
                                 target, (gss_OID)gss_mech_krb5, FLAGS, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, &answer, NULL,
                                 &none, NULL, NULL);
    check(major, GSS_S_COMPLETE, minor, "authenticate");
    gss_release_buffer(&ignored, &request);
    gss_release_buffer(&ignored, &answer);
}

static void
carry_one(struct bare *bare, gss_buffer_t plain, struct seal_cost *cost)
{
    gss_buffer_desc token, opened;
    OM_uint32 major, minor;
    int sealed;
    uint64_t begun = processor_ns();

    major = gss_wrap(&minor, bare->initiator, 1, GSS_C_QOP_DEFAULT, plain,
                     &sealed, &token);
    check(major, GSS_S_COMPLETE, minor, "wrap");
    uint64_t wrapped = processor_ns();
    major = gss_unwrap(&minor, bare->acceptor, &token, &opened, &sealed, NULL);
    check(major, GSS_S_COMPLETE, minor, "unwrap");
    cost->seal_ns += wrapped - begun;
    gss_release_buffer(&minor, &opened);
    cost->unseal_ns += processor_ns() - wrapped;
    gss_release_buffer(&minor, &token);
}

static void
carry(struct sealer *sealer, size_t size, size_t count, struct seal_cost *cost)
{
    static uint8_t bytes[64 * 1024];
    gss_buffer_desc plain = {size, bytes};

    if (size > sizeof bytes)
        die("wrap", "too large a record");
    for (size_t i = 0; i < count; i++)
        carry_one((struct bare *)sealer, &plain, cost);
}

struct sealer *
sealer_bare(const struct seal_parties *parties)
{
    static struct bare bare = {
        .sealer = {.name = "gss_wrap", .carry = carry},
    };
    gss_buffer_desc text = {strlen(parties->target),
                            (void *)(uintptr_t)parties->target};
    gss_name_t target;
    OM_uint32 major, minor;

    point_environment(parties);
    major = gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &target);
    check(major, GSS_S_COMPLETE, minor, "import the name");
    establish(&bare, target);
    gss_release_name(&minor, &target);
    return &bare.sealer;
}
