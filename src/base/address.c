/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as text and as hosts.  An IPv4 peer of an IPv6 socket is shown and
 * compared as the IPv4 host that it is.
 */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* The four bytes of an IPv4 address, plain or mapped into IPv6; or NULL. */
static const uint8_t *
ipv4_bytes(const struct address *address)
{
    const struct sockaddr_in *ipv4 = (const void *)&address->storage;
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;

    if (address->storage.ss_family == AF_INET)
        return (const uint8_t *)&ipv4->sin_addr;
    if (address->storage.ss_family == AF_INET6 &&
        IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr))
        return ipv6->sin6_addr.s6_addr + 12;
    return NULL;
}

static void
format_unix(const struct address *address, char *text, size_t size)
{
    const struct sockaddr_un *local = (const void *)&address->storage;
    size_t header = offsetof(struct sockaddr_un, sun_path);
    size_t room = address->length > header ? address->length - header : 0;

    if (room > 0 && local->sun_path[0] == '\0' && room > 1)
        snprintf(text, size, "unix:@%.*s", (int)(room - 1),
                 local->sun_path + 1);
    else if (room > 0 && local->sun_path[0] != '\0')
        snprintf(text, size, "unix:%.*s", (int)room, local->sun_path);
    else
        snprintf(text, size, "unix");
}

static void
format_ipv6(const struct address *address, char *text, size_t size)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];

    /* getnameinfo, for it also names the interface of a link-local address. */
    if (getnameinfo((const struct sockaddr *)&address->storage, address->length,
                    host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(text, size, "[%s]:%s", host, port);
    else
        snprintf(text, size, "unknown");
}

void
address_format(const struct address *address, char *text, size_t size)
{
    /* The port is at the same place for both families. */
    const struct sockaddr_in *ip = (const void *)&address->storage;
    const uint8_t *ipv4 = ipv4_bytes(address);

    if (ipv4 != NULL)
        snprintf(text, size, "%u.%u.%u.%u:%u", ipv4[0], ipv4[1], ipv4[2],
                 ipv4[3], ntohs(ip->sin_port));
    else if (address->storage.ss_family == AF_INET6)
        format_ipv6(address, text, size);
    else if (address->storage.ss_family == AF_UNIX)
        format_unix(address, text, size);
    else
        snprintf(text, size, "unknown");
}

bool
address_same_host(const struct address *a, const struct address *b)
{
    const struct sockaddr_in6 *a6 = (const void *)&a->storage;
    const struct sockaddr_in6 *b6 = (const void *)&b->storage;
    const uint8_t *a4 = ipv4_bytes(a);
    const uint8_t *b4 = ipv4_bytes(b);

    if (a4 != NULL || b4 != NULL)
        return a4 != NULL && b4 != NULL && memcmp(a4, b4, 4) == 0;
    if (a->storage.ss_family != b->storage.ss_family)
        return false;
    if (a->storage.ss_family == AF_INET6)
        return IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
               a6->sin6_scope_id == b6->sin6_scope_id;
    return a->storage.ss_family == AF_UNIX;
}
