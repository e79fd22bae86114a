/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing of single frames.  At any time it either sends, or
 * awaits, or rests; each callback is the last statement of its function, for
 * the owner may be gone after it.
 */
#include "proxy/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "wire/frame.h"

enum {
    READ_STEP = 4096
};

static void
end(struct exchange *exchange, enum exchange_end reason,
    const struct error *error)
{
    exchange->on_frame = NULL;
    exchange->on_sent = NULL;
    exchange->on_ended(exchange->arg, reason, error);
}

static bool
grow_input(struct exchange *exchange, size_t wanted)
{
    /* Doubles what has arrived, never jumps to what was declared. */
    size_t room = exchange->in_room == 0 ? READ_STEP : exchange->in_room * 2;
    if (room > wanted && wanted >= READ_STEP)
        room = wanted;
    uint8_t *in = realloc(exchange->in, room);
    if (in == NULL)
        return false;
    exchange->in = in;
    exchange->in_room = room;
    return true;
}

/* Reads towards wanted bytes.  False: try later, or *error_out is set. */
static bool
read_some(struct exchange *exchange, size_t wanted, struct error *error_out)
{
    if (exchange->in_size == exchange->in_room &&
        !grow_input(exchange, wanted)) {
        error_set(error_out, "cannot read %s: out of memory", exchange->stage);
        return false;
    }
    size_t room = wanted < exchange->in_room ? wanted : exchange->in_room;
    ssize_t n = recv(exchange->fd, exchange->in + exchange->in_size,
                     room - exchange->in_size, 0);
    if (n > 0) {
        exchange->in_size += (size_t)n;
        exchange->heard = true;
        return true;
    }
    if (n == 0)
        error_set(error_out, "the peer closed the connection while %s was due",
                  exchange->stage);
    else if (errno == EINTR)
        return true;
    else if (errno != EAGAIN)
        error_set_errno(error_out, errno, "cannot read %s", exchange->stage);
    return false;
}

static void
receive(struct exchange *exchange)
{
    struct error error = {.text = ""};
    size_t token_size = 0;
    enum frame_status status;

    while ((status = frame_parse(exchange->in, exchange->in_size,
                                 exchange->in_max, &token_size)) ==
           FRAME_NEED_MORE) {
        if (read_some(exchange, FRAME_HEADER_SIZE + token_size, &error))
            continue;
        if (error.text[0] != '\0')
            end(exchange, exchange->heard ? EXCHANGE_BROKEN : EXCHANGE_SILENT,
                &error);
        return;
    }
    if (status != FRAME_READY) {
        error_set(&error,
                  "the peer does not speak this protocol: a frame of %zu "
                  "bytes in place of %s",
                  token_size, exchange->stage);
        end(exchange, EXCHANGE_BROKEN, &error);
        return;
    }
    exchange_frame *on_frame = exchange->on_frame;
    exchange->on_frame = NULL;
    on_frame(exchange->arg, exchange->in + FRAME_HEADER_SIZE, token_size);
}

static void
transmit(struct exchange *exchange)
{
    struct error error;

    while (exchange->out_sent < exchange->out.size) {
        ssize_t n = send(exchange->fd, exchange->out.data + exchange->out_sent,
                         exchange->out.size - exchange->out_sent, MSG_NOSIGNAL);
        if (n >= 0) {
            exchange->out_sent += (size_t)n;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            error_set_errno(&error, errno, "cannot send to the peer");
            end(exchange, EXCHANGE_BROKEN, &error);
            return;
        }
    }
    exchange_sent *on_sent = exchange->on_sent;
    bytes_clear(&exchange->out);
    exchange->on_sent = NULL;
    on_sent(exchange->arg);
}

static void
on_socket(void *arg)
{
    struct exchange *exchange = arg;

    if (exchange->on_sent != NULL)
        transmit(exchange);
    else if (exchange->on_frame != NULL)
        receive(exchange);
}

bool
exchange_init(struct exchange *exchange, struct loop *loop, int fd,
              exchange_ended *on_ended, void *arg)
{
    *exchange = (struct exchange){
        .fd = fd,
        .on_ended = on_ended,
        .arg = arg,
        .stage = "nothing",
    };
    return watch_init(&exchange->watch, loop, fd, on_socket, exchange);
}

void
exchange_clear(struct exchange *exchange)
{
    watch_clear(&exchange->watch);
    bytes_clear(&exchange->out);
    free(exchange->in);
    exchange->in = NULL;
}

void
exchange_await(struct exchange *exchange, const char *stage, size_t max,
               exchange_frame *on_frame)
{
    exchange->stage = stage;
    exchange->in_size = 0;
    exchange->in_max = max;
    exchange->on_frame = on_frame;
    watch_again(&exchange->watch);
}

void
exchange_send(struct exchange *exchange, const char *stage,
              exchange_sent *on_sent)
{
    exchange->stage = stage;
    exchange->out_sent = 0;
    exchange->on_sent = on_sent;
    watch_again(&exchange->watch);
}

void
exchange_rest(struct exchange *exchange, const char *stage)
{
    exchange->stage = stage;
    free(exchange->in);
    exchange->in = NULL;
    exchange->in_room = 0;
    exchange->in_size = 0;
}
