/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The realm of a target is settled here, from krb5.conf alone: libkrb5's own
 * way may ask DNS, which is neither quick nor to be trusted with it.
 */
#include "gss/target.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gssapi/gssapi_krb5.h>
#include <profile.h>

#include "gss/reason.h"

enum {
    HOST_SIZE = 256
};

void
lane_of_realm(const krb5_data *realm, char *lane, size_t size)
{
    snprintf(lane, size, "kdc %.*s", (int)realm->length, realm->data);
}

/* The second component without its port, in lower case; "" if there is none. */
static void
host_of(krb5_const_principal server, char host[HOST_SIZE])
{
    size_t length = 0;

    if (server->length >= 2 && server->data[1].length < HOST_SIZE) {
        const krb5_data *part = &server->data[1];

        while (length < part->length && part->data[length] != ':') {
            host[length] = (char)tolower((unsigned char)part->data[length]);
            length++;
        }
    }
    host[length] = '\0';
}

/* h.example.test, .example.test, example.test, .test, test: the first that
 * krb5.conf maps.  The result is profile_release_string'ed. */
static char *
mapped_realm(krb5_context context, const char *host)
{
    struct _profile_t *profile;
    char *realm = NULL;

    if (krb5_get_profile(context, &profile) != 0)
        return NULL;
    while (host != NULL && *host != '\0' && realm == NULL) {
        if (profile_get_string(profile, "domain_realm", host, NULL, NULL,
                               &realm) != 0)
            realm = NULL;
        host = *host == '.' ? host + 1 : strchr(host, '.');
    }
    profile_release(profile);
    return realm;
}

static krb5_error_code
give_realm(krb5_context context, krb5_principal server,
           krb5_const_principal client)
{
    char host[HOST_SIZE], *realm;
    krb5_error_code code;

    host_of(server, host);
    realm = mapped_realm(context, host);
    if (realm == NULL)
        return krb5_set_principal_realm(context, server, client->realm.data);
    code = krb5_set_principal_realm(context, server, realm);
    profile_release_string(realm);
    return code;
}

/* Does the name end in '@' with nothing after it? */
static bool
leaves_realm_to_kdc(const char *asked)
{
    size_t length = strlen(asked), escapes = 0;

    if (length == 0 || asked[length - 1] != '@')
        return false;
    while (escapes < length - 1 && asked[length - 2 - escapes] == '\\')
        escapes++;
    return escapes % 2 == 0;
}

static krb5_error_code
parse(krb5_context context, struct target *target, krb5_const_principal client)
{
    krb5_error_code code;
    char *text;

    code = krb5_parse_name_flags(context, target->asked,
                                 KRB5_PRINCIPAL_PARSE_NO_DEF_REALM,
                                 &target->server);
    if (code == 0 && target->server->realm.length == 0 &&
        !leaves_realm_to_kdc(target->asked))
        code = give_realm(context, target->server, client);
    if (code == 0)
        code = krb5_unparse_name(context, target->server, &text);
    if (code == 0) {
        target->text = strdup(text);
        krb5_free_unparsed_name(context, text);
        if (target->text == NULL)
            code = ENOMEM;
    }
    return code;
}

/* A name of the mechanism itself, so that no step imports it again. */
static OM_uint32
import(const char *text, OM_uint32 *minor, gss_name_t *name_out)
{
    gss_buffer_desc buffer = {strlen(text), (char *)text};
    gss_name_t raw = GSS_C_NO_NAME;
    OM_uint32 major, ignored;

    major = gss_import_name(minor, &buffer, GSS_KRB5_NT_PRINCIPAL_NAME, &raw);
    if (major == GSS_S_COMPLETE)
        major = gss_canonicalize_name(minor, raw, (gss_OID)gss_mech_krb5,
                                      name_out);
    gss_release_name(&ignored, &raw);
    return major;
}

bool
target_new(krb5_context context, const char *asked, krb5_const_principal client,
           struct target **target_out, struct error *err)
{
    struct target *target = calloc(1, sizeof *target);
    OM_uint32 major, minor;
    krb5_error_code code;

    if (target == NULL || (target->asked = strdup(asked)) == NULL) {
        error_set(err, "cannot use service name %s: out of memory", asked);
        free(target);
        return false;
    }
    flight_init(&target->flight);
    code = parse(context, target, client);
    if (code != 0) {
        reason_krb5(err, REASON_TICKET, context, code,
                    "cannot use service name %s", asked);
        target_free(context, target);
        return false;
    }
    major = import(target->text, &minor, &target->name);
    if (major != GSS_S_COMPLETE) {
        reason_gss(err, REASON_TICKET, major, minor,
                   "cannot use service name %s", asked);
        target_free(context, target);
        return false;
    }
    const krb5_data *realm = &target->server->realm;
    lane_of_realm(realm->length != 0 ? realm : &client->realm, target->lane,
                  sizeof target->lane);
    *target_out = target;
    return true;
}

void
target_free(krb5_context context, struct target *target)
{
    OM_uint32 ignored;

    if (target == NULL)
        return;
    flight_clear(&target->flight);
    gss_release_name(&ignored, &target->name);
    krb5_free_principal(context, target->server);
    free(target->text);
    free(target->asked);
    free(target);
}
