/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session of libldap: connecting and binding.  Every option is set here: no
 * ldap.conf, no environment, no referral decides anything.  What the server
 * sends is bounded by libldap's reader and by entry.c before we look at it.
 */
#include "directory/ldapclient_parts.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <lber.h>
#include <sasl/sasl.h>

#include "base/text.h"
#include "directory/host.h"
#include "gss/bind.h"

enum {
    INCOMING_MAX = 16 * 1024 * 1024, /* bytes of one message */
    /* What AES has and RC4 and DES have not, as MIT krb5 tells SASL. */
    STRENGTH_MIN = 128,
    STRENGTH_MAX = 256,
};

/* The time libldap is given does not bound a read that it has begun. */
static int
on_connected(LDAP *session, Sockbuf *buffer, LDAPURLDesc *url,
             struct sockaddr *address, struct ldap_conncb *hooks)
{
    const struct ldapclient *client = hooks->lc_arg;
    int fd = -1;

    (void)session;
    (void)url;
    (void)address;
    if (ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &fd) == 1) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &client->patience,
                   sizeof client->patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &client->patience,
                   sizeof client->patience);
    }
    return 0;
}

static void
on_closed(LDAP *session, Sockbuf *buffer, struct ldap_conncb *hooks)
{
    (void)session;
    (void)buffer;
    (void)hooks;
}

bool
ldapclient_init(struct error *err)
{
    char **mechanisms = NULL;

    /* Asking for the list makes libldap initialise itself and SASL now. */
    if (setenv("LDAPNOINIT", "1", 1) != 0 ||
        ldap_get_option(NULL, LDAP_OPT_X_SASL_MECHLIST, &mechanisms) !=
            LDAP_OPT_SUCCESS) {
        error_set(err, "cannot initialise the LDAP library");
        return false;
    }
    return true;
}

static bool
has_gssapi(void)
{
    char **mechanisms = NULL;

    if (ldap_get_option(NULL, LDAP_OPT_X_SASL_MECHLIST, &mechanisms) !=
        LDAP_OPT_SUCCESS)
        return false;
    for (; mechanisms != NULL && *mechanisms != NULL; mechanisms++) {
        if (strcmp(*mechanisms, "GSSAPI") == 0)
            return true;
    }
    return false;
}

void
ldapclient_explain(struct ldapclient *client, int code, const char *deed,
                   struct error *err)
{
    char *words = NULL;
    char shown[300] = "";

    ldap_get_option(client->session, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
    if (words != NULL && *words != '\0')
        text_sanitize(words, strlen(words), shown, sizeof shown);
    error_set(err, "cannot %s %s: %s%s%s%s", deed, client->uri,
              ldap_err2string(code), *shown == '\0' ? "" : " (", shown,
              *shown == '\0' ? "" : ")");
    ldap_memfree(words);
}

enum directory_status
ldapclient_status(int code)
{
    switch (code) {
    case LDAP_SUCCESS:
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_PARTIAL_RESULTS: /* the rest is behind referrals */
        return DIRECTORY_ANSWERED;
    case LDAP_SERVER_DOWN:
    case LDAP_TIMEOUT:
    case LDAP_CONNECT_ERROR:
    case LDAP_DECODING_ERROR:
    case LDAP_UNAVAILABLE:
    case LDAP_BUSY:
        return DIRECTORY_LOST;
    default:
        return DIRECTORY_REFUSED;
    }
}

static bool
set_options(struct ldapclient *client)
{
    static const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
    static const int unlimited = LDAP_NO_LIMIT;
    static const ber_len_t strength_min = STRENGTH_MIN;
    static const ber_len_t strength_max = STRENGTH_MAX;
    ber_len_t incoming_max = INCOMING_MAX;
    Sockbuf *buffer = NULL;
    const struct {
        int option;
        const void *value;
    } options[] = {
        {LDAP_OPT_PROTOCOL_VERSION, &version},
        {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
        {LDAP_OPT_DEREF, &deref},
        {LDAP_OPT_SIZELIMIT, &unlimited},
        {LDAP_OPT_TIMELIMIT, &unlimited},
        {LDAP_OPT_RESTART, LDAP_OPT_ON},
        {LDAP_OPT_NETWORK_TIMEOUT, &client->patience},
        {LDAP_OPT_TIMEOUT, &client->patience},
        {LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON},
        {LDAP_OPT_X_SASL_SECPROPS, "noanonymous,noplain"},
        {LDAP_OPT_X_SASL_SSF_MIN, &strength_min},
        {LDAP_OPT_X_SASL_SSF_MAX, &strength_max},
        {LDAP_OPT_CONNECT_CB, &client->hooks},
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (ldap_set_option(client->session, options[i].option,
                            options[i].value) != LDAP_OPT_SUCCESS)
            return false;
    }
    return ldap_get_option(client->session, LDAP_OPT_SOCKBUF, &buffer) ==
               LDAP_OPT_SUCCESS &&
           ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING,
                            &incoming_max) == 1;
}

static struct ldapclient *
client_new(const char *uri, unsigned timeout_ms, struct error *err)
{
    struct ldapclient *client = calloc(1, sizeof *client);

    if (client == NULL || (client->uri = strdup(uri)) == NULL) {
        free(client);
        error_set(err, "cannot use directory server %s: out of memory", uri);
        return NULL;
    }
    client->patience.tv_sec = timeout_ms / 1000;
    client->patience.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000;
    client->hooks = (struct ldap_conncb){
        .lc_add = on_connected, .lc_del = on_closed, .lc_arg = client};
    int code = ldap_initialize(&client->session, uri);
    if (code != LDAP_SUCCESS) {
        client->session = NULL;
        error_set(err, "cannot use directory server %s: %s", uri,
                  ldap_err2string(code));
    } else if (set_options(client)) {
        return client;
    } else {
        error_set(err,
                  "cannot use directory server %s: the LDAP library "
                  "lacks an option",
                  uri);
    }
    ldapclient_close(client);
    return NULL;
}

/*
 * SASL asks for an authorisation identity (none: we act as ourselves) before it
 * begins.  Only then does a context exist that can be told which credential to
 * use.
 */
static int
on_interaction(LDAP *session, unsigned flags, void *handle, void *questions)
{
    (void)flags;
    if (ldap_set_option(session, LDAP_OPT_X_SASL_GSS_CREDS, handle) !=
        LDAP_OPT_SUCCESS)
        return LDAP_LOCAL_ERROR;
    for (sasl_interact_t *question = questions;
         question->id != SASL_CB_LIST_END; question++) {
        question->result = "";
        question->len = 0;
    }
    return LDAP_SUCCESS;
}

/* Bound, but is it as us, and sealed? */
static bool
is_as_required(struct ldapclient *client, const char *name, struct error *err)
{
    ber_len_t strength = 0;
    char *user = NULL;

    ldap_get_option(client->session, LDAP_OPT_X_SASL_SSF, &strength);
    ldap_get_option(client->session, LDAP_OPT_X_SASL_USERNAME, &user);
    bool ours = user != NULL && strcmp(user, name) == 0;
    if (!ours)
        error_set(err, "cannot authenticate to %s: SASL did not act as %s",
                  client->uri, name);
    else if (strength < STRENGTH_MIN)
        error_set(err,
                  "cannot authenticate to %s: the connection is not sealed "
                  "with AES",
                  client->uri);
    ldap_memfree(user);
    return ours && strength >= STRENGTH_MIN;
}

static enum directory_status
bind_as(struct ldapclient *client, struct credential *credential,
        struct error *err)
{
    struct bind_lease *lease;

    if (!has_gssapi()) {
        error_set(err,
                  "cannot authenticate to %s: SASL has no GSSAPI here; "
                  "install libsasl2-modules-gssapi-mit",
                  client->uri);
        return DIRECTORY_REFUSED;
    }
    if (!bind_lease_take(credential, &lease, err))
        return DIRECTORY_REFUSED;
    int code = ldap_sasl_interactive_bind_s(
        client->session, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET,
        on_interaction, bind_lease_handle(lease));
    bind_lease_return(lease);
    if (code != LDAP_SUCCESS) {
        ldapclient_explain(client, code, "authenticate to", err);
        return ldapclient_status(code) == DIRECTORY_LOST ? DIRECTORY_LOST
                                                         : DIRECTORY_REFUSED;
    }
    return is_as_required(client, credential_name(credential), err)
               ? DIRECTORY_ANSWERED
               : DIRECTORY_REFUSED;
}

enum directory_status
ldapclient_open(const char *uri, struct credential *credential,
                unsigned timeout_ms, struct ldapclient **client_out,
                struct error *err)
{
    char host[HOST_SIZE];

    if (!ldapclient_uri_host(uri, host, sizeof host, err))
        return DIRECTORY_REFUSED;
    struct ldapclient *client = client_new(uri, timeout_ms, err);
    if (client == NULL)
        return DIRECTORY_REFUSED;
    enum directory_status status = bind_as(client, credential, err);
    if (status == DIRECTORY_ANSWERED)
        *client_out = client;
    else
        ldapclient_close(client);
    return status;
}

void
ldapclient_close(struct ldapclient *client)
{
    if (client == NULL)
        return;
    if (client->session != NULL)
        ldap_unbind_ext_s(client->session, NULL, NULL);
    free(client->uri);
    free(client);
}
