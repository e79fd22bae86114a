/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk down one path of a DER tree, without building it.  A cursor never
 * leaves the element it was opened on, and once something is wrong it is empty
 * for good, so that only the end of the walk needs a check.
 *
 * libkrb5 parses the same bytes again and decides; this only looks.
 */
#include "gss/apreq.h"

#include <string.h>

/* Tags of RFC 4120, as they stand on the wire. */
enum {
    DER_INTEGER = 0x02,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_GSS_FRAME = 0x60,      /* [APPLICATION 0], RFC 2743 */
    DER_TICKET = 0x61,         /* [APPLICATION 1] */
    DER_AP_REQ = 0x6e,         /* [APPLICATION 14] */
    DER_ENC_PART_ETYPE = 0xa0, /* EncryptedData: [0] etype */
    DER_TICKET_ENC_PART = 0xa3,
    DER_AP_REQ_PVNO = 0xa0,
    DER_AP_REQ_MSG_TYPE = 0xa1,
    DER_AP_REQ_OPTIONS = 0xa2,
    DER_AP_REQ_TICKET = 0xa3,
    DER_AP_REQ_AUTHENTICATOR = 0xa4,
};

/* 1.2.840.113554.1.2.2, the krb5 mechanism. */
static const uint8_t krb5_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                   0x12, 0x01, 0x02, 0x02};

struct cursor {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static struct cursor
fail(void)
{
    return (struct cursor){.failed = true};
}

static uint8_t
take_byte(struct cursor *cursor)
{
    if (cursor->left == 0) {
        *cursor = fail();
        return 0;
    }
    cursor->left--;
    return *cursor->at++;
}

/* A definite length in at most four bytes (tokens are far smaller). */
static size_t
take_length(struct cursor *cursor)
{
    uint8_t first = take_byte(cursor);
    size_t count = first & 0x7f, length = 0;

    if (first < 0x80)
        return first;
    if (count == 0 || count > 4) {
        *cursor = fail();
        return 0;
    }
    while (count-- > 0)
        length = length << 8 | take_byte(cursor);
    return length;
}

/* The next element: its tag, and a cursor on its contents. */
static struct cursor
take_element(struct cursor *cursor, uint8_t *tag_out)
{
    struct cursor inside;
    size_t length;

    *tag_out = take_byte(cursor);
    length = take_length(cursor);
    if (cursor->failed || length > cursor->left) {
        *cursor = fail();
        return fail();
    }
    inside = (struct cursor){.at = cursor->at, .left = length};
    cursor->at += length;
    cursor->left -= length;
    return inside;
}

/* The contents of the next element, which must have this tag. */
static struct cursor
enter(struct cursor *cursor, uint8_t tag)
{
    uint8_t found;
    struct cursor inside = take_element(cursor, &found);

    return found == tag ? inside : fail();
}

/* The contents of the first element with this tag among those that are left. */
static struct cursor
find(struct cursor *cursor, uint8_t tag)
{
    while (cursor->left > 0) {
        uint8_t found;
        struct cursor inside = take_element(cursor, &found);

        if (found == tag)
            return inside;
    }
    return fail();
}

static int32_t
take_int32(struct cursor *cursor)
{
    struct cursor digits = enter(cursor, DER_INTEGER);
    uint8_t first;
    int64_t value;

    if (digits.left == 0 || digits.left > 4) {
        *cursor = fail();
        return 0;
    }
    first = take_byte(&digits);
    value = first < 0x80 ? first : (int64_t)first - 0x100;
    while (digits.left > 0)
        value = value * 256 + take_byte(&digits);
    return (int32_t)value;
}

/* What the frame of RFC 2743 holds, from the two bytes of the kind on. */
static struct cursor
open_frame(const uint8_t *token, size_t size)
{
    struct cursor cursor = {.at = token, .left = size};
    struct cursor frame = enter(&cursor, DER_GSS_FRAME);
    struct cursor oid = enter(&frame, DER_OID);

    if (oid.left != sizeof(krb5_oid) ||
        memcmp(oid.at, krb5_oid, sizeof(krb5_oid)) != 0 || frame.left < 2)
        return fail();
    return frame;
}

enum token_kind
token_kind(const uint8_t *token, size_t size)
{
    struct cursor frame = open_frame(token, size);
    uint8_t kind = take_byte(&frame);

    if (take_byte(&frame) != 0 || frame.failed)
        return TOKEN_UNKNOWN;
    switch (kind) {
    case 1:
        return TOKEN_AP_REQ;
    case 2:
        return TOKEN_AP_REP;
    case 3:
        return TOKEN_KRB_ERROR;
    default:
        return TOKEN_UNKNOWN;
    }
}

bool
apreq_ticket_enctype(const uint8_t *token, size_t size, int32_t *enctype_out,
                     struct error *err)
{
    struct cursor frame, request, sequence, ticket, encrypted, etype;
    int32_t enctype;

    if (token_kind(token, size) != TOKEN_AP_REQ) {
        error_set(err, "cannot accept the client: its first token is not "
                       "Kerberos' (only the krb5 mechanism is spoken here)");
        return false;
    }
    frame = open_frame(token, size);
    (void)take_byte(&frame);
    (void)take_byte(&frame);
    request = enter(&frame, DER_AP_REQ);
    sequence = enter(&request, DER_SEQUENCE);
    ticket = find(&sequence, DER_AP_REQ_TICKET);
    ticket = enter(&ticket, DER_TICKET);
    sequence = enter(&ticket, DER_SEQUENCE);
    encrypted = find(&sequence, DER_TICKET_ENC_PART);
    sequence = enter(&encrypted, DER_SEQUENCE);
    etype = find(&sequence, DER_ENC_PART_ETYPE);
    enctype = take_int32(&etype);
    if (etype.failed) {
        error_set(err, "cannot accept the client: its AP-REQ is malformed");
        return false;
    }
    *enctype_out = enctype;
    return true;
}

/* The contents of the next element, which must have this tag and the length that
 * DER would write; else the cursor fails, too. */
static struct cursor
enter_strictly(struct cursor *cursor, uint8_t tag)
{
    const uint8_t *begin = cursor->at;
    struct cursor inside = enter(cursor, tag);
    size_t head = 2;

    for (size_t rest = inside.left < 0x80 ? 0 : inside.left; rest > 0;
         rest >>= 8)
        head++;
    if (inside.failed || (size_t)(inside.at - begin) != head) {
        *cursor = fail();
        return fail();
    }
    return inside;
}

/* The same of an element behind which nothing comes. */
static struct cursor
enter_last(struct cursor *cursor, uint8_t tag)
{
    struct cursor inside = enter_strictly(cursor, tag);

    return cursor->left == 0 ? inside : fail();
}

bool
apreq_ticket(const uint8_t *token, size_t size, const uint8_t **ticket_out,
             size_t *ticket_size_out)
{
    struct cursor cursor = {.at = token, .left = size};
    struct cursor frame = enter_last(&cursor, DER_GSS_FRAME);
    struct cursor request, sequence, ticket, authenticator;

    if (token_kind(token, size) != TOKEN_AP_REQ)
        return false;
    (void)enter_strictly(&frame, DER_OID);
    (void)take_byte(&frame);
    (void)take_byte(&frame);
    request = enter_last(&frame, DER_AP_REQ);
    sequence = enter_last(&request, DER_SEQUENCE);
    (void)enter_strictly(&sequence, DER_AP_REQ_PVNO);
    (void)enter_strictly(&sequence, DER_AP_REQ_MSG_TYPE);
    (void)enter_strictly(&sequence, DER_AP_REQ_OPTIONS);
    ticket = enter_strictly(&sequence, DER_AP_REQ_TICKET);
    authenticator = enter_last(&sequence, DER_AP_REQ_AUTHENTICATOR);
    if (authenticator.failed)
        return false;
    *ticket_out = ticket.at;
    *ticket_size_out = ticket.left;
    return true;
}
