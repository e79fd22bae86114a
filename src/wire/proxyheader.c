/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command is always PROXY: a connection of our own, which LOCAL would mean,
 * is never made.  No checksum: the bytes do not leave the machine.
 */
#include "wire/proxyheader.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

enum {
    VERSION_AND_COMMAND = 0x21,
    FAMILY_UNSPEC = 0x00,
    FAMILY_TCP4 = 0x11,
    FAMILY_TCP6 = 0x21,
    FAMILY_UNIX = 0x31,
    FIXED_SIZE = 16,
    TLV_HEAD_SIZE = 3,
    UNIX_PATH_SIZE = 108,
};

static_assert(sizeof(struct in_addr) == 4 && sizeof(struct in6_addr) == 16 &&
                  sizeof((struct sockaddr_un){0}.sun_path) == UNIX_PATH_SIZE,
              "the specification's sizes");

static const uint8_t signature[] = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                    0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

/* Where the next byte goes; the caller's buffer is large enough. */
static uint8_t *
put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *
put_16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static bool
is_mapped(const struct sockaddr_storage *storage)
{
    const struct sockaddr_in6 *in6 = (const void *)storage;

    return storage->ss_family == AF_INET6 &&
           IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
}

/* The four bytes of an IPv4 address, plain or mapped; NULL: it is neither. */
static const void *
v4_bytes(const struct sockaddr_storage *storage)
{
    if (storage->ss_family == AF_INET)
        return &((const struct sockaddr_in *)storage)->sin_addr;
    if (is_mapped(storage))
        return (const uint8_t *)&((const struct sockaddr_in6 *)storage)
                   ->sin6_addr +
               12;
    return NULL;
}

/* In network order; both structures have it at the same place. */
static const void *
port_bytes(const struct sockaddr_storage *storage)
{
    static_assert(offsetof(struct sockaddr_in, sin_port) ==
                      offsetof(struct sockaddr_in6, sin6_port),
                  "the ports of both families");
    return &((const struct sockaddr_in *)storage)->sin_port;
}

static uint8_t *
put_inet(uint8_t *at, const void *source, const void *destination, size_t size,
         const struct address *from, const struct address *to)
{
    at = put(at, source, size);
    at = put(at, destination, size);
    at = put(at, port_bytes(&from->storage), 2);
    return put(at, port_bytes(&to->storage), 2);
}

/* Padded with zeros; a socket without a name is all zeros. */
static uint8_t *
put_path(uint8_t *at, const struct address *address)
{
    const struct sockaddr_un *un = (const void *)&address->storage;
    size_t begin = offsetof(struct sockaddr_un, sun_path);
    size_t size = address->length > begin ? address->length - begin : 0;

    if (size > UNIX_PATH_SIZE)
        size = UNIX_PATH_SIZE;
    memset(at, 0, UNIX_PATH_SIZE);
    memcpy(at, un->sun_path, size);
    return at + UNIX_PATH_SIZE;
}

static uint8_t *
put_addresses(uint8_t *at, uint8_t *family_out, const struct address *source,
              const struct address *destination)
{
    const struct sockaddr_storage *from = &source->storage;
    const struct sockaddr_storage *to = &destination->storage;
    const void *from_4 = v4_bytes(from), *to_4 = v4_bytes(to);

    *family_out = FAMILY_UNSPEC;
    if (from_4 != NULL && to_4 != NULL) {
        *family_out = FAMILY_TCP4;
        return put_inet(at, from_4, to_4, 4, source, destination);
    }
    if (from->ss_family != to->ss_family)
        return at;
    if (from->ss_family == AF_INET6) {
        *family_out = FAMILY_TCP6;
        return put_inet(at, &((const struct sockaddr_in6 *)from)->sin6_addr,
                        &((const struct sockaddr_in6 *)to)->sin6_addr, 16,
                        source, destination);
    }
    if (from->ss_family == AF_UNIX) {
        *family_out = FAMILY_UNIX;
        return put_path(put_path(at, source), destination);
    }
    return at;
}

bool
proxyheader_encode(const struct address *source,
                   const struct address *destination, const char *principal,
                   uint8_t out[PROXYHEADER_MAX], size_t *size_out,
                   struct error *err)
{
    size_t length = strlen(principal);
    uint8_t *at = put(out, signature, sizeof signature);

    if (length > PROXYHEADER_PRINCIPAL_MAX) {
        error_set(err,
                  "cannot tell the application who connects: the principal "
                  "has %zu bytes, and %d fit in a PROXY header",
                  length, PROXYHEADER_PRINCIPAL_MAX);
        return false;
    }
    *at = VERSION_AND_COMMAND;
    at = put_addresses(out + FIXED_SIZE, &out[13], source, destination);
    *at++ = PROXYHEADER_PRINCIPAL;
    at = put_16(at, length);
    at = put(at, principal, length);
    *size_out = (size_t)(at - out);
    put_16(out + 14, *size_out - FIXED_SIZE);
    return true;
}
