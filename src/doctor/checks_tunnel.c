/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from a client to a server sidecar: name, ticket, connection,
 * handshake; and the same from a server to its own listener. */
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "doctor/checks.h"
#include "doctor/trial.h"

enum {
    ADDRESSES_MAX = 8,
};

/* --- names --------------------------------------------------------------- */

/* What the name service calls the address, which kerbwrap never asks. */
static void
describe_reverse(const struct address *address, char *text, size_t size)
{
    char name[NI_MAXHOST], safe[HOST_SIZE];

    if (getnameinfo((const struct sockaddr *)&address->storage, address->length,
                    name, sizeof name, NULL, 0, NI_NAMEREQD) == 0)
        snprintf(text, size, "which is called %s",
                 text_sanitize(name, strlen(name), safe, sizeof safe));
    else
        snprintf(text, size, "which has no name in turn");
}

/* "10.0.0.1", without the port. */
static void
describe_host(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    if (getnameinfo((const struct sockaddr *)&address->storage, address->length,
                    text, ADDRESS_TEXT_SIZE, NULL, 0, NI_NUMERICHOST) != 0)
        address_format(address, text, ADDRESS_TEXT_SIZE);
}

static bool
look_up(struct visit *visit, const struct endpoint *endpoint, struct error *err)
{
    struct address addresses[ADDRESSES_MAX];
    char shown[ADDRESS_TEXT_SIZE], reverse[HOST_SIZE + 32];
    size_t count;

    if (endpoint_literal(endpoint, &addresses[0])) {
        visit_ok(visit, "%s is an address, no name", endpoint->host);
        return true;
    }
    if (!endpoint_resolve(endpoint, addresses, ADDRESSES_MAX, &count, err))
        return false;
    describe_host(&addresses[0], shown);
    describe_reverse(&addresses[0], reverse, sizeof reverse);
    visit_ok(visit, "%s has the address %s%s, %s", endpoint->host, shown,
             count > 1 ? " and others" : "", reverse);
    return true;
}

void
examine_name(struct visit *visit)
{
    struct error error;

    if (visit->server->endpoint.kind == ENDPOINT_TCP &&
        !look_up(visit, &visit->server->endpoint, &error))
        visit_fail(visit, NULL, "%s", error.text);
}

bool
has_published_name(const struct patient *patient)
{
    const struct service_settings *service = patient->service;

    return service->dns_name_type == DNS_NAME_A &&
           (service->publish || *service->dns_name != '\0');
}

void
examine_own_name(struct visit *visit)
{
    const char *set = visit->patient->service->dns_name;
    struct endpoint endpoint = {.kind = ENDPOINT_TCP, .port = 1};
    char own[HOST_SIZE];
    struct error error;

    name_this_machine(visit->patient, own);
    snprintf(endpoint.host, sizeof endpoint.host, "%s",
             *set != '\0' ? set : own);
    if (!look_up(visit, &endpoint, &error))
        visit_fail(visit, NULL, "clients are told to dial %s, and cannot: %s",
                   endpoint.host, error.text);
}

/* --- tickets ------------------------------------------------------------- */

void
examine_ticket(struct visit *visit)
{
    const char *spn = visit->server->spn;
    struct ticket_view ticket;
    struct error error;

    if (!credential_ticket(visit->patient->credential, spn, &ticket, &error))
        visit_fail(visit, NULL, "%s", error.text);
    else if (enctype_aes_name(ticket.enctype) == NULL)
        visit_fail(visit,
                   "give the service's account AES keys "
                   "(msDS-SupportedEncryptionTypes 24), and export its keytab "
                   "again",
                   "the KDC seals tickets for %s with %s, only AES is allowed",
                   spn, ticket.enctype_name);
    else
        visit_ok(visit,
                 "the KDC of %s gives one for %s, sealed with key "
                 "number %" PRIu32 " (%s)",
                 ticket.realm, spn, ticket.kvno, ticket.enctype_name);
}

/* --- connection and handshake -------------------------------------------- */

void
examine_reach(struct visit *visit)
{
    char where[ENDPOINT_TEXT_SIZE];
    struct error error;
    int fd = trial_connect(&visit->server->endpoint, visit->patience_ms,
                           &error);

    endpoint_format(&visit->server->endpoint, where, sizeof where);
    if (fd < 0) {
        visit_fail(visit, NULL, "the server %s cannot be reached: %s", where,
                   error.text);
        return;
    }
    socket_close(fd);
    visit_ok(visit, "%s takes connections", where);
}

static void
shake_hands(struct visit *visit, const struct endpoint *endpoint,
            const char *spn)
{
    const struct patient *patient = visit->patient;
    const struct trial_settings trial = {
        .service = patient->service,
        .credential = patient->credential,
        .endpoint = endpoint,
        .spn = spn,
        .ms = visit->patience_ms,
    };
    char where[ENDPOINT_TEXT_SIZE], proof[TRIAL_PROOF_SIZE];
    struct error error;

    endpoint_format(endpoint, where, sizeof where);
    if (trial_handshake(&trial, proof, &visit->stuck, &error))
        visit_ok(visit, "%s", proof);
    else
        visit_fail(visit, NULL, "with %s at %s: %s", spn, where, error.text);
}

void
examine_handshake(struct visit *visit)
{
    shake_hands(visit, &visit->server->endpoint, visit->server->spn);
}

/* Where a listener at endpoint can be reached from here. */
static struct endpoint
reachable(const struct endpoint *listener)
{
    struct endpoint endpoint = *listener;

    if (strcmp(endpoint.host, "0.0.0.0") == 0)
        strcpy(endpoint.host, "127.0.0.1");
    else if (strcmp(endpoint.host, "::") == 0)
        strcpy(endpoint.host, "::1");
    return endpoint;
}

void
examine_own_handshake(struct visit *visit)
{
    const struct patient *patient = visit->patient;
    const struct endpoint endpoint = reachable(&patient->service->accept);

    if (endpoint.kind == ENDPOINT_TCP && endpoint.port == 0)
        visit_skip(visit, "not tried, because `accept` takes another port at "
                          "each start");
    else if (!patient->is_running)
        visit_skip(visit, "not tried, because kerbwrap does not run here");
    else if (patient->sound_name[0] == '\0')
        visit_skip(visit, "not tried, because of `key`");
    else
        shake_hands(visit, &endpoint, patient->sound_name);
}
