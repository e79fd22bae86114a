/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Composing and cracking by Microsoft's tables.  Nothing is resolved, looked
 * up or put in lower case; what a directory would refuse as malformed, or read
 * in another way than it was meant, is refused here.
 */
#include "directory/spnvalue.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "directory/ascii.h"
#include "directory/host.h"

static bool
part_is_sound(const char *what, const char *part, struct error *err)
{
    if (part == NULL || *part == '\0') {
        error_set(err, "cannot make an SPN: the %s is empty", what);
        return false;
    }
    if (strchr(part, '/') != NULL) {
        error_set(err, "cannot make an SPN: the %s contains a slash%s", what,
                  strchr(part, '=') != NULL
                      ? "; use the objectGUID in place of the DN"
                      : "");
        return false;
    }
    for (; *part != '\0'; part++) {
        if ((unsigned char)*part < 0x20 || *part == 0x7f) {
            error_set(err,
                      "cannot make an SPN: the %s contains a control "
                      "character",
                      what);
            return false;
        }
    }
    return true;
}

static bool
is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 ||
           inet_pton(AF_INET6, text, bytes) == 1;
}

static bool
join(const char *service_class, const char *host, uint16_t port,
     const char *service, char value[SPN_SIZE], struct error *err)
{
    char made[SPN_SIZE];
    char digits[sizeof ":65535"] = "";

    if (port != 0)
        snprintf(digits, sizeof digits, ":%u", (unsigned)port);
    int length = snprintf(made, sizeof made, "%s/%s%s%s%s", service_class, host,
                          digits, service != NULL ? "/" : "",
                          service != NULL ? service : "");
    if (length < 0 || (size_t)length >= sizeof made) {
        error_set(err, "cannot make an SPN: it is longer than %d bytes",
                  SPN_SIZE - 1);
        return false;
    }
    memcpy(value, made, (size_t)length + 1);
    return true;
}

bool
spnvalue_make(const struct spn_parts *parts, char value[SPN_SIZE],
              struct error *err)
{
    bool hosted = parts->instance != NULL;
    bool referred = !hosted && parts->referrer != NULL &&
                    parts->service_name != NULL &&
                    is_address(parts->service_name);
    const char *host = hosted ? parts->instance : parts->service_name;
    const char *third = hosted     ? parts->service_name
                        : referred ? parts->referrer
                                   : NULL;

    if (!part_is_sound("service class", parts->service_class, err) ||
        !part_is_sound("service name", parts->service_name, err) ||
        (hosted && !part_is_sound("instance name", parts->instance, err)) ||
        (referred && !part_is_sound("referrer", parts->referrer, err)))
        return false;
    return join(parts->service_class, host, parts->port, third, value, err);
}

static bool
names_host_only(enum spn_name_type type)
{
    return type == SPN_DNS_HOST || type == SPN_NB_HOST || type == SPN_DN_HOST;
}

static bool
names_netbios(enum spn_name_type type)
{
    return type == SPN_NB_HOST || type == SPN_NB_DOMAIN;
}

/* One of the names; the service's is that of the composition, or its GUID. */
static bool
compose_one(const struct spn_composition *composition,
            const struct spn_instance *instance, char value[SPN_SIZE],
            struct error *err)
{
    char guid[GUID_TEXT_SIZE];
    const char *service = composition->service_name;
    struct spn_parts parts = {
        .service_class = composition->service_class,
        .port = instance->port,
    };

    if (names_host_only(composition->type)) {
        parts.service_name = instance->host;
        return spnvalue_make(&parts, value, err);
    }
    if (service != NULL && strchr(service, '/') != NULL &&
        composition->guid != NULL) {
        guid_format(composition->guid, guid);
        service = guid;
    }
    parts.service_name = service;
    parts.instance = instance->host;
    return spnvalue_make(&parts, value, err);
}

bool
spnvalue_compose(const struct spn_composition *composition,
                 char (*values)[SPN_SIZE], size_t *made_out, struct error *err)
{
    char host[HOST_SIZE] = "";
    struct spn_instance here = {.host = host};
    const struct spn_instance *instances = composition->instances;
    size_t count = composition->count;

    if (names_host_only(composition->type) &&
        composition->service_name != NULL) {
        error_set(err, "cannot make an SPN: one of a host has no service name");
        return false;
    }
    if (count == 0) {
        size_t length = strlen(composition->this_host);
        if (names_netbios(composition->type))
            length = strcspn(composition->this_host, ".");
        snprintf(host, sizeof host, "%.*s", (int)length,
                 composition->this_host);
        instances = &here;
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        if (!compose_one(composition, &instances[i], values[i], err))
            return false;
    }
    *made_out = count;
    return true;
}

/* The colon before a port or label: not one of an IPv6 address. */
static char *
find_colon(char *host)
{
    char *bracket = strrchr(host, ']');
    char *colon = strchr(bracket != NULL ? bracket : host, ':');

    return colon != NULL && strchr(colon + 1, ':') == NULL ? colon : NULL;
}

/* Takes ":PORT" or ":LABEL" off the host. */
static bool
split_host(struct spn_cracked *out, struct error *err)
{
    char *colon = find_colon(out->host);

    if (colon == NULL)
        return *out->host != '\0';
    if (colon == out->host || colon[1] == '\0')
        return false;
    *colon = '\0';
    if (colon[1 + strspn(colon + 1, "0123456789")] == '\0')
        return port_parse(colon + 1, strlen(colon + 1), &out->port, err);
    memcpy(out->label, colon + 1, strlen(colon + 1) + 1);
    return true;
}

/* At the slashes, wherever they stand: a directory knows no escapes. */
static bool
split_parts(const char *value, struct spn_cracked *out)
{
    char *const parts[] = {out->service_class, out->host, out->service_name};
    size_t count = 0;

    for (;;) {
        size_t length = strcspn(value, "/");
        if (count == sizeof parts / sizeof parts[0] || length == 0)
            return false;
        memcpy(parts[count], value, length);
        parts[count++][length] = '\0';
        if (value[length] == '\0')
            break;
        value += length + 1;
    }
    out->part_count = count;
    return count >= 2;
}

bool
spnvalue_crack(const char *value, struct spn_cracked *out, struct error *err)
{
    char shown[160];
    struct error why = {.text = "it must be CLASS/HOST[:PORT][/SERVICE]"};

    *out = (struct spn_cracked){.part_count = 0};
    bool sound = strlen(value) < SPN_SIZE && split_parts(value, out);
    for (const char *at = value; *at != '\0' && sound; at++)
        sound = (unsigned char)*at >= 0x20 && *at != 0x7f;
    if (sound && split_host(out, &why)) {
        if (out->part_count == 2)
            memcpy(out->service_name, out->host, sizeof out->host);
        return true;
    }
    error_set(err, "cannot read the SPN '%s': %s",
              text_sanitize(value, strlen(value), shown, sizeof shown),
              why.text);
    return false;
}

/* The byte that a backslash and this letter stand for in Kerberos text. */
static char
unescaped(char letter)
{
    static const char letters[] = "ntb0";
    static const char meant[] = "\n\t\b";
    const char *found = strchr(letters, letter);

    return found == NULL ? letter : meant[found - letters];
}

bool
spnvalue_from_text(const char *text, char value[SPN_SIZE], struct error *err)
{
    char made[SPN_SIZE];
    size_t length = 0;
    struct spn_cracked cracked;

    for (; *text != '\0' && *text != '@'; text++) {
        char byte = *text;
        if (byte == '\\' && text[1] != '\0') {
            byte = unescaped(*++text);
            if (byte == '/' || byte == '\0') {
                error_set(err, "cannot use an SPN with a slash or NUL inside "
                               "a part");
                return false;
            }
        }
        if (length + 1 == sizeof made) {
            error_set(err, "cannot use an SPN that is longer than %d bytes",
                      SPN_SIZE - 1);
            return false;
        }
        made[length++] = byte;
    }
    made[length] = '\0';
    if (!spnvalue_crack(made, &cracked, err))
        return false;
    memcpy(value, made, length + 1);
    return true;
}

bool
spnvalue_equal(const char *a, const char *b)
{
    while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}
