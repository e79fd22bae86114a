/* SPDX-License-Identifier: BSD-2-Clause */
/* Pure functions on the text of one value. */
#include "config/checks.h"

#include <stdlib.h>
#include <string.h>

#include "base/socket.h"
#include "base/text.h"
#include "config/config.h"
#include "directory/dn.h"
#include "directory/guid.h"
#include "directory/host.h"
#include "wire/message.h"

enum {
    CLASS_MAX = 64,
    SHOWN_SIZE = 128
};

#define NAME_LETTERS                                                           \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static bool
refuse(const char *value, struct error *err, const char *reason)
{
    char shown[SHOWN_SIZE];

    text_sanitize(value, strlen(value), shown, sizeof shown);
    error_set(err, "cannot use \"%s\": %s", shown, reason);
    return false;
}

static bool
is_name(const char *value, size_t max)
{
    size_t length = strlen(value);

    return length > 0 && length <= max && strspn(value, NAME_LETTERS) == length;
}

bool
check_class(const char *value, struct error *err)
{
    if (is_name(value, CLASS_MAX))
        return true;
    return refuse(value, err,
                  "a service class is up to 64 letters, digits, dots, "
                  "underscores and hyphens");
}

bool
check_engine(const char *value, struct error *err)
{
    if (strcmp(value, "openssl") == 0)
        return engine_check(ENGINE_OPENSSL, err);
    if (strcmp(value, "multibuffer") == 0)
        return engine_check(ENGINE_MULTIBUFFER, err);
    return true;
}

bool
check_label(const char *value, struct error *err)
{
    char safe[4 * MESSAGE_LABEL_MAX + 1];

    if (strlen(value) > MESSAGE_LABEL_MAX)
        return refuse(value, err, "a label has at most 64 bytes");
    text_sanitize(value, strlen(value), safe, sizeof safe);
    if (strcmp(value, safe) != 0)
        return refuse(value, err,
                      "a label is text without quotes and backslashes");
    return true;
}

bool
check_log_target(const char *value, struct error *err)
{
    if (strcmp(value, "stderr") == 0 || strcmp(value, "syslog") == 0 ||
        (strncmp(value, "file:", 5) == 0 && value[5] != '\0'))
        return true;
    return refuse(value, err, "expected stderr, syslog or file:PATH");
}

bool
check_status(const char *value, struct error *err)
{
    struct endpoint endpoint;

    if (strcmp(value, "none") == 0)
        return true;
    /* Not port 0, as with `accept`: nobody could tell where to ask. */
    if (!endpoint_parse(value, false, &endpoint, err))
        return false;
    if (endpoint.kind == ENDPOINT_FD || !endpoint_is_local(&endpoint))
        return refuse(value, err,
                      "expected unix:PATH, a loopback ADDRESS:PORT or none");
    return true;
}

bool
check_spn(const char *value, struct error *err)
{
    size_t class_length = strcspn(value, "/@");

    if (class_length > 0 && value[class_length] == '/' &&
        strspn(value + class_length + 1, "/@") == 0 &&
        value[class_length + 1] != '\0')
        return true;
    return refuse(value, err,
                  "a service principal name is CLASS/HOST, as orders/db.corp");
}

bool
check_uri(const char *value, struct error *err)
{
    if (strncmp(value, "ldap://", 7) == 0 && value[7] != '\0')
        return true;
    return refuse(value, err, "expected ldap://HOST or ldap://HOST:PORT");
}

bool
check_host(const char *value, struct error *err)
{
    return host_is_valid(value) ||
           refuse(value, err, "expected a DNS name, as db.corp.example.test");
}

/* A star is fine wherever some letter is. */
bool
check_host_pattern(const char *value, struct error *err)
{
    char host[HOST_SIZE];

    if (strlen(value) < sizeof host) {
        memcpy(host, value, strlen(value) + 1);
        for (char *c = host; *c != '\0'; c++)
            *c = *c == '*' ? 'x' : *c;
        if (host_is_valid(host))
            return true;
    }
    return refuse(value, err, "expected a DNS name, or one with *");
}

bool
check_dn(const char *value, struct error *err)
{
    char *canonical = dn_canonical(value, err);

    free(canonical);
    return canonical != NULL;
}

bool
check_scp(const char *value, struct error *err)
{
    struct guid guid;
    char *canonical = NULL;

    if (guid_parse(value, &guid))
        return true;
    canonical = dn_canonical(value, NULL);
    free(canonical);
    return canonical != NULL ||
           refuse(value, err, "expected a distinguished name or an objectGUID");
}

bool
check_connect(const char *value, struct error *err)
{
    if (strncmp(value, "fd:", 3) == 0)
        return refuse(value, err, "only `accept` takes fd:NAME");
    return true;
}

bool
check_owner(const char *value, struct error *err)
{
    const char *colon = strchr(value, ':');

    if (colon != value && value[strcspn(value, " \t/")] == '\0' &&
        (colon == NULL || (colon[1] != '\0' && strchr(colon + 1, ':') == NULL)))
        return true;
    return refuse(value, err, "expected USER or USER:GROUP");
}

bool
check_service_name(const char *value, struct error *err)
{
    if (is_name(value, SERVICE_NAME_MAX))
        return true;
    return refuse(value, err,
                  "the name of a section is up to 40 letters, digits, dots, "
                  "underscores and hyphens");
}
