/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libldap, and the only file that includes it.  Every option is set here: no
 * ldap.conf, no environment, no referral decides anything.  What the server
 * sends is bounded by libldap's reader and by entry.c before we look at it.
 */
#include "directory/ldapclient.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <lber.h>
#include <ldap.h>
#include <sasl/sasl.h>

#include "base/text.h"
#include "directory/host.h"
#include "gss/bind.h"

enum {
    PAGE_SIZE = 500,
    PAGES_MAX = 200,
    INCOMING_MAX = 16 * 1024 * 1024, /* bytes of one message */
    /* What AES has and RC4 and DES have not, as MIT krb5 tells SASL. */
    STRENGTH_MIN = 128,
    STRENGTH_MAX = 256,
};

/* Values that are there, or gone, already are no error (MS-ADTS 3.1.1.3.4.1.8). */
#define PERMISSIVE_MODIFY "1.2.840.113556.1.4.1413"

struct ldapclient {
    LDAP *session;            /* owned */
    char *uri;                /* owned */
    struct timeval patience;  /* with one exchange */
    struct ldap_conncb hooks; /* session's, until it is closed */
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

/* The sentence for code, with the server's own words when it sent some. */
static void
explain(struct ldapclient *client, int code, const char *deed,
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

static enum directory_status
status_of(int code)
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
        explain(client, code, "authenticate to", err);
        return status_of(code) == DIRECTORY_LOST ? DIRECTORY_LOST
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

static bool
copy_attribute(LDAP *session, LDAPMessage *message, const char *name,
               struct entry *entry, struct error *err)
{
    struct berval **values = ldap_get_values_len(session, message, name);
    bool sound = true;

    for (size_t i = 0; sound && values != NULL && values[i] != NULL; i++)
        sound = entry_add(entry, name, values[i]->bv_val, values[i]->bv_len,
                          err);
    ldap_value_free_len(values);
    return sound;
}

/* Entries that break a limit as a whole are left out; the others matter. */
static bool
copy_entry(LDAP *session, LDAPMessage *message, struct entry_list *list,
           struct error *err)
{
    char *dn = ldap_get_dn(session, message);
    BerElement *position = NULL;
    struct entry entry;

    bool usable = dn != NULL && entry_init(&entry, dn, NULL);
    ldap_memfree(dn);
    if (!usable) {
        list->cut = true;
        return true;
    }
    bool sound = true;
    for (char *name = ldap_first_attribute(session, message, &position);
         name != NULL; name = ldap_next_attribute(session, message, position)) {
        sound = sound && copy_attribute(session, message, name, &entry, err);
        ldap_memfree(name);
    }
    ber_free(position, 0);
    if (!sound) {
        entry_clear(&entry);
        return false;
    }
    return entry_list_take(list, &entry, err);
}

/* The cookie of the next page; as it is when there is none. */
static void
take_cookie(LDAP *session, LDAPMessage *result, struct berval *cookie)
{
    LDAPControl **controls = NULL;
    ber_int_t estimate;
    struct berval next = {.bv_len = 0};

    if (ldap_parse_result(session, result, NULL, NULL, NULL, NULL, &controls,
                          0) != LDAP_SUCCESS)
        return;
    LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls,
                                          NULL);
    if (page != NULL && ldap_parse_pageresponse_control(
                            session, page, &estimate, &next) == LDAP_SUCCESS)
        *cookie = next;
    ldap_controls_free(controls);
}

static enum directory_status
take_page(struct ldapclient *client, LDAPMessage *result, struct berval *cookie,
          struct entry_list *list, struct error *err)
{
    for (LDAPMessage *message = ldap_first_entry(client->session, result);
         message != NULL; message = ldap_next_entry(client->session, message)) {
        if (!copy_entry(client->session, message, list, err))
            return DIRECTORY_REFUSED;
    }
    take_cookie(client->session, result, cookie);
    return DIRECTORY_ANSWERED;
}

/* One page; cookie, owned by the caller, becomes that of the next. */
static enum directory_status
search_page(struct ldapclient *client, const struct search *search,
            struct berval *cookie, struct entry_list *list, struct error *err)
{
    bool whole_tree = search->scope == SEARCH_SUBTREE;
    LDAPControl *controls[2] = {NULL, NULL};
    LDAPMessage *result = NULL;
    int code = LDAP_SUCCESS;

    if (whole_tree)
        code = ldap_create_page_control(client->session, PAGE_SIZE, cookie, 0,
                                        &controls[0]);
    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){.bv_len = 0};
    if (code == LDAP_SUCCESS) {
        code = ldap_search_ext_s(client->session, search->base,
                                 whole_tree ? LDAP_SCOPE_SUBTREE
                                            : LDAP_SCOPE_BASE,
                                 search->filter, (char **)search->attributes, 0,
                                 controls, NULL, NULL, LDAP_NO_LIMIT, &result);
    }
    if (controls[0] != NULL)
        ldap_control_free(controls[0]);

    enum directory_status status = status_of(code);
    if (status != DIRECTORY_ANSWERED)
        explain(client, code, "search in", err);
    else if (result != NULL)
        status = take_page(client, result, cookie, list, err);
    ldap_msgfree(result);
    return status;
}

enum directory_status
ldapclient_search(struct ldapclient *client, const struct search *search,
                  struct entry_list *list, struct error *err)
{
    struct berval cookie = {.bv_len = 0};
    enum directory_status status;
    unsigned pages = 0;

    do {
        status = search_page(client, search, &cookie, list, err);
        pages++;
    } while (status == DIRECTORY_ANSWERED && cookie.bv_len != 0 && !list->cut &&
             pages < PAGES_MAX);
    if (cookie.bv_len != 0)
        list->cut = true;
    ber_memfree(cookie.bv_val);
    return status;
}

static enum write_status
write_status_of(int code)
{
    switch (code) {
    case LDAP_SUCCESS:
        return WRITE_DONE;
    case LDAP_INSUFFICIENT_ACCESS:
        return WRITE_DENIED;
    case LDAP_CONSTRAINT_VIOLATION:
        return WRITE_CONSTRAINT;
    case LDAP_ALREADY_EXISTS:
        return WRITE_EXISTS;
    case LDAP_NO_SUCH_OBJECT:
        return WRITE_ABSENT;
    default:
        return status_of(code) == DIRECTORY_LOST ? WRITE_LOST : WRITE_REFUSED;
    }
}

static enum write_status
wrote(struct ldapclient *client, int code, const char *deed, struct error *err)
{
    if (code != LDAP_SUCCESS)
        explain(client, code, deed, err);
    return write_status_of(code);
}

/* The same for libldap: mods has room for count and a NULL. */
static void
fill_mods(const struct change *changes, size_t count, LDAPMod *store,
          LDAPMod **mods)
{
    static const int kinds[] = {
        [CHANGE_ADD] = LDAP_MOD_ADD,
        [CHANGE_DELETE] = LDAP_MOD_DELETE,
        [CHANGE_REPLACE] = LDAP_MOD_REPLACE,
    };

    assert(count <= LDAPCLIENT_CHANGES_MAX);
    for (size_t i = 0; i < count; i++) {
        store[i] = (LDAPMod){
            .mod_op = kinds[changes[i].kind],
            .mod_type = (char *)changes[i].attribute,
            .mod_values = (char **)changes[i].values,
        };
        mods[i] = &store[i];
    }
    mods[count] = NULL;
}

enum write_status
ldapclient_add(struct ldapclient *client, const char *dn,
               const struct change *attributes, size_t count, struct error *err)
{
    LDAPMod store[LDAPCLIENT_CHANGES_MAX];
    LDAPMod *mods[LDAPCLIENT_CHANGES_MAX + 1];

    fill_mods(attributes, count, store, mods);
    return wrote(client, ldap_add_ext_s(client->session, dn, mods, NULL, NULL),
                 "create an object on", err);
}

enum write_status
ldapclient_modify(struct ldapclient *client, const char *dn,
                  const struct change *changes, size_t count, struct error *err)
{
    LDAPMod store[LDAPCLIENT_CHANGES_MAX];
    LDAPMod *mods[LDAPCLIENT_CHANGES_MAX + 1];
    LDAPControl permissive = {.ldctl_oid = (char *)PERMISSIVE_MODIFY};
    LDAPControl *controls[] = {&permissive, NULL};

    fill_mods(changes, count, store, mods);
    return wrote(client,
                 ldap_modify_ext_s(client->session, dn, mods, controls, NULL),
                 "change an object on", err);
}

enum write_status
ldapclient_remove(struct ldapclient *client, const char *dn, struct error *err)
{
    return wrote(client, ldap_delete_ext_s(client->session, dn, NULL, NULL),
                 "delete an object on", err);
}
