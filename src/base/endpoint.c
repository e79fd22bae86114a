/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints: parsing, printing, resolving.  Hosts are either a valid literal or
 * a plausible name; "127.1" and the like, which resolvers take for addresses,
 * are refused, so that what looks local is what is connected to.
 */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/text.h"

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789._-";

static_assert((size_t)ENDPOINT_PATH_SIZE ==
                  sizeof(((struct sockaddr_un *)NULL)->sun_path),
              "a path that parses fits into an address");

static bool
refuse(struct error *err, const char *text, const char *reason)
{
    char shown[80];

    text_sanitize(text, strlen(text), shown, sizeof shown);
    error_set(err, "cannot read \"%s\" as an address: %s", shown, reason);
    return false;
}

/* Takes [start, start + length) into a field of size, when it fits. */
static bool
take(const char *start, size_t length, char *field, size_t size)
{
    if (length >= size)
        return false;
    memcpy(field, start, length);
    field[length] = '\0';
    return true;
}

static bool
parse_path(const char *text, const char *path, struct endpoint *endpoint,
           struct error *err)
{
    if (*path == '\0')
        return refuse(err, text, "a path must follow unix:");
    if (!take(path, strlen(path), endpoint->path, sizeof endpoint->path))
        return refuse(err, text, "the path is over 107 bytes");
    endpoint->kind = ENDPOINT_UNIX;
    return true;
}

static bool
parse_fd(const char *text, const char *name, struct endpoint *endpoint,
         struct error *err)
{
    if (*name == '\0' || name[strspn(name, name_characters)] != '\0' ||
        !take(name, strlen(name), endpoint->path, sizeof endpoint->path))
        return refuse(err, text,
                      "a name of letters, digits, '.', '_' and '-' must "
                      "follow fd:");
    endpoint->kind = ENDPOINT_FD;
    return true;
}

/* An IPv6 literal, with or without %interface. */
static bool
literal_ipv6(const char *host, struct sockaddr_in6 *out)
{
    char numbers[INET6_ADDRSTRLEN];
    const char *scope = strchr(host, '%');
    size_t length = scope == NULL ? strlen(host) : (size_t)(scope - host);

    memset(out, 0, sizeof *out);
    out->sin6_family = AF_INET6;
    if (!take(host, length, numbers, sizeof numbers) ||
        inet_pton(AF_INET6, numbers, &out->sin6_addr) != 1)
        return false;
    if (scope != NULL)
        out->sin6_scope_id = if_nametoindex(scope + 1);
    return scope == NULL || out->sin6_scope_id != 0;
}

static bool
literal_ipv4(const char *host, struct sockaddr_in *out)
{
    memset(out, 0, sizeof *out);
    out->sin_family = AF_INET;
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static bool
parse_host(const char *text, const char *host, size_t length, bool bracketed,
           struct endpoint *endpoint, struct error *err)
{
    struct sockaddr_in6 ipv6;
    struct sockaddr_in ipv4;
    char *kept = endpoint->host;

    if (length == 0 || !take(host, length, kept, sizeof endpoint->host))
        return refuse(err, text, "write HOST:PORT, unix:PATH or fd:NAME");
    if (bracketed) {
        if (!literal_ipv6(kept, &ipv6))
            return refuse(err, text, "no IPv6 address is in the brackets");
        return true;
    }
    if (strchr(kept, ':') != NULL)
        return refuse(err, text, "an IPv6 address is written [ADDRESS]:PORT");
    if (kept[strspn(kept, name_characters)] != '\0' || kept[0] == '-' ||
        kept[0] == '.')
        return refuse(err, text, "the host is neither a name nor an address");
    if (kept[strspn(kept, "0123456789.")] == '\0' && !literal_ipv4(kept, &ipv4))
        return refuse(err, text, "the host is not a whole IPv4 address");
    return true;
}

bool
endpoint_parse(const char *text, bool allow_port_zero,
               struct endpoint *endpoint_out, struct error *err)
{
    struct endpoint endpoint = {.kind = ENDPOINT_TCP};
    const char *host = text;
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (strncmp(text, "unix:", 5) == 0 || strncmp(text, "fd:", 3) == 0) {
        if (text[0] == 'u' ? !parse_path(text, text + 5, &endpoint, err)
                           : !parse_fd(text, text + 3, &endpoint, err))
            return false;
        *endpoint_out = endpoint;
        return true;
    }
    if (colon == NULL)
        return refuse(err, text, "write HOST:PORT, unix:PATH or fd:NAME");
    bool bracketed = host[0] == '[' && colon - host >= 2 && colon[-1] == ']';
    size_t length = (size_t)(colon - host) - (bracketed ? 2 : 0);
    if (!parse_host(text, host + (bracketed ? 1 : 0), length, bracketed,
                    &endpoint, err))
        return false;
    if (!number_parse(colon + 1, allow_port_zero ? 0 : 1, 65535, &port, NULL))
        return refuse(err, text,
                      allow_port_zero ? "the port must be from 0 to 65535"
                                      : "the port must be from 1 to 65535");
    endpoint.port = (uint16_t)port;
    *endpoint_out = endpoint;
    return true;
}

void
endpoint_format(const struct endpoint *endpoint, char *text, size_t size)
{
    bool ipv6 = strchr(endpoint->host, ':') != NULL;

    switch (endpoint->kind) {
    case ENDPOINT_UNIX:
        snprintf(text, size, "unix:%s", endpoint->path);
        return;
    case ENDPOINT_FD:
        snprintf(text, size, "fd:%s", endpoint->path);
        return;
    case ENDPOINT_TCP:
    default:
        snprintf(text, size, ipv6 ? "[%s]:%u" : "%s:%u", endpoint->host,
                 (unsigned)endpoint->port);
        return;
    }
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->kind == b->kind && a->port == b->port &&
           strcmp(a->host, b->host) == 0 && strcmp(a->path, b->path) == 0;
}

static bool
is_loopback(const struct address *address)
{
    const struct sockaddr_in *ipv4 = (const void *)&address->storage;
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;

    if (address->storage.ss_family == AF_INET)
        return ntohl(ipv4->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr) &&
            ipv6->sin6_addr.s6_addr[12] == 127);
}

bool
address_is_local(const struct address *address)
{
    return address->storage.ss_family == AF_UNIX || is_loopback(address);
}

bool
endpoint_is_local(const struct endpoint *endpoint)
{
    struct address address;

    if (endpoint->kind != ENDPOINT_TCP)
        return true;
    if (endpoint_literal(endpoint, &address))
        return is_loopback(&address);
    return strcasecmp(endpoint->host, "localhost") == 0;
}

bool
endpoint_literal(const struct endpoint *endpoint, struct address *address_out)
{
    struct address address = {.length = 0};
    struct sockaddr_in *ipv4 = (void *)&address.storage;
    struct sockaddr_in6 *ipv6 = (void *)&address.storage;
    struct sockaddr_un *local = (void *)&address.storage;

    if (endpoint->kind == ENDPOINT_UNIX) {
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, endpoint->path, sizeof local->sun_path);
        address.length = sizeof *local;
    } else if (endpoint->kind == ENDPOINT_TCP &&
               literal_ipv4(endpoint->host, ipv4)) {
        ipv4->sin_port = htons(endpoint->port);
        address.length = sizeof *ipv4;
    } else if (endpoint->kind == ENDPOINT_TCP &&
               literal_ipv6(endpoint->host, ipv6)) {
        ipv6->sin6_port = htons(endpoint->port);
        address.length = sizeof *ipv6;
    } else {
        return false;
    }
    *address_out = address;
    return true;
}

bool
endpoint_resolve(const struct endpoint *endpoint, struct address *addresses,
                 size_t max, size_t *count_out, struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list;
    char port[8];
    size_t count = 0;

    if (endpoint_literal(endpoint, &addresses[0])) {
        *count_out = 1;
        return true;
    }
    if (endpoint->kind == ENDPOINT_FD) {
        error_set(err, "cannot connect to fd:%s: it can only be listened on",
                  endpoint->path);
        return false;
    }
    snprintf(port, sizeof port, "%u", (unsigned)endpoint->port);
    int failure = getaddrinfo(endpoint->host, port, &hints, &list);
    if (failure != 0) {
        error_set(err, "cannot resolve %s: %s", endpoint->host,
                  failure == EAI_SYSTEM ? strerror(errno)
                                        : gai_strerror(failure));
        return false;
    }
    for (struct addrinfo *item = list; item != NULL && count < max;
         item = item->ai_next) {
        memcpy(&addresses[count].storage, item->ai_addr, item->ai_addrlen);
        addresses[count++].length = item->ai_addrlen;
    }
    freeaddrinfo(list);
    *count_out = count;
    return true;
}
