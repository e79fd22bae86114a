/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in clear in the establishment's tokens: their kind (RFC 2743
 * section 3.1, RFC 4121 section 4.1) and, in an AP-REQ (RFC 4120 section
 * 5.5.1), the ticket and its encryption type.  Pure: bytes in, numbers out.
 */
#ifndef GSS_APREQ_H
#define GSS_APREQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum token_kind {
    TOKEN_UNKNOWN, /* not framed for the krb5 mechanism */
    TOKEN_AP_REQ,
    TOKEN_AP_REP,
    TOKEN_KRB_ERROR,
};

enum token_kind token_kind(const uint8_t *token, size_t size);

/* The etype of the EncryptedData in the ticket of an AP-REQ token. */
MUST_CHECK bool apreq_ticket_enctype(const uint8_t *token, size_t size,
                                     int32_t *enctype_out, struct error *err);

/*
 * The ticket of an AP-REQ token, as it was encoded; it points into token.  False
 * unless the token is DER without anything left over, down to the ticket: then
 * no parser can take another part of it for the ticket.
 */
MUST_CHECK bool apreq_ticket(const uint8_t *token, size_t size,
                             const uint8_t **ticket_out,
                             size_t *ticket_size_out);

#endif
