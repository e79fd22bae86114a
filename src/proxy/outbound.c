/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the application to the tunnel.  A scattered read puts the application's
 * bytes where the tokens want them, they are sealed in place, and one write
 * sends the lot.  The invariant: nothing is read while sealed bytes wait.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/flow.h"
#include "wire/frame.h"

enum {
    CACHE_LINE = 64
};

struct slots {
    struct token_shape shape;
    size_t offset;  /* of the first in the batch */
    size_t payload; /* application bytes a slot takes */
    size_t stride;
    size_t count;
};

/* Bytes of a frame around the message's body. */
static size_t
overhead(const struct token_shape *shape)
{
    return FRAME_HEADER_SIZE + shape->header + 1 + shape->trailer;
}

static enum flow_status
flush(struct relay *relay)
{
    struct outbound *out = &relay->outbound;

    while (out->begin < out->end) {
        ssize_t n = send(relay->settings.tunnel_fd,
                         out->batch.bytes + out->begin, out->end - out->begin,
                         MSG_NOSIGNAL);
        if (n >= 0) {
            out->begin += (size_t)n;
        } else if (errno == EAGAIN) {
            relay->tunnel.writable = false;
            return FLOW_WAITS;
        } else if (errno != EINTR) {
            return relay_broken(relay, RELAY_TRUNCATED, 0,
                                "cannot send to the peer: %s", strerror(errno));
        }
    }
    out->begin = out->end = 0;
    return FLOW_BUSY;
}

/* A message without a body, appended to the batch. */
static enum flow_status
append(struct relay *relay, enum message_type type)
{
    struct outbound *out = &relay->outbound;
    struct token_shape shape;
    struct error error;
    bool confidential = relay_confidential(relay);

    relay->channel->ops->shape(relay->channel, confidential, &shape);
    uint8_t *frame = out->batch.bytes + out->end;
    struct seal_record record = {
        .token = frame + FRAME_HEADER_SIZE,
        .plain_size = 1,
    };
    record.token[shape.header] = (uint8_t)type;
    if (!relay->channel->ops->seal(relay->channel, confidential, &record, 1,
                                   &error)) {
        relay->channel_dead = true;
        return relay_broken(relay, RELAY_TRUNCATED, 0, "%s", error.text);
    }
    frame_encode(frame, shape.header + 1 + shape.trailer);
    out->end += overhead(&shape);
    return FLOW_BUSY;
}

static enum flow_status
append_owed(struct relay *relay)
{
    static const struct {
        enum owed bit;
        enum message_type type;
    } messages[] = {
        {OWED_READY, MESSAGE_READY},
        {OWED_PONG, MESSAGE_PONG},
        {OWED_PING, MESSAGE_PING},
    };
    struct outbound *out = &relay->outbound;

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if ((out->owed & messages[i].bit) == 0)
            continue;
        if (append(relay, messages[i].type) == FLOW_BROKEN)
            return FLOW_BROKEN;
        out->owed &= ~(unsigned)messages[i].bit;
    }
    return FLOW_BUSY;
}

/*
 * From one slot to the next.  A batch makes as many records as the engine has
 * lanes, which go through them side by side: an odd number of cache lines apart,
 * these do not crowd into the same few lines of the cache.
 */
static size_t
stride(const struct relay *relay, size_t around, size_t room)
{
    size_t lanes = relay->channel->ops->lanes;
    size_t most = relay->settings.peer_max_plaintext - 1 + around;
    size_t size = lanes > 1 ? room / lanes : RECORD_SLOT;

    if (size < RECORD_SLOT_LEAST)
        size = RECORD_SLOT_LEAST;
    if (size > RECORD_SLOT)
        size = RECORD_SLOT;
    if (size > most)
        size = most;
    if (size > room)
        size = room;
    if (lanes > 1 && size <= room / 2)
        size = ((size / CACHE_LINE - 1) | 1) * CACHE_LINE;
    return size;
}

static struct slots
lay_out(const struct relay *relay)
{
    const struct outbound *out = &relay->outbound;
    struct slots slots = {.offset = out->end};

    relay->channel->ops->shape(relay->channel, relay_confidential(relay),
                               &slots.shape);
    size_t around = overhead(&slots.shape);
    size_t room = out->batch.size - out->end;
    slots.stride = stride(relay, around, room);
    slots.payload = slots.stride - around;
    slots.count = room / slots.stride;
    if (slots.count > BATCH_RECORDS)
        slots.count = BATCH_RECORDS;
    return slots;
}

static uint8_t *
slot(const struct relay *relay, const struct slots *slots, size_t i)
{
    return relay->outbound.batch.bytes + slots->offset + i * slots->stride;
}

static ssize_t
read_application(struct relay *relay, const struct slots *slots)
{
    struct iovec vector[BATCH_RECORDS];

    for (size_t i = 0; i < slots->count; i++) {
        vector[i].iov_base = slot(relay, slots, i) + FRAME_HEADER_SIZE +
                             slots->shape.header + 1;
        vector[i].iov_len = slots->payload;
    }
    return readv(relay->settings.app_fd, vector, (int)slots->count);
}

/* size bytes were read into the slots. */
static enum flow_status
seal_slots(struct relay *relay, const struct slots *slots, size_t size)
{
    struct seal_record records[BATCH_RECORDS];
    struct outbound *out = &relay->outbound;
    struct error error;
    size_t count = 0;

    for (size_t left = size; left > 0; count++) {
        size_t part = left < slots->payload ? left : slots->payload;
        uint8_t *frame = slot(relay, slots, count);
        records[count].token = frame + FRAME_HEADER_SIZE;
        records[count].plain_size = 1 + part;
        records[count].token[slots->shape.header] = MESSAGE_DATA;
        frame_encode(frame, overhead(&slots->shape) + part - FRAME_HEADER_SIZE);
        out->end += overhead(&slots->shape) + part;
        left -= part;
    }
    if (relay->channel->ops->seal(relay->channel, relay_confidential(relay),
                                  records, count, &error))
        return FLOW_BUSY;
    relay->channel_dead = true;
    out->begin = out->end = 0;
    return relay_broken(relay, RELAY_TRUNCATED, 0, "%s", error.text);
}

/* Bigger batches while reads fill them, smaller when they do not. */
static void
adapt_reach(struct relay *relay, size_t got)
{
    struct outbound *out = &relay->outbound;
    size_t most = relay->channel->ops->batch_max;

    if (got * 2 > out->reach && out->reach * 2 <= most)
        out->reach *= 2;
    else if (got * 4 < out->reach && out->reach > BATCH_START)
        out->reach /= 2;
}

/* The application sends no more. */
static enum flow_status
take_end(struct relay *relay)
{
    const struct relay_settings *settings = &relay->settings;
    enum relay_app_end end = RELAY_APP_ENDED;
    struct error error;

    if (settings->on_app_end != NULL)
        end = settings->on_app_end(&error, settings->arg);
    if (end == RELAY_APP_FAILED)
        return relay_broken(relay, RELAY_APP_RESET, RESET_APPLICATION, "%s",
                            error.text);
    if (end == RELAY_APP_UNSURE) {
        relay->app.readable = false;
        return FLOW_BUSY;
    }
    relay->outbound.state = FLOW_ENDING;
    relay->data_ms = loop_now_ms();
    return append(relay, MESSAGE_EOF);
}

static enum flow_status
take_data(struct relay *relay)
{
    struct slots slots = lay_out(relay);
    ssize_t n = read_application(relay, &slots);

    if (n > 0) {
        relay->progress.from_app += (uint64_t)n;
        relay->data_ms = loop_now_ms();
        adapt_reach(relay, (size_t)n);
        return seal_slots(relay, &slots, (size_t)n);
    }
    if (n == 0 || (errno == ECONNRESET && relay->settings.on_app_end != NULL))
        return take_end(relay);
    if (errno == EAGAIN)
        relay->app.readable = false;
    else if (errno != EINTR)
        return relay_broken(relay, RELAY_APP_RESET, RESET_APPLICATION,
                            "the application reset the connection: %s",
                            strerror(errno));
    return FLOW_BUSY;
}

static bool
has_work(const struct relay *relay)
{
    const struct outbound *out = &relay->outbound;

    return out->owed != 0 || (out->state == FLOW_OPEN && relay->app.readable);
}

static enum flow_status
fill(struct relay *relay)
{
    struct outbound *out = &relay->outbound;

    if (!batch_grow(relay->settings.store, &out->batch, out->reach) &&
        !batch_grow(relay->settings.store, &out->batch, BATCH_GUARANTEED))
        return relay_broken(relay, RELAY_TRUNCATED, RESET_INTERNAL,
                            "cannot seal: out of memory");
    if (append_owed(relay) == FLOW_BROKEN)
        return FLOW_BROKEN;
    if (out->state == FLOW_OPEN && relay->app.readable)
        return take_data(relay);
    return FLOW_BUSY;
}

enum flow_status
outbound_pump(struct relay *relay)
{
    struct outbound *out = &relay->outbound;

    for (int batches = 0;; batches++) {
        enum flow_status status = flush(relay);
        if (status != FLOW_BUSY)
            return status;
        if (out->state == FLOW_ENDING)
            out->state = FLOW_ENDED;
        bool works = has_work(relay);
        if (!works || batches == TURN_BATCHES) {
            /* Who has the next turn takes it up while the cache holds it. */
            batch_release(relay->settings.store, &out->batch);
            return works ? FLOW_BUSY : FLOW_WAITS;
        }
        if (fill(relay) == FLOW_BROKEN)
            return FLOW_BROKEN;
    }
}
