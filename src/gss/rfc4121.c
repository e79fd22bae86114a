/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers are as they come: what they say is believed only after the checksum
 * over them was verified, by the caller.
 */
#include "gss/rfc4121.h"

#include <endian.h>
#include <string.h>

enum {
    EC_AT = 4,
    RRC_AT = 6,
    SEQUENCE_AT = 8,
};

/* TOK_ID of wrap tokens; behind the flags comes a byte of ones. */
static const uint8_t token_id[] = {0x05, 0x04};
static const uint8_t filler = 0xff;

void
token_header_encode(const struct token_header *header,
                    uint8_t bytes[TOKEN_HEADER_SIZE])
{
    uint16_t extra_count = htobe16(header->extra_count);
    uint16_t rotation = htobe16(header->rotation);
    uint64_t sequence = htobe64(header->sequence);

    memcpy(bytes, token_id, sizeof token_id);
    bytes[2] = header->flags;
    bytes[3] = filler;
    memcpy(bytes + EC_AT, &extra_count, sizeof extra_count);
    memcpy(bytes + RRC_AT, &rotation, sizeof rotation);
    memcpy(bytes + SEQUENCE_AT, &sequence, sizeof sequence);
}

bool
token_header_parse(const uint8_t *token, size_t size, uint8_t peer_flag,
                   struct token_header *header_out, struct error *err)
{
    struct token_header header;

    if (size < TOKEN_HEADER_SIZE ||
        memcmp(token, token_id, sizeof token_id) != 0 || token[3] != filler) {
        error_set(err, "cannot unseal a record: it is not a wrap token");
        return false;
    }
    header.flags = token[2];
    if ((header.flags & TOKEN_BY_ACCEPTOR) != peer_flag) {
        error_set(err, "cannot unseal a record: it is one of our own, sent "
                       "back");
        return false;
    }
    if ((header.flags & TOKEN_ACCEPTOR_SUBKEY) == 0) {
        error_set(err, "cannot unseal a record: it was not made with the "
                       "acceptor's subkey");
        return false;
    }
    memcpy(&header.extra_count, token + EC_AT, sizeof header.extra_count);
    memcpy(&header.rotation, token + RRC_AT, sizeof header.rotation);
    memcpy(&header.sequence, token + SEQUENCE_AT, sizeof header.sequence);
    header.extra_count = be16toh(header.extra_count);
    header.rotation = be16toh(header.rotation);
    header.sequence = be64toh(header.sequence);
    *header_out = header;
    return true;
}

static void
reverse(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        uint8_t byte = bytes[i];
        bytes[i] = bytes[size - 1 - i];
        bytes[size - 1 - i] = byte;
    }
}

void
token_unrotate(uint8_t *bytes, size_t size, size_t count)
{
    if (size == 0 || count % size == 0)
        return;
    /* In place, whatever the count: each part turned around, then the whole. */
    reverse(bytes, count % size);
    reverse(bytes + count % size, size - count % size);
    reverse(bytes, size);
}

const char *
token_sequence_fault(uint64_t sequence, uint64_t expected)
{
    return sequence - expected < UINT64_MAX / 2
               ? "one that was sent before it is missing"
               : "it was received before";
}
