/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other sidecar, played by the test: it speaks the protocol over fakes and
 * breaks it when told to.
 */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_gss.h"
#include "proxy/sealed.h"
#include "wire/frame.h"
#include "wire/message.h"

struct peer {
    int fd;                       /* owned */
    struct fake_channel *channel; /* owned */
    bool seals;                   /* by protection */
    /* the last message that was heard */
    uint8_t token[PLAINTEXT_MAX + TOKEN_OVERHEAD_MAX];
    struct unseal_record heard;
};

/* The one of each test. */
extern struct peer peer;

/* role: the peer's. */
void peer_init(int fd, enum role role, enum protection protection);
void peer_clear(void);

/* Ends its sending, or all of it; the channel stays. */
void peer_shut(void);
void peer_close(void);

/* Appends a frame to a flight; returns its token, until the next append. */
uint8_t *peer_seal(struct bytes *flight, bool encrypted, const void *plain,
                   size_t size);
uint8_t *peer_add(struct bytes *flight, enum message_type type,
                  const char *body);
void peer_add_hello(struct bytes *flight, const struct hello *hello);
void peer_add_reset(struct bytes *flight, enum reset_code code, bool retryable,
                    const char *sentence);
/* A frame of a token as it is. */
void peer_add_token(struct bytes *flight, const char *token);

/* Sends it and clears it. */
void peer_send(struct bytes *flight);
/* One message at once. */
void peer_say(enum message_type type, const char *body);
/* size bytes as DATA of at most PLAINTEXT_MAX. */
void peer_say_data(const uint8_t *bytes, size_t size);

/* Waits for one frame, raw; the size of the token that is in peer.token. */
size_t peer_hear_token(void);
void peer_expect_token(const char *token);
/* Opens it as a message: peer.heard; its type. */
enum message_type peer_hear(void);
void peer_expect(enum message_type type, const char *body);
void peer_expect_hello(struct hello *hello_out);
void peer_expect_reset(enum reset_code code, const char *sentence);
/* DATA, as many as it takes, with these bytes. */
void peer_expect_data(const uint8_t *bytes, size_t size);

/* Opens bytes that were not sent yet, exactly one RESET. */
void peer_open_reset(const struct bytes *bytes, enum reset_code code,
                     const char *sentence);

#endif
