/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both sides judge with the same function, so that a mismatch is described in
 * the same words in both logs.
 */
#include "proxy/handshake_check.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "directory/spn.h"
#include "version.h"
#include "wire/frame.h"

static const char *
protection_name(enum protection protection)
{
    return protection == PROTECTION_SIGN ? "sign" : "seal";
}

void
hello_fill(struct hello *hello, const struct service_settings *service,
           const char *target, uint64_t connection_id)
{
    memset(hello, 0, sizeof *hello);
    hello->version_low = PROTOCOL_VERSION;
    hello->version_high = PROTOCOL_VERSION;
    hello->protection = service->protection;
    hello->max_plaintext = PLAINTEXT_MAX;
    hello->connection_id = connection_id;
    snprintf(hello->target, sizeof hello->target, "%s", target);
    snprintf(hello->label, sizeof hello->label, "%s", service->tunnel);
    snprintf(hello->agent, sizeof hello->agent, "kerbwrap/%s",
             KERBWRAP_VERSION);
}

static bool
target_is_ours(const char *target, const struct service_settings *service)
{
    return spn_is_ours(target, service->service_class,
                       (const char *const *)service->spn.items,
                       service->spn.count);
}

int
hello_check(const struct hello *theirs, const struct service_settings *service,
            struct error *err)
{
    char safe[MESSAGE_TARGET_MAX + 1];

    if (theirs->version_low > PROTOCOL_VERSION ||
        theirs->version_high < PROTOCOL_VERSION) {
        error_set(err,
                  "no common protocol version: the peer speaks %u to %u, this "
                  "side %d",
                  theirs->version_low, theirs->version_high, PROTOCOL_VERSION);
        return RESET_VERSION;
    }
    if (theirs->protection != service->protection) {
        error_set(err,
                  "protection differs: the peer is set to %s, this side to "
                  "%s; set `protection` alike at both ends",
                  protection_name(theirs->protection),
                  protection_name(service->protection));
        return RESET_PROTECTION;
    }
    if (strcmp(theirs->label, service->tunnel) != 0) {
        text_sanitize(theirs->label, strlen(theirs->label), safe, sizeof safe);
        error_set(err,
                  "tunnel labels differ: the peer has '%s', this side '%s'; "
                  "set `tunnel` alike at both ends",
                  safe, service->tunnel);
        return RESET_LABEL;
    }
    if (service->role == ROLE_SERVER &&
        !target_is_ours(theirs->target, service)) {
        text_sanitize(theirs->target, strlen(theirs->target), safe,
                      sizeof safe);
        error_set(err,
                  "the client asked for '%s', which is not a name of this "
                  "service; see `service_class` and `spn`",
                  safe);
        return RESET_TARGET;
    }
    return 0;
}

int
hello_take(const struct unseal_record *record,
           const struct service_settings *service, struct hello *theirs,
           struct error *err)
{
    if (record->plain[0] != MESSAGE_HELLO || !record->confidential) {
        error_set(err, "the peer broke the protocol: %s%s in place of HELLO",
                  record->confidential ? "" : "unencrypted ",
                  message_name(record->plain[0]));
        return RESET_PROTOCOL;
    }
    if (!hello_parse(record->plain, record->plain_size, theirs, err))
        return RESET_PROTOCOL;
    return hello_check(theirs, service, err);
}

bool
ready_check(const struct unseal_record *record,
            const struct service_settings *service, struct error *err)
{
    bool sealed = service->protection == PROTECTION_SEAL;

    if (record->plain[0] == MESSAGE_READY && record->plain_size == 1 &&
        record->confidential == sealed)
        return true;
    error_set(err, "the peer broke the protocol: %s in place of READY",
              message_name(record->plain[0]));
    return false;
}

bool
reset_take(const struct unseal_record *record,
           const struct service_settings *service, struct reset *reset,
           struct error *said)
{
    char safe[MESSAGE_SENTENCE_MAX + 1];

    if (!reset_parse(record->plain, record->plain_size, reset, said))
        return false;
    text_sanitize(reset->sentence, strlen(reset->sentence), safe, sizeof safe);
    if (service->role == ROLE_SERVER && reset->code == RESET_SHUTDOWN) {
        error_set(said, "the client left before its HELLO: %s", safe);
        return true;
    }
    error_set(said, "the %s refused (%s): %s",
              service->role == ROLE_SERVER ? "client" : "server",
              reset_name(reset->code), safe);
    error_label(said, reset_name(reset->code));
    return true;
}
