/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wrap token as RFC 4121 section 4.2.6.2 lays it out.  Pure: bytes in,
 * bytes out; no keys.
 *
 * sealed: header | E(confounder | plaintext | filler | header with RRC 0) | MAC
 * signed: header | plaintext | MAC(plaintext | header with EC 0 and RRC 0)
 *
 * All behind the header may be rotated to the right by RRC bytes.
 */
#ifndef GSS_RFC4121_H
#define GSS_RFC4121_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    TOKEN_HEADER_SIZE = 16,
    TOKEN_CONFOUNDER_SIZE = 16,
    /* What a sealed token has around its plaintext, but for filler and MAC. */
    TOKEN_SEALED_BEFORE = TOKEN_HEADER_SIZE + TOKEN_CONFOUNDER_SIZE,
    TOKEN_SEALED_BEHIND = TOKEN_HEADER_SIZE,
};

enum token_flag {
    TOKEN_BY_ACCEPTOR = 1 << 0,
    TOKEN_SEALED = 1 << 1,
    TOKEN_ACCEPTOR_SUBKEY = 1 << 2,
};

struct token_header {
    uint8_t flags;
    uint16_t extra_count; /* EC: bytes of filler, or of a signed token's MAC */
    uint16_t rotation;    /* RRC */
    uint64_t sequence;
};

void token_header_encode(const struct token_header *header,
                         uint8_t bytes[TOKEN_HEADER_SIZE]);

/*
 * Takes the header of a token of size bytes that the peer should have sent:
 * peer_flag is TOKEN_BY_ACCEPTOR or 0.  Refuses what is no wrap token, one that
 * went the other way, and one without the acceptor's subkey.
 */
MUST_CHECK bool token_header_parse(const uint8_t *token, size_t size,
                                   uint8_t peer_flag,
                                   struct token_header *header_out,
                                   struct error *err);

/* Undoes the rotation of what is behind the header; any count. */
void token_unrotate(uint8_t *bytes, size_t size, size_t count);

/* Why a token that verified with this number is not the one expected next. */
const char *token_sequence_fault(uint64_t sequence, uint64_t expected);

#endif
