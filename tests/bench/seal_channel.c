/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kerbwrap's channels, made and used as the daemon does, but for the sockets
 * and the pool.
 */
#include "seal.h"

#include <stdlib.h>

#include "gss/channel.h"
#include "gss/context.h"
#include "gss/credential.h"

enum {
    RECORDS_MAX = 16,
    SLOT_SIZE = 64 * 1024 + 256,
};

struct pair {
    struct sealer sealer; /* first */
    struct channel *initiator, *acceptor;
    uint8_t slots[RECORDS_MAX][SLOT_SIZE];
};

static struct context *
initiator_new(const struct seal_parties *parties)
{
    struct initiator_settings settings = {
        .principal = parties->principal,
        .keytab = parties->keytab,
    };
    struct credential *credential;
    struct error error;

    if (!credential_new_initiator(&settings, 0, &credential, &error))
        die("use the client's keytab", error.text);
    struct context *context = context_new_initiator(credential, parties->target,
                                                    &error);
    credential_release(credential);
    if (context == NULL || !context->ops->fetch(context, &error))
        die("get a ticket", error.text);
    return context;
}

static struct context *
acceptor_new(const struct seal_parties *parties)
{
    struct acceptor_settings settings = {.keytab = parties->target_keytab};
    struct credential *credential;
    struct error error;

    if (!credential_new_acceptor(&settings, 0, &credential, &error))
        die("use the server's keytab", error.text);
    struct context *context = context_new_acceptor(credential, &error);
    credential_release(credential);
    if (context == NULL)
        die("accept", error.text);
    return context;
}

/* Takes one step; input is freed. */
static struct context_output
step(struct context *context, struct context_output input,
     enum context_status wanted)
{
    struct context_output output;

    if (context->ops->step(context, input.token, input.token_size, &output) !=
        wanted)
        die("authenticate", output.error.text);
    free(input.token);
    return output;
}

static void
establish(const struct seal_parties *parties, enum engine_choice engine,
          struct pair *pair)
{
    struct context *initiator = initiator_new(parties);
    struct context *acceptor = acceptor_new(parties);
    struct context_output output = {0};

    initiator->engine = acceptor->engine = engine;
    output = step(initiator, output, CONTEXT_CONTINUE);
    output = step(acceptor, output, CONTEXT_DONE);
    output = step(initiator, output, CONTEXT_DONE);
    free(output.token);
    pair->initiator = initiator->ops->channel(initiator);
    pair->acceptor = acceptor->ops->channel(acceptor);
    pair->sealer.enctype = initiator->ops->peer(initiator)->enctype;
    if (pair->initiator == NULL || pair->acceptor == NULL)
        die("make a channel", "out of memory");
    context_free(initiator);
    context_free(acceptor);
}

static void
carry(struct sealer *sealer, size_t size, size_t count, struct seal_cost *cost)
{
    struct pair *pair = (struct pair *)sealer;
    struct seal_record in[RECORDS_MAX];
    struct unseal_record out[RECORDS_MAX];
    struct token_shape shape;
    struct error error;

    pair->initiator->ops->shape(pair->initiator, true, &shape);
    for (size_t i = 0; i < count; i++) {
        in[i] = (struct seal_record){pair->slots[i], size};
        out[i] = (struct unseal_record){
            .token = pair->slots[i],
            .token_size = shape.header + size + shape.trailer,
        };
    }
    uint64_t begun = processor_ns();
    if (!pair->initiator->ops->seal(pair->initiator, true, in, count, &error))
        die("seal", error.text);
    uint64_t sealed = processor_ns();
    if (pair->acceptor->ops->unseal(pair->acceptor, out, count, &error) !=
        count)
        die("unseal", error.text);
    cost->seal_ns += sealed - begun;
    cost->unseal_ns += processor_ns() - sealed;
}

struct sealer *
sealer_channel(const struct seal_parties *parties, enum engine_choice engine)
{
    static struct pair pairs[ENGINE_MULTIBUFFER + 1];
    struct pair *pair = &pairs[engine];

    if (!engine_check(engine, NULL))
        return NULL;
    establish(parties, engine, pair);
    pair->sealer.name = pair->initiator->ops->engine;
    pair->sealer.carry = carry;
    return &pair->sealer;
}
