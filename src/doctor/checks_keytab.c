/* SPDX-License-Identifier: BSD-2-Clause */
/* A server's keytab: what is in it, and whether it opens what clients bring. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/checks.h"
#include "gss/context.h"

enum {
    LIST_SIZE = 400
};

/* --- what is in it ------------------------------------------------------- */

static bool
is_repeated(const struct keytab_keys *keys, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcasecmp(keys->items[i].name, keys->items[index].name) == 0)
            return true;
    return false;
}

/* "web1$ (number 2), host/web1 (number 2)", cut with "..." */
static void
list_keys(const struct keytab_keys *keys, char list[LIST_SIZE])
{
    size_t length = 0;

    list[0] = '\0';
    for (size_t i = 0; i < keys->count; i++) {
        if (is_repeated(keys, i))
            continue;
        int added = snprintf(
            list + length, LIST_SIZE - length, "%s%s (number %" PRIu32 ")",
            length > 0 ? ", " : "", keys->items[i].name, keys->items[i].kvno);
        if (added < 0 || (size_t)added >= LIST_SIZE - length - sizeof ", ...") {
            strcpy(list + length, length > 0 ? ", ..." : "...");
            return;
        }
        length += (size_t)added;
    }
}

void
examine_keytab(struct visit *visit)
{
    struct patient *patient = visit->patient;
    const char *path = patient->service->keytab;
    const struct acceptor_settings settings = {.keytab = path};
    struct credential *acceptor;
    char list[LIST_SIZE];
    struct stat found;
    struct error error;

    if (!credential_new_acceptor(&settings, NO_WORKERS, &acceptor, &error)) {
        visit_fail(visit, NULL, "%s", error.text);
        return;
    }
    credential_release(acceptor);
    if (!keytab_read(path, &patient->keys, &error)) {
        visit_fail(visit, NULL, "%s", error.text);
        return;
    }
    snprintf(patient->realm, sizeof patient->realm, "%s",
             patient->keys.items[0].realm);
    list_keys(&patient->keys, list);
    visit_ok(visit, "%s holds keys of %s in %s", path, list, patient->realm);
    if (stat(path, &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH)) != 0)
        visit_warn(visit, "take away the others' rights: chmod o-rwx",
                   "everybody on this machine may %s %s",
                   (found.st_mode & S_IROTH) != 0 ? "read" : "write", path);
}

/* --- names --------------------------------------------------------------- */

void
name_this_machine(const struct patient *patient, char name[HOST_SIZE])
{
    const char *domain = patient->settings->config->directory.domain;
    const char *dot;
    char own[HOST_SIZE / 2] = "localhost";

    (void)gethostname(own, sizeof own - 1);
    dot = strchr(own, '.') != NULL || domain == NULL || *domain == '\0' ? ""
                                                                        : ".";
    int length = snprintf(name, HOST_SIZE, "%s%s%s", own, dot,
                          *dot != '\0' ? domain : "");
    if (length >= HOST_SIZE)
        name[0] = '\0';
}

static bool
is_named(const struct patient *patient, const char *name)
{
    for (size_t i = 0; i < patient->name_count; i++)
        if (strcasecmp(patient->names[i], name) == 0)
            return true;
    return false;
}

static void
add_name(struct patient *patient, const char *name)
{
    if (patient->name_count == NAMES_MAX || is_named(patient, name))
        return;
    snprintf(patient->names[patient->name_count++], SPN_SIZE, "%s", name);
}

/* Those of spn, else those of service_class in the keytab. */
static void
take_names(struct patient *patient)
{
    const struct service_settings *service = patient->service;
    size_t length = strlen(service->service_class);

    for (size_t i = 0; i < service->spn.count; i++)
        add_name(patient, service->spn.items[i]);
    for (size_t i = 0; i < patient->keys.count && service->spn.count == 0;
         i++) {
        const char *name = patient->keys.items[i].name;
        if (length > 0 &&
            strncasecmp(name, service->service_class, length) == 0 &&
            name[length] == '/')
            add_name(patient, name);
    }
}

/* A directory's account has one key for all its names. */
static bool
has_account_key(const struct keytab_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strchr(keys->items[i].name, '/') == NULL)
            return true;
    return false;
}

static void
guess_name(struct patient *patient)
{
    const struct service_settings *service = patient->service;
    char host[HOST_SIZE], name[SPN_SIZE];

    name_this_machine(patient, host);
    if (*service->dns_name != '\0')
        snprintf(host, sizeof host, "%s", service->dns_name);
    if (!spn_make(service->service_class, host, 0, NULL, name, NULL))
        return;
    add_name(patient, name);
    patient->names_are_guessed = true;
}

static bool
keytab_serves(const struct keytab_keys *keys, const char *name)
{
    char bare[SPN_SIZE];

    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(name, "@"), name);
    return has_account_key(keys) || keytab_has(keys, bare);
}

void
examine_names(struct visit *visit)
{
    struct patient *patient = visit->patient;
    char list[LIST_SIZE];
    bool sound = true;

    list_keys(&patient->keys, list);
    take_names(patient);
    if (patient->name_count == 0 && has_account_key(&patient->keys))
        guess_name(patient);
    if (patient->name_count == 0) {
        visit_fail(visit, NULL,
                   "the keytab holds no key of a name of service_class %s: it "
                   "has %s",
                   patient->service->service_class, list);
        return;
    }
    for (size_t i = 0; i < patient->name_count; i++) {
        if (keytab_serves(&patient->keys, patient->names[i]))
            continue;
        sound = false;
        visit_fail(visit, NULL, "the keytab holds no key of %s: it has %s",
                   patient->names[i], list);
    }
    if (sound && patient->names_are_guessed)
        visit_ok(visit, "clients may ask for %s, if this machine is called so",
                 patient->names[0]);
    else if (sound)
        visit_ok(visit, "clients may ask for %s%s", patient->names[0],
                 patient->name_count > 1 ? " and others" : "");
}

/* --- does it open what clients bring? ------------------------------------ */

/* The newest key for name, by its own or the account's: there is one, as the
 * row before this one saw. */
static const struct keytab_key *
newest_key(const struct keytab_keys *keys, const char *name)
{
    const struct keytab_key *newest = NULL;

    for (size_t i = 0; i < keys->count; i++) {
        const struct keytab_key *key = &keys->items[i];
        if ((strchr(key->name, '/') == NULL ||
             strcasecmp(key->name, name) == 0) &&
            (newest == NULL || key->kvno > newest->kvno ||
             strcasecmp(key->name, name) == 0))
            newest = key;
    }
    return newest;
}

static bool
has_number_and_type(const struct keytab_keys *keys,
                    const struct ticket_view *ticket)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].kvno == ticket->kvno &&
            keys->items[i].enctype == ticket->enctype)
            return true;
    return false;
}

static void
explain_key(struct visit *visit, const char *name,
            const struct ticket_view *ticket, const struct error *error)
{
    const struct keytab_keys *keys = &visit->patient->keys;
    const struct keytab_key *newest = newest_key(keys, name);

    assert(newest != NULL);
    if (newest->kvno != ticket->kvno)
        visit_fail(visit, NULL,
                   "the KDC seals tickets for %s with key number %" PRIu32
                   ", the keytab has number %" PRIu32 " of %s",
                   name, ticket->kvno, newest->kvno, newest->name);
    else if (!has_number_and_type(keys, ticket))
        visit_fail(visit, NULL,
                   "the KDC seals tickets for %s with a key of type %s, the "
                   "keytab has none of that type",
                   name, ticket->enctype_name);
    else
        visit_fail(visit, NULL,
                   "the keytab's key does not open tickets for %s, although "
                   "its number %" PRIu32 " is the KDC's: it belongs to "
                   "another account or an older password (%s)",
                   name, ticket->kvno, error->text);
}

/* One AP-REQ from us to us, in memory. */
static bool
opens(struct credential *asker, struct credential *keytab, const char *name,
      struct error *err)
{
    struct context *initiator = context_new_initiator(asker, name, err);
    struct context *acceptor = context_new_acceptor(keytab, err);
    struct context_output request = {.token = NULL}, reply = {.token = NULL};
    bool ok = false;

    if (initiator != NULL && acceptor != NULL) {
        ok = initiator->ops->step(initiator, NULL, 0, &request) ==
             CONTEXT_CONTINUE;
        if (!ok)
            *err = request.error;
    }
    if (ok) {
        ok = acceptor->ops->step(acceptor, request.token, request.token_size,
                                 &reply) == CONTEXT_DONE;
        if (!ok)
            *err = reply.error;
    }
    free(request.token);
    free(reply.token);
    context_free(initiator);
    context_free(acceptor);
    return ok;
}

static void
try_name(struct visit *visit, struct credential *keytab, const char *name)
{
    struct patient *patient = visit->patient;
    struct ticket_view ticket;
    struct error error;

    if (!credential_ticket(patient->credential, name, &ticket, &error)) {
        const char *advice = "register the name (kerbwrap publish, setspn -S, "
                             "addprinc), or correct spn and service_class";
        if (patient->names_are_guessed)
            visit_warn(visit, advice, "%s", error.text);
        else
            visit_fail(visit, advice, "%s", error.text);
    } else if (enctype_aes_name(ticket.enctype) == NULL) {
        visit_fail(visit,
                   "give the account AES keys (msDS-SupportedEncryptionTypes "
                   "24), and export its keytab again",
                   "the KDC seals tickets for %s with %s, only AES is allowed",
                   name, ticket.enctype_name);
    } else if (opens(patient->credential, keytab, name, &error)) {
        if (patient->sound_name[0] == '\0')
            snprintf(patient->sound_name, sizeof patient->sound_name, "%s",
                     name);
        visit_ok(visit,
                 "opens a ticket for %s, which is sealed with key number "
                 "%" PRIu32 " (%s)",
                 name, ticket.kvno, ticket.enctype_name);
    } else {
        explain_key(visit, name, &ticket, &error);
    }
}

void
examine_keys(struct visit *visit)
{
    struct patient *patient = visit->patient;
    const struct acceptor_settings settings = {
        .keytab = patient->service->keytab};
    struct credential *keytab;
    struct error error;

    if (!credential_new_acceptor(&settings, NO_WORKERS, &keytab, &error)) {
        visit_fail(visit, NULL, "%s", error.text);
        return;
    }
    for (size_t i = 0; i < patient->name_count; i++)
        try_name(visit, keytab, patient->names[i]);
    credential_release(keytab);
}
