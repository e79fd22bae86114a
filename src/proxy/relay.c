/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of the two flows: when they run, when silence means death, and the
 * one place where the relay ends.
 */
#include "proxy/relay.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "proxy/flow.h"
#include "wire/reset.h"

static void
finish(struct relay *relay)
{
    struct relay_result result = relay->result;

    watch_clear(&relay->app);
    watch_clear(&relay->tunnel);
    timer_stop(&relay->heartbeat);
    timer_stop(&relay->idle);
    timer_stop(&relay->turn);
    relay->settings.on_ended(&result, relay->settings.arg);
}

enum flow_status
relay_broken(struct relay *relay, enum relay_end end, enum reset_code reset,
             const char *format, ...)
{
    va_list args;

    relay->result.end = end;
    relay->result.reset = reset;
    va_start(args, format);
    vsnprintf(relay->result.error.text, sizeof relay->result.error.text, format,
              args);
    va_end(args);
    error_label(&relay->result.error,
                reset != 0 ? reset_name((uint8_t)reset) : "truncated");
    return FLOW_BROKEN;
}

/* While it carries much, those who carry little come first. */
static void
make_way(struct relay *relay)
{
    bool much = relay->inbound.reach > BATCH_START ||
                relay->outbound.reach > BATCH_START;

    relay->app.slow = relay->tunnel.slow = much;
}

static void
pump(void *arg)
{
    struct relay *relay = arg;
    enum flow_status in = inbound_pump(relay);
    enum flow_status out = FLOW_WAITS;

    if (in != FLOW_BROKEN)
        out = outbound_pump(relay);
    if (in == FLOW_BROKEN || out == FLOW_BROKEN) {
        finish(relay);
    } else if (relay->inbound.state == FLOW_ENDED &&
               relay->outbound.state == FLOW_ENDED) {
        relay->result.end = RELAY_FINISHED;
        error_set(&relay->result.error, "finished");
        finish(relay);
    } else {
        make_way(relay);
        if (in == FLOW_BUSY || out == FLOW_BUSY)
            watch_again(&relay->tunnel);
    }
}

int
relay_pending_error(int fd)
{
    int number = 0;
    socklen_t size = sizeof number;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number
                                                                     : errno;
}

/* After its EOF the application is not read any more: only the socket's error
 * tells that it died. */
static void
on_application(void *arg)
{
    struct relay *relay = arg;
    int number = 0;

    if (relay->outbound.state != FLOW_OPEN)
        number = relay_pending_error(relay->settings.app_fd);
    if (number == 0) {
        pump(relay);
        return;
    }
    relay_broken(relay, RELAY_APP_RESET, RESET_APPLICATION,
                 "the application reset the connection: %s", strerror(number));
    finish(relay);
}

static bool
is_blocked(const struct relay *relay)
{
    return relay->outbound.begin < relay->outbound.end ||
           relay->inbound.plain_next < relay->inbound.plain_count ||
           relay->inbound.awaits_ready || relay->tunnel.readable;
}

static void
on_heartbeat(void *arg)
{
    struct relay *relay = arg;
    uint64_t interval = relay->settings.heartbeat;
    uint64_t now = loop_now_ms();

    /* A peer whose reader is slow, whose words we do not read (perhaps for
     * lack of memory), or whose application is being dialled is not silent:
     * TCP keepalive watches over it. */
    if (is_blocked(relay))
        relay->heard_ms = now;
    if (now - relay->heard_ms < interval) {
        timer_start(&relay->heartbeat, relay->heard_ms + interval - now);
    } else if (!relay->pinged) {
        relay->pinged = true;
        relay->outbound.owed |= OWED_PING;
        relay->heard_ms = now;
        timer_start(&relay->heartbeat, interval);
        pump(relay);
    } else {
        relay_broken(relay, RELAY_SILENT, 0,
                     "truncated: the peer is silent and answers no PING");
        finish(relay);
    }
}

static void
on_idle(void *arg)
{
    struct relay *relay = arg;
    uint64_t limit = relay->settings.idle_timeout;
    uint64_t now = loop_now_ms();

    if (now - relay->data_ms < limit) {
        timer_start(&relay->idle, relay->data_ms + limit - now);
        return;
    }
    relay_broken(relay, RELAY_IDLE, RESET_TIMEOUT, "idle for idle_timeout");
    finish(relay);
}

static void
start_clocks(struct relay *relay)
{
    struct loop *loop = relay->settings.loop;

    timer_init(&relay->heartbeat, loop, on_heartbeat, relay);
    timer_init(&relay->idle, loop, on_idle, relay);
    timer_init(&relay->turn, loop, pump, relay);
    relay->heard_ms = relay->data_ms = loop_now_ms();
    if (relay->settings.heartbeat != DURATION_OFF)
        timer_start(&relay->heartbeat, relay->settings.heartbeat);
    if (relay->settings.idle_timeout != DURATION_OFF)
        timer_start(&relay->idle, relay->settings.idle_timeout);
}

struct relay *
relay_start(const struct relay_settings *settings, struct channel *channel)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL) {
        channel_free(channel);
        return NULL;
    }
    relay->settings = *settings;
    relay->channel = channel;
    relay->outbound.reach = BATCH_START;
    relay->inbound.reach = BATCH_START;
    relay->inbound.awaits_ready = settings->opening == RELAY_AWAITS_READY;
    if (settings->opening == RELAY_SENDS_READY)
        relay->outbound.owed = OWED_READY;
    start_clocks(relay);
    if (!watch_init(&relay->app, settings->loop, settings->app_fd,
                    on_application, relay) ||
        !watch_init(&relay->tunnel, settings->loop, settings->tunnel_fd, pump,
                    relay)) {
        relay_free(relay);
        return NULL;
    }
    return relay;
}

void
relay_free(struct relay *relay)
{
    if (relay == NULL)
        return;
    watch_clear(&relay->app);
    watch_clear(&relay->tunnel);
    timer_stop(&relay->heartbeat);
    timer_stop(&relay->idle);
    timer_stop(&relay->turn);
    batch_release(relay->settings.store, &relay->outbound.batch);
    batch_release(relay->settings.store, &relay->inbound.batch);
    channel_free(relay->channel);
    free(relay);
}

void
relay_look_again(struct relay *relay)
{
    relay->app.readable = true;
    watch_again(&relay->app);
}

void
relay_last_words(struct relay *relay, enum reset_code code,
                 const char *sentence, struct bytes *bytes)
{
    struct outbound *out = &relay->outbound;
    struct error ignored;

    if (relay->channel_dead)
        return;
    if (!bytes_append(bytes, out->batch.bytes + out->begin,
                      out->end - out->begin))
        return;
    if (code != 0 &&
        !sealed_append_reset(bytes, relay->channel, code, sentence, &ignored))
        relay->channel_dead = true;
}

struct relay_progress
relay_progress(const struct relay *relay)
{
    return relay->progress;
}

const char *
relay_engine(const struct relay *relay)
{
    return relay->channel->ops->engine;
}
