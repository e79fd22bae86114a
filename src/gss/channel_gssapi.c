/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records by gss_wrap_iov and gss_unwrap_iov, in place.  The library verifies
 * the token; here is added what it leaves to its caller: that the flags in the
 * token's header are the right ones, and that nothing was lost, repeated or
 * put out of order.  After a failure the sequence is broken for good, so the
 * channel is dead.
 */
#include "gss/channel_gssapi.h"

#include <stdint.h>
#include <stdlib.h>
#include <gssapi/gssapi_ext.h>

#include "gss/reason.h"

enum {
    /* RFC 4121 section 4.2.6.2 */
    TOKEN_HEADER_SIZE = 16,
    TOKEN_FLAGS_AT = 2,
    FLAG_SENT_BY_ACCEPTOR = 0x01,
    FLAG_ACCEPTOR_SUBKEY = 0x04,
    /* As much as this engine seals in well under a millisecond: it must not
     * keep a loop from its other connections. */
    BATCH_MAX = 64 * 1024,
};

struct channel_gssapi {
    struct channel channel; /* first */
    /* owned */
    gss_ctx_id_t context;
    /* plain */
    struct token_shape signed_shape, sealed_shape;
    uint8_t peer_flags; /* FLAG_SENT_BY_ACCEPTOR, if the peer is it */
    bool dead;
};

static const struct token_shape *
shape_of(const struct channel_gssapi *engine, bool confidential)
{
    return confidential ? &engine->sealed_shape : &engine->signed_shape;
}

static void
gssapi_shape(const struct channel *channel, bool confidential,
             struct token_shape *shape_out)
{
    *shape_out = *shape_of((const struct channel_gssapi *)channel,
                           confidential);
}

static bool
check_alive(const struct channel_gssapi *engine, const char *verb,
            struct error *err)
{
    if (engine->dead)
        error_set(err, "cannot %s a record: an earlier one failed", verb);
    return !engine->dead;
}

/* AES needs no padding, but the library wants a place for it all the same. */
static bool
seal_one(struct channel_gssapi *engine, bool confidential,
         const struct seal_record *record, struct error *err)
{
    const struct token_shape *shape = shape_of(engine, confidential);
    uint8_t *plain = record->token + shape->header;
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_HEADER, {shape->header, record->token}},
        {GSS_IOV_BUFFER_TYPE_DATA, {record->plain_size, plain}},
        {GSS_IOV_BUFFER_TYPE_PADDING, {0, NULL}},
        {GSS_IOV_BUFFER_TYPE_TRAILER,
         {shape->trailer, plain + record->plain_size}},
    };
    OM_uint32 major, minor;
    int sealed = 0;

    major = gss_wrap_iov(&minor, engine->context, confidential,
                         GSS_C_QOP_DEFAULT, &sealed, parts, 4);
    if (major != GSS_S_COMPLETE) {
        reason_gss(err, REASON_CHANNEL, major, minor, "cannot seal a record");
        return false;
    }
    if ((sealed != 0) != confidential ||
        parts[0].buffer.length != shape->header ||
        parts[3].buffer.length != shape->trailer ||
        (record->token[TOKEN_FLAGS_AT] & FLAG_ACCEPTOR_SUBKEY) == 0) {
        error_set(err, "cannot seal a record: the token that the Kerberos "
                       "library made is not of the agreed kind");
        return false;
    }
    return true;
}

static bool
gssapi_seal(struct channel *channel, bool confidential,
            struct seal_record *records, size_t count, struct error *err)
{
    struct channel_gssapi *engine = (struct channel_gssapi *)channel;

    if (!check_alive(engine, "seal", err))
        return false;
    for (size_t i = 0; i < count && !engine->dead; i++)
        engine->dead = !seal_one(engine, confidential, &records[i], err);
    return !engine->dead;
}

/* What can be seen before the token is verified; the flags are part of what is
 * verified, so that nobody can have changed them. */
static bool
check_header(const struct channel_gssapi *engine,
             const struct unseal_record *record, struct error *err)
{
    const uint8_t *token = record->token;
    uint8_t flags;

    if (record->token_size < TOKEN_HEADER_SIZE || token[0] != 0x05 ||
        token[1] != 0x04) {
        error_set(err, "cannot unseal a record: it is not a wrap token");
        return false;
    }
    flags = token[TOKEN_FLAGS_AT];
    if ((flags & FLAG_SENT_BY_ACCEPTOR) != engine->peer_flags) {
        error_set(err, "cannot unseal a record: it is one of our own, sent "
                       "back");
        return false;
    }
    if ((flags & FLAG_ACCEPTOR_SUBKEY) == 0) {
        error_set(err, "cannot unseal a record: it was not made with the "
                       "acceptor's subkey");
        return false;
    }
    return true;
}

/* GSS_ERROR() is silent about these: as they stand in major, they are notes on
 * a token that verified. */
static const struct {
    OM_uint32 bit;
    const char *text;
} sequence_faults[] = {
    {GSS_S_DUPLICATE_TOKEN, "it was received before"},
    {GSS_S_OLD_TOKEN, "it is too old to tell whether it was received before"},
    {GSS_S_UNSEQ_TOKEN, "it comes after one that was sent later"},
    {GSS_S_GAP_TOKEN, "one that was sent before it is missing"},
};

static void
explain(OM_uint32 major, OM_uint32 minor, struct error *err)
{
    for (size_t i = 0; i < sizeof sequence_faults / sizeof *sequence_faults;
         i++) {
        if (!GSS_ERROR(major) && (major & sequence_faults[i].bit) != 0) {
            error_set(err, "cannot unseal a record: %s",
                      sequence_faults[i].text);
            return;
        }
    }
    reason_gss(err, REASON_CHANNEL, major, minor, "cannot unseal a record");
}

static bool
unseal_one(struct channel_gssapi *engine, struct unseal_record *record,
           struct error *err)
{
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_STREAM, {record->token_size, record->token}},
        {GSS_IOV_BUFFER_TYPE_DATA, {0, NULL}},
    };
    gss_qop_t quality = GSS_C_QOP_DEFAULT;
    OM_uint32 major, minor;
    int sealed = 0;

    if (!check_header(engine, record, err))
        return false;
    major = gss_unwrap_iov(&minor, engine->context, &sealed, &quality, parts,
                           2);
    if (major != GSS_S_COMPLETE) {
        explain(major, minor, err);
        return false;
    }
    record->plain = parts[1].buffer.value;
    record->plain_size = parts[1].buffer.length;
    record->confidential = sealed != 0;
    return true;
}

static size_t
gssapi_unseal(struct channel *channel, struct unseal_record *records,
              size_t count, struct error *err)
{
    struct channel_gssapi *engine = (struct channel_gssapi *)channel;

    if (!check_alive(engine, "unseal", err))
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (!unseal_one(engine, &records[i], err)) {
            engine->dead = true;
            return i;
        }
    }
    return count;
}

static void
gssapi_free(struct channel *channel)
{
    struct channel_gssapi *engine = (struct channel_gssapi *)channel;
    OM_uint32 ignored;

    /* The library wipes the keys. */
    gss_delete_sec_context(&ignored, &engine->context, GSS_C_NO_BUFFER);
    free(engine);
}

static const struct channel_ops gssapi_ops = {
    .engine = "gssapi",
    .batch_max = BATCH_MAX,
    .shape = gssapi_shape,
    .seal = gssapi_seal,
    .unseal = gssapi_unseal,
    .free = gssapi_free,
};

/* With AES neither header nor trailer depends on what is between them. */
static bool
learn_shape(gss_ctx_id_t context, bool confidential,
            struct token_shape *shape_out, struct error *err)
{
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_HEADER, {0, NULL}},
        {GSS_IOV_BUFFER_TYPE_DATA, {1, NULL}},
        {GSS_IOV_BUFFER_TYPE_PADDING, {0, NULL}},
        {GSS_IOV_BUFFER_TYPE_TRAILER, {0, NULL}},
    };
    OM_uint32 major, minor;

    major = gss_wrap_iov_length(&minor, context, confidential,
                                GSS_C_QOP_DEFAULT, NULL, parts, 4);
    if (major != GSS_S_COMPLETE) {
        reason_gss(err, REASON_CHANNEL, major, minor,
                   "cannot learn the size of records");
        return false;
    }
    if (parts[2].buffer.length != 0) {
        error_set(err, "cannot use the context: its records need padding, "
                       "which AES does not");
        return false;
    }
    shape_out->header = parts[0].buffer.length;
    shape_out->trailer = parts[3].buffer.length;
    return true;
}

bool
channel_gssapi_new(gss_ctx_id_t *context, bool initiator,
                   struct channel **channel_out, struct error *err)
{
    struct channel_gssapi *engine = calloc(1, sizeof *engine);

    if (engine == NULL) {
        error_set(err, "cannot make a channel: out of memory");
        return false;
    }
    if (!learn_shape(*context, false, &engine->signed_shape, err) ||
        !learn_shape(*context, true, &engine->sealed_shape, err)) {
        free(engine);
        return false;
    }
    engine->channel.ops = &gssapi_ops;
    engine->peer_flags = initiator ? FLAG_SENT_BY_ACCEPTOR : 0;
    engine->context = *context;
    *context = GSS_C_NO_CONTEXT;
    *channel_out = &engine->channel;
    return true;
}
