/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of docs/protocol.md section 2: uint32 big-endian length, then that
 * many bytes of GSS token.  Pure functions on a buffer.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_HEADER_SIZE = 4,
    /* AD tickets with large PACs. */
    FRAME_HANDSHAKE_MAX = 128 * 1024,
    /* The largest plaintext, type byte included. */
    PLAINTEXT_MAX = 65472,
    /* What a token may add to its plaintext. */
    TOKEN_OVERHEAD_MAX = 128,
};

enum frame_status {
    FRAME_READY,     /* a whole frame is in the buffer */
    FRAME_NEED_MORE, /* well-formed so far */
    FRAME_EMPTY,     /* declares length 0: never valid */
    FRAME_TOO_LARGE, /* declares more than max, whatever bytes may follow */
};

/*
 * Looks at the first frame in bytes; max bounds its token.  token_size_out is
 * set with READY, EMPTY and TOO_LARGE, and with NEED_MORE once 4 bytes are
 * there; the token is at bytes + FRAME_HEADER_SIZE.  TOO_LARGE may come before
 * the header is whole: then token_size_out is the least it could have been.
 */
enum frame_status frame_parse(const uint8_t *bytes, size_t length, size_t max,
                              size_t *token_size_out);

/* Writes the header of a frame that carries token_size bytes, at least 1. */
void frame_encode(uint8_t header[FRAME_HEADER_SIZE], size_t token_size);

#endif
