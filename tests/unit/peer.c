/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames by hand, so that nothing of what is tested judges itself. */
#include "peer.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>

#include "sockets.h"

struct peer peer;

void
peer_init(int fd, enum role role, enum protection protection)
{
    peer.fd = fd;
    peer.channel = fake_channel_new(role);
    peer.seals = protection == PROTECTION_SEAL;
}

void
peer_close(void)
{
    if (peer.fd >= 0)
        close(peer.fd);
    peer.fd = -1;
}

void
peer_clear(void)
{
    peer_close();
    channel_free(&peer.channel->channel);
}

void
peer_shut(void)
{
    ck_assert_int_eq(shutdown(peer.fd, SHUT_WR), 0);
}

static uint8_t *
add_frame(struct bytes *flight, size_t token_size)
{
    static const uint8_t zeros[FRAME_HEADER_SIZE + FRAME_HANDSHAKE_MAX];
    size_t at = flight->size;

    ck_assert(bytes_append(flight, zeros, FRAME_HEADER_SIZE + token_size));
    frame_encode(flight->data + at, token_size);
    return flight->data + at + FRAME_HEADER_SIZE;
}

uint8_t *
peer_seal(struct bytes *flight, bool encrypted, const void *plain, size_t size)
{
    struct channel *channel = &peer.channel->channel;
    struct token_shape shape;

    channel->ops->shape(channel, encrypted, &shape);
    struct seal_record record = {
        .token = add_frame(flight, shape.header + size + shape.trailer),
        .plain_size = size,
    };
    memcpy(record.token + shape.header, plain, size);
    ck_assert(channel->ops->seal(channel, encrypted, &record, 1, NULL));
    return record.token;
}

uint8_t *
peer_add(struct bytes *flight, enum message_type type, const char *body)
{
    uint8_t plain[1024];
    size_t size = strlen(body);

    ck_assert_uint_lt(size, sizeof plain);
    plain[0] = (uint8_t)type;
    memcpy(plain + 1, body, size);
    return peer_seal(flight, peer.seals, plain, 1 + size);
}

void
peer_add_hello(struct bytes *flight, const struct hello *hello)
{
    uint8_t plain[HELLO_SIZE_MAX];
    size_t size = hello_encode(hello, plain);

    peer_seal(flight, true, plain, size);
}

void
peer_add_reset(struct bytes *flight, enum reset_code code, bool retryable,
               const char *sentence)
{
    struct reset reset = {.code = (uint8_t)code, .retryable = retryable};
    uint8_t plain[RESET_SIZE_MAX];

    strcpy(reset.sentence, sentence);
    size_t size = reset_encode(&reset, plain);
    peer_seal(flight, true, plain, size);
}

void
peer_add_token(struct bytes *flight, const char *token)
{
    memcpy(add_frame(flight, strlen(token)), token, strlen(token));
}

void
peer_send(struct bytes *flight)
{
    sockets_write(peer.fd, flight->data, flight->size);
    bytes_clear(flight);
}

void
peer_say(enum message_type type, const char *body)
{
    struct bytes flight = {0};

    peer_add(&flight, type, body);
    peer_send(&flight);
}

void
peer_say_data(const uint8_t *bytes, size_t size)
{
    uint8_t plain[PLAINTEXT_MAX] = {MESSAGE_DATA};

    while (size > 0) {
        struct bytes flight = {0};
        size_t part = size < sizeof plain - 1 ? size : sizeof plain - 1;
        memcpy(plain + 1, bytes, part);
        peer_seal(&flight, peer.seals, plain, 1 + part);
        peer_send(&flight);
        bytes += part;
        size -= part;
    }
}

size_t
peer_hear_token(void)
{
    uint8_t header[FRAME_HEADER_SIZE];

    sockets_read(peer.fd, header, sizeof header);
    size_t size = (size_t)header[0] << 24 | (size_t)header[1] << 16 |
                  (size_t)header[2] << 8 | header[3];
    ck_assert_uint_le(size, sizeof peer.token);
    sockets_read(peer.fd, peer.token, size);
    return size;
}

void
peer_expect_token(const char *token)
{
    size_t size = peer_hear_token();

    ck_assert_mem_eq(peer.token, token, strlen(token));
    ck_assert_uint_eq(size, strlen(token));
}

static enum message_type
open_token(size_t size)
{
    struct channel *channel = &peer.channel->channel;
    struct error error;

    peer.heard = (struct unseal_record){
        .token = peer.token,
        .token_size = size,
    };
    ck_assert_msg(channel->ops->unseal(channel, &peer.heard, 1, &error) == 1,
                  "%s", error.text);
    ck_assert_uint_ge(peer.heard.plain_size, 1);
    return (enum message_type)peer.heard.plain[0];
}

enum message_type
peer_hear(void)
{
    return open_token(peer_hear_token());
}

void
peer_expect(enum message_type type, const char *body)
{
    ck_assert_str_eq(message_name((uint8_t)peer_hear()),
                     message_name((uint8_t)type));
    ck_assert_uint_eq(peer.heard.plain_size, 1 + strlen(body));
    ck_assert_mem_eq(peer.heard.plain + 1, body, strlen(body));
    ck_assert(peer.heard.confidential == peer.seals);
}

void
peer_expect_hello(struct hello *hello_out)
{
    ck_assert_int_eq(peer_hear(), MESSAGE_HELLO);
    ck_assert(peer.heard.confidential);
    ck_assert(
        hello_parse(peer.heard.plain, peer.heard.plain_size, hello_out, NULL));
}

static void
check_reset(enum reset_code code, const char *sentence)
{
    struct reset reset;

    ck_assert_str_eq(message_name(peer.heard.plain[0]), "reset");
    ck_assert(peer.heard.confidential);
    ck_assert(
        reset_parse(peer.heard.plain, peer.heard.plain_size, &reset, NULL));
    ck_assert_str_eq(reset.sentence, sentence);
    ck_assert_int_eq(reset.code, (int)code);
}

void
peer_expect_reset(enum reset_code code, const char *sentence)
{
    peer_hear();
    check_reset(code, sentence);
}

void
peer_expect_data(const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ck_assert_int_eq(peer_hear(), MESSAGE_DATA);
        size_t part = peer.heard.plain_size - 1;
        ck_assert_uint_le(part, size);
        ck_assert_int_eq(memcmp(peer.heard.plain + 1, bytes, part), 0);
        bytes += part;
        size -= part;
    }
}

void
peer_open_reset(const struct bytes *bytes, enum reset_code code,
                const char *sentence)
{
    ck_assert_uint_gt(bytes->size, FRAME_HEADER_SIZE);
    size_t size = bytes->size - FRAME_HEADER_SIZE;
    ck_assert_uint_le(size, sizeof peer.token);
    memcpy(peer.token, bytes->data + FRAME_HEADER_SIZE, size);
    open_token(size);
    check_reset(code, sentence);
}
