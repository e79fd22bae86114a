/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of HAProxy's PROXY protocol, version 2, that an acceptor sends to
 * its application before any byte of the peer (docs/protocol.md section 10).
 * Made here only; nothing here reads one.
 */
#ifndef WIRE_PROXYHEADER_H
#define WIRE_PROXYHEADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/error.h"

enum {
    PROXYHEADER_PRINCIPAL = 0xE0,     /* type of our TLV, a custom one */
    PROXYHEADER_PRINCIPAL_MAX = 1024, /* longer ones are refused, never cut */
    /* Fixed part, two Unix paths, a TLV's head, the principal. */
    PROXYHEADER_MAX = 16 + 216 + 3 + PROXYHEADER_PRINCIPAL_MAX,
};

/*
 * source: where the connection came from; destination: where it was accepted.
 * Addresses of IPv4 inside IPv6 become IPv4 again when both are such; a pair of
 * two families, or of another one, is sent as UNSPEC, without addresses.
 */
MUST_CHECK bool proxyheader_encode(const struct address *source,
                                   const struct address *destination,
                                   const char *principal,
                                   uint8_t out[PROXYHEADER_MAX],
                                   size_t *size_out, struct error *err);

#endif
