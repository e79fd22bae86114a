/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the tunnel to the application.  One read brings frames, whole ones are
 * opened in place together, and one gathered write delivers what they carried.
 * The invariant: nothing is read while plaintext waits for the application.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "proxy/flow.h"
#include "wire/frame.h"

static enum flow_status
deliver(struct relay *relay)
{
    struct inbound *in = &relay->inbound;

    while (in->plain_next < in->plain_count) {
        struct msghdr message = {
            .msg_iov = in->plain + in->plain_next,
            .msg_iovlen = (size_t)(in->plain_count - in->plain_next),
        };
        ssize_t n = sendmsg(relay->settings.app_fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            relay->app.writable = false;
            return FLOW_WAITS;
        }
        if (n < 0)
            return relay_broken(relay, RELAY_APP_RESET, RESET_APPLICATION,
                                "the application closed its connection: %s",
                                strerror(errno));
        relay->progress.to_app += (uint64_t)n;
        for (size_t left = (size_t)n; left > 0;) {
            struct iovec *first = &in->plain[in->plain_next];
            size_t part = left < first->iov_len ? left : first->iov_len;
            first->iov_base = (uint8_t *)first->iov_base + part;
            first->iov_len -= part;
            left -= part;
            if (first->iov_len == 0)
                in->plain_next++;
        }
    }
    in->plain_next = in->plain_count = 0;
    return FLOW_BUSY;
}

/* Everything the peer sent is written: its EOF becomes ours.  An application
 * that could not be told would wait for it for ever, unless it has said all it
 * had to say. */
static enum flow_status
end_application(struct relay *relay)
{
    int failure, why;

    relay->inbound.state = FLOW_ENDED;
    if (shutdown(relay->settings.app_fd, SHUT_WR) == 0 ||
        relay->outbound.state == FLOW_ENDED)
        return FLOW_BUSY;
    /* It says only that there is no connection, not what became of it. */
    failure = errno;
    why = relay_pending_error(relay->settings.app_fd);
    return relay_broken(relay, RELAY_APP_RESET, RESET_APPLICATION,
                        "the application reset the connection: %s",
                        strerror(why != 0 ? why : failure));
}

static enum flow_status
violation(struct relay *relay, const char *what, const uint8_t *plain)
{
    return relay_broken(relay, RELAY_VIOLATION, RESET_PROTOCOL,
                        "the peer broke the protocol: %s (%s)", what,
                        message_name(plain[0]));
}

static enum flow_status
on_reset(struct relay *relay, const struct unseal_record *record)
{
    struct reset reset;
    struct error error;
    char safe[MESSAGE_SENTENCE_MAX + 1];

    if (!reset_parse(record->plain, record->plain_size, &reset, &error))
        return relay_broken(relay, RELAY_VIOLATION, RESET_PROTOCOL, "%s",
                            error.text);
    text_sanitize(reset.sentence, strlen(reset.sentence), safe, sizeof safe);
    relay->result.refused = !reset.retryable;
    relay_broken(relay, RELAY_PEER_RESET, 0, "the peer ended it (%s): %s",
                 reset_name(reset.code), safe);
    error_label(&relay->result.error, reset_name(reset.code));
    return FLOW_BROKEN;
}

static enum flow_status
on_ready_message(struct relay *relay, const struct unseal_record *record)
{
    if (!relay->inbound.awaits_ready)
        return violation(relay, "a message out of order", record->plain);
    relay->inbound.awaits_ready = false;
    relay->settings.on_opened(relay->settings.arg);
    return FLOW_BUSY;
}

static enum flow_status
on_data(struct relay *relay, const struct unseal_record *record)
{
    struct inbound *in = &relay->inbound;

    if (in->state != FLOW_OPEN)
        return violation(relay, "data after its end", record->plain);
    if (record->plain_size == 1)
        return FLOW_BUSY;
    relay->data_ms = relay->heard_ms;
    in->plain[in->plain_count].iov_base = record->plain + 1;
    in->plain[in->plain_count++].iov_len = record->plain_size - 1;
    return FLOW_BUSY;
}

static enum flow_status
on_bare_message(struct relay *relay, const struct unseal_record *record)
{
    struct inbound *in = &relay->inbound;
    uint8_t type = record->plain[0];

    if (record->plain_size != 1)
        return violation(relay, "a body where none belongs", record->plain);
    if (type == MESSAGE_READY)
        return on_ready_message(relay, record);
    if (type == MESSAGE_PING) {
        relay->outbound.owed |= OWED_PONG;
    } else if (type == MESSAGE_EOF) {
        if (in->state != FLOW_OPEN)
            return violation(relay, "a second end", record->plain);
        in->state = FLOW_ENDING;
        relay->data_ms = relay->heard_ms;
    }
    return FLOW_BUSY;
}

static enum flow_status
on_message(struct relay *relay, const struct unseal_record *record)
{
    if (record->plain_size == 0)
        return relay_broken(relay, RELAY_VIOLATION, RESET_PROTOCOL,
                            "the peer broke the protocol: an empty message");
    uint8_t type = record->plain[0];
    bool encrypted = type == MESSAGE_HELLO || type == MESSAGE_RESET ||
                     relay_confidential(relay);

    if (record->confidential != encrypted)
        return violation(relay,
                         encrypted ? "an unencrypted message"
                                   : "an encrypted message in a signed tunnel",
                         record->plain);
    if (relay->inbound.awaits_ready && type != MESSAGE_READY &&
        type != MESSAGE_RESET)
        return violation(relay, "a message before READY", record->plain);
    switch (type) {
    case MESSAGE_DATA:
        return on_data(relay, record);
    case MESSAGE_RESET:
        return on_reset(relay, record);
    case MESSAGE_READY:
    case MESSAGE_EOF:
    case MESSAGE_PING:
    case MESSAGE_PONG:
        return on_bare_message(relay, record);
    default:
        return violation(relay, "a message out of order", record->plain);
    }
}

/* The whole frames at the front.  *count_out may be 0. */
static enum flow_status
find_frames(struct relay *relay, struct unseal_record *records,
            size_t *count_out, size_t *wanted_out)
{
    struct inbound *in = &relay->inbound;
    size_t count = 0, token_size = 0;

    while (count < BATCH_RECORDS) {
        enum frame_status status = frame_parse(
            in->batch.bytes + in->begin, in->end - in->begin,
            PLAINTEXT_MAX + TOKEN_OVERHEAD_MAX, &token_size);
        if (status == FRAME_NEED_MORE)
            break;
        if (status != FRAME_READY)
            return relay_broken(relay, RELAY_TRUNCATED, 0,
                                "the tunnel is damaged: a frame of %zu bytes",
                                token_size);
        records[count++] = (struct unseal_record){
            .token = in->batch.bytes + in->begin + FRAME_HEADER_SIZE,
            .token_size = token_size,
        };
        in->begin += FRAME_HEADER_SIZE + token_size;
        token_size = 0;
    }
    *count_out = count;
    *wanted_out = FRAME_HEADER_SIZE + token_size;
    return FLOW_BUSY;
}

/* Opens what is whole.  *wanted_out: the size of the first frame that is not,
 * when nothing was whole; else 0. */
static enum flow_status
open_frames(struct relay *relay, size_t *wanted_out)
{
    struct unseal_record records[BATCH_RECORDS];
    struct error error;
    size_t count = 0;

    if (find_frames(relay, records, &count, wanted_out) == FLOW_BROKEN)
        return FLOW_BROKEN;
    if (count == 0)
        return FLOW_WAITS;
    *wanted_out = 0;
    size_t good = relay->channel->ops->unseal(relay->channel, records, count,
                                              &error);
    relay->channel_dead = good < count;
    for (size_t i = 0; i < good; i++) {
        if (on_message(relay, &records[i]) == FLOW_BROKEN)
            return FLOW_BROKEN;
    }
    if (good == count)
        return FLOW_BUSY;
    return relay_broken(relay, RELAY_TRUNCATED, 0, "the tunnel is damaged: %s",
                        error.text);
}

/* Beyond the limit no more than twice what has come, and no more than the frame
 * takes: peers that stop in the middle of one hold little.  To wait here for
 * others, who may wait in the middle of theirs, could be for ever. */
static bool
require_room(struct relay *relay, size_t wanted)
{
    struct batch *batch = &relay->inbound.batch;
    size_t next = batch->size == 0 ? BATCH_GUARANTEED : batch->size * 2;

    return batch_require(relay->settings.store, batch,
                         batch->size == 0 || next < wanted ? next : wanted);
}

/* To the front. */
static void
compact(struct inbound *in)
{
    memmove(in->batch.bytes, in->batch.bytes + in->begin, in->end - in->begin);
    in->end -= in->begin;
    in->begin = 0;
}

/* Room for a frame of wanted bytes at begin, and for what is worth receiving:
 * more of it or less than before, also while a frame has begun, which one always
 * has on some connections.  False: there is no memory. */
static bool
make_room(struct relay *relay, size_t wanted)
{
    struct inbound *in = &relay->inbound;
    size_t most = wanted > in->reach ? wanted : in->reach;
    bool wasteful = in->batch.size >= BATCH_WASTEFUL * most &&
                    in->end - in->begin <= most;

    if (in->begin > 0 && (wasteful || in->begin + wanted > in->batch.size))
        compact(in);
    if (wasteful)
        batch_shrink(relay->settings.store, &in->batch, most);
    if (!batch_grow(relay->settings.store, &in->batch, most) &&
        in->end == in->batch.size && !require_room(relay, wanted))
        return false;
    return in->end < in->batch.size;
}

static void
adapt_reach(struct relay *relay, size_t got)
{
    struct inbound *in = &relay->inbound;
    size_t most = relay->channel->ops->batch_max;

    if (in->end == in->batch.size && in->reach * 2 <= most)
        in->reach *= 2;
    else if (got * 4 < in->reach && in->reach > BATCH_START)
        in->reach /= 2;
}

static enum flow_status
receive(struct relay *relay)
{
    struct inbound *in = &relay->inbound;
    ssize_t n = recv(relay->settings.tunnel_fd, in->batch.bytes + in->end,
                     in->batch.size - in->end, 0);

    if (n > 0) {
        in->end += (size_t)n;
        relay->heard_ms = loop_now_ms();
        relay->pinged = false;
        adapt_reach(relay, (size_t)n);
        return FLOW_BUSY;
    }
    if (n == 0)
        return relay_broken(relay, RELAY_TRUNCATED, 0,
                            "truncated: the peer closed the tunnel before its "
                            "end was announced");
    if (errno == EINTR)
        return FLOW_BUSY;
    if (errno != EAGAIN)
        return relay_broken(relay, RELAY_TRUNCATED, 0,
                            "truncated: cannot read the tunnel: %s",
                            strerror(errno));
    relay->tunnel.readable = false;
    return FLOW_WAITS;
}

/* Nothing whole is here and nothing more has come: an empty batch goes back. */
static void
rest(struct relay *relay)
{
    struct inbound *in = &relay->inbound;

    if (in->begin < in->end)
        return;
    in->begin = in->end = 0;
    batch_release(relay->settings.store, &in->batch);
}

enum flow_status
inbound_pump(struct relay *relay)
{
    struct inbound *in = &relay->inbound;

    for (int turn = 0; turn < TURN_BATCHES * 2; turn++) {
        size_t wanted = 0;
        enum flow_status status = deliver(relay);
        if (status != FLOW_BUSY)
            return status;
        if (in->state == FLOW_ENDING && end_application(relay) == FLOW_BROKEN)
            return FLOW_BROKEN;
        /* Both directions are over: what the peer says now, most likely its
         * FIN, is for the farewell. */
        if (in->state == FLOW_ENDED && relay->outbound.state == FLOW_ENDED)
            return FLOW_WAITS;

        status = open_frames(relay, &wanted);
        if (status == FLOW_BUSY)
            continue;
        if (status == FLOW_BROKEN)
            return status;
        if (!relay->tunnel.readable) {
            rest(relay);
            return FLOW_WAITS;
        }
        if (!make_room(relay, wanted)) {
            timer_start(&relay->turn, TURN_WAIT_MS);
            return FLOW_WAITS;
        }
        status = receive(relay);
        if (status == FLOW_WAITS)
            rest(relay);
        if (status != FLOW_BUSY)
            return status;
    }
    return FLOW_BUSY;
}
