/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fakes keep the contracts that the real ones promise: all or nothing when
 * sealing, nothing after the first bad token, dead for good after a failure.
 */
#include "fake_gss.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>

#include "latch.h"

static atomic_int live;
static struct latch slow = LATCH_INITIALIZER;
static struct latch proceed = LATCH_INITIALIZER;

int
fake_live(void)
{
    return atomic_load(&live);
}

void
fake_await_gone(void)
{
    for (int i = 0; i < LATCH_PATIENCE_MS && fake_live() > 0; i++)
        latch_pause();
    ck_assert_int_eq(fake_live(), 0);
}

/* Numbers. */

static void
put32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t
get32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
           (uint32_t)in[2] << 8 | in[3];
}

static uint32_t
checksum(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

/* Channels. */

static size_t
trailer(bool confidential)
{
    return FAKE_CHECKSUM + (confidential ? (size_t)FAKE_PADDING : 0);
}

static void
fake_shape(const struct channel *channel, bool confidential,
           struct token_shape *shape_out)
{
    (void)channel;
    shape_out->header = FAKE_HEADER;
    shape_out->trailer = trailer(confidential);
}

static void
invert(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)~bytes[i];
}

static void
seal_one(struct fake_channel *fake, bool confidential,
         const struct seal_record *record)
{
    uint8_t *token = record->token;
    size_t size = FAKE_HEADER + record->plain_size;

    memcpy(token, "FK\0\0", 4);
    if (confidential)
        token[FAKE_FLAGS_AT] |= FAKE_ENCRYPTED;
    if (fake->role == ROLE_SERVER)
        token[FAKE_FLAGS_AT] |= FAKE_BY_ACCEPTOR;
    put32(token + FAKE_SEQUENCE_AT, fake->sends++);
    if (confidential)
        invert(token + FAKE_HEADER, record->plain_size);
    put32(token + size, checksum(token, size));
    memset(token + size + FAKE_CHECKSUM, 0,
           trailer(confidential) - FAKE_CHECKSUM);
}

static bool
fake_seal(struct channel *channel, bool confidential,
          struct seal_record *records, size_t count, struct error *err)
{
    struct fake_channel *fake = (struct fake_channel *)channel;

    ck_assert_msg(!fake->dead, "a dead channel was told to seal");
    if (fake->seals_left == 0) {
        fake->dead = true;
        error_set(err, "cannot seal a record: told to fail");
        return false;
    }
    fake->seals_left--;
    if (count > fake->most_sealed)
        fake->most_sealed = count;
    for (size_t i = 0; i < count; i++)
        seal_one(fake, confidential, &records[i]);
    return true;
}

/* NULL when it is good. */
static const char *
unseal_one(struct fake_channel *fake, struct unseal_record *record)
{
    uint8_t *token = record->token;

    if (record->token_size < FAKE_HEADER + FAKE_CHECKSUM ||
        memcmp(token, "FK", 2) != 0)
        return "it is not a fake token";
    bool confidential = (token[FAKE_FLAGS_AT] & FAKE_ENCRYPTED) != 0;
    bool by_acceptor = (token[FAKE_FLAGS_AT] & FAKE_BY_ACCEPTOR) != 0;
    if (record->token_size < FAKE_HEADER + trailer(confidential))
        return "it is short";
    size_t size = record->token_size - trailer(confidential);
    if (by_acceptor != (fake->role == ROLE_CLIENT))
        return "it is one of our own";
    if (get32(token + size) != checksum(token, size))
        return "its checksum is wrong";
    if (get32(token + FAKE_SEQUENCE_AT) != fake->receives)
        return "it is out of sequence";
    fake->receives++;
    record->plain = token + FAKE_HEADER;
    record->plain_size = size - FAKE_HEADER;
    record->confidential = confidential;
    if (confidential)
        invert(record->plain, record->plain_size);
    return NULL;
}

static size_t
fake_unseal(struct channel *channel, struct unseal_record *records,
            size_t count, struct error *err)
{
    struct fake_channel *fake = (struct fake_channel *)channel;

    ck_assert_msg(!fake->dead, "a dead channel was told to unseal");
    if (count > fake->most_unsealed)
        fake->most_unsealed = count;
    for (size_t i = 0; i < count; i++) {
        const char *fault = unseal_one(fake, &records[i]);
        if (fault == NULL)
            continue;
        fake->dead = true;
        error_set(err, "cannot unseal a record: %s", fault);
        return i;
    }
    return count;
}

static void
fake_channel_free(struct channel *channel)
{
    free(channel);
    atomic_fetch_sub(&live, 1);
}

static const struct channel_ops channel_ops = {
    .engine = "fake",
    .batch_max = 64 * 1024,
    .shape = fake_shape,
    .seal = fake_seal,
    .unseal = fake_unseal,
    .free = fake_channel_free,
};

struct fake_channel *
fake_channel_new(enum role role)
{
    struct fake_channel *fake = calloc(1, sizeof *fake);

    ck_assert_ptr_nonnull(fake);
    fake->ops = channel_ops;
    fake->channel.ops = &fake->ops;
    fake->role = role;
    fake->seals_left = UINT32_MAX;
    atomic_fetch_add(&live, 1);
    return fake;
}

void
fake_resign(uint8_t *token, size_t token_size)
{
    bool confidential = (token[FAKE_FLAGS_AT] & FAKE_ENCRYPTED) != 0;
    size_t size = token_size - trailer(confidential);

    put32(token + size, checksum(token, size));
}

/* Contexts. */

struct fake_context {
    struct context context; /* first */
    enum role role;
    struct fake_script script;
    struct context_peer peer;
    char display[sizeof FAKE_PEER];
    bool done, given;
};

void
fake_await_slow(void)
{
    latch_wait(&slow, 1);
}

void
fake_proceed(void)
{
    latch_tell(&proceed);
}

static void
dawdle(bool is_slow)
{
    if (!is_slow)
        return;
    latch_tell(&slow);
    latch_wait(&proceed, 1);
}

static enum context_status
give(struct context_output *out, const char *token, enum context_status status)
{
    out->token = (uint8_t *)strdup(token);
    ck_assert_ptr_nonnull(out->token);
    out->token_size = strlen(token);
    return status;
}

static enum context_status
refuse(struct fake_context *fake, struct context_output *out)
{
    error_set(&out->error, "cannot establish: told to fail");
    out->stale = fake->script.stale;
    if (fake->script.error_token)
        return give(out, FAKE_ERROR_TOKEN, CONTEXT_FAILED);
    return CONTEXT_FAILED;
}

static bool
is_token(const char *expected, const uint8_t *token, size_t size)
{
    return size == strlen(expected) && memcmp(token, expected, size) == 0;
}

static enum context_status
fake_step(struct context *context, const uint8_t *token, size_t token_size,
          struct context_output *out)
{
    struct fake_context *fake = (struct fake_context *)context;
    bool initiator = fake->role == ROLE_CLIENT;

    ck_assert_msg(!fake->done, "a step after the last one");
    dawdle(fake->script.slow_step);
    if (initiator && token == NULL) {
        if (fake->script.need_ticket == 0)
            return give(out, FAKE_AP_REQ, CONTEXT_CONTINUE);
        fake->script.need_ticket--;
        return CONTEXT_NEED_TICKET;
    }
    if (fake->script.fails)
        return refuse(fake, out);
    if (!is_token(initiator ? FAKE_AP_REP : FAKE_AP_REQ, token, token_size)) {
        error_set(&out->error, "cannot establish: not the token expected");
        return CONTEXT_FAILED;
    }
    fake->done = true;
    return initiator ? CONTEXT_DONE : give(out, FAKE_AP_REP, CONTEXT_DONE);
}

static bool
fake_fetch(struct context *context, struct error *err)
{
    struct fake_context *fake = (struct fake_context *)context;

    dawdle(fake->script.slow_fetch);
    if (fake->script.fetch_fails)
        error_set(err, "cannot get a ticket: told to fail");
    return !fake->script.fetch_fails;
}

static const struct context_peer *
fake_peer(const struct context *context)
{
    const struct fake_context *fake = (const struct fake_context *)context;

    ck_assert(fake->done);
    return &fake->peer;
}

static struct channel *
fake_take_channel(struct context *context)
{
    struct fake_context *fake = (struct fake_context *)context;

    ck_assert(fake->done && !fake->given);
    fake->given = true;
    return &fake_channel_new(fake->role)->channel;
}

static void
fake_context_free(struct context *context)
{
    struct fake_context *fake = (struct fake_context *)context;

    principal_clear(&fake->peer.principal);
    free(fake);
    atomic_fetch_sub(&live, 1);
}

static const struct context_ops context_ops = {
    .step = fake_step,
    .fetch = fake_fetch,
    .peer = fake_peer,
    .channel = fake_take_channel,
    .free = fake_context_free,
};

struct context *
fake_context_new(enum role role, const struct fake_script *script)
{
    struct fake_context *fake = calloc(1, sizeof *fake);

    ck_assert_ptr_nonnull(fake);
    fake->context.ops = &context_ops;
    strcpy(fake->context.lane, "kdc TEST");
    fake->role = role;
    fake->script = *script;
    strcpy(fake->display, FAKE_PEER);
    fake->peer.display = fake->display;
    fake->peer.endtime = script->endtime;
    fake->peer.enctype = "fake-enctype";
    fake->peer.ticket_enctype = "fake-ticket-enctype";
    ck_assert(principal_parse(FAKE_PEER, &fake->peer.principal, NULL));
    atomic_fetch_add(&live, 1);
    return &fake->context;
}
