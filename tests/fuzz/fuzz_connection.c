/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole acceptor or initiator, from the first byte to the last, between a peer
 * and an application that both follow the input.  GSSAPI is faked, so that a
 * peer can get past the handshake.
 *
 * Input: one byte for the role, then steps of two bytes and a payload: what is
 * done, how long the payload is, the payload.  After the last step the peer
 * falls silent for good.  What the application got must be what was sealed
 * before the first wrong step, and a clean end only what an EOF announced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>

#include "../unit/connection_fixture.h"
#include "base/log.h"

enum step {
    STEP_OPEN,      /* what opens a tunnel, as it should be, once */
    STEP_MESSAGE,   /* a message sealed as it should be */
    STEP_DATA,      /* DATA sealed as it should be */
    STEP_CLEAR,     /* a message that is signed only */
    STEP_FLIPPED,   /* a message with one bit changed */
    STEP_TOKEN,     /* a frame of any token */
    STEP_BYTES,     /* any bytes */
    STEP_SAY,       /* the application says something */
    STEP_SAY_END,   /* the application half-closes */
    STEP_SAY_RESET, /* the application resets */
    STEP_COUNT
};

enum {
    PAYLOAD_MAX = 255,
    STEPS_MAX = 64,
    PATIENCE_MS = 5000
};

static uint8_t sealed[STEPS_MAX * PAYLOAD_MAX]; /* all DATA, while right */
static size_t sealed_size, got_size;
static bool right, opened, ended, heard_end;
static enum role role; /* of what is tested */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* In the place of the library's: no runner is there to be told. */

void
_mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void
_ck_assert_failed(const char *file, int line, const char *expr, const char *msg,
                  ...)
{
    (void)file;
    (void)line;
    (void)msg;
    fprintf(stderr, "%s\n", expr);
    abort();
}

static void
note_data(const uint8_t *payload, size_t size)
{
    memcpy(sealed + sealed_size, payload, size);
    sealed_size += size;
}

/* What the acceptor may make of a message that is sealed as it should be. */
static void
note_message(const uint8_t *plain, size_t size)
{
    if (!right || !opened || ended)
        right = false;
    else if (size > 0 && plain[0] == MESSAGE_DATA)
        note_data(plain + 1, size - 1);
    else if (size == 1 && plain[0] == MESSAGE_EOF)
        ended = true;
    else if (size == 0 ||
             (plain[0] != MESSAGE_PING && plain[0] != MESSAGE_PONG))
        right = false;
}

static void
add_message(struct bytes *flight, enum step step, const uint8_t *payload,
            size_t size)
{
    uint8_t plain[1 + PAYLOAD_MAX] = {MESSAGE_DATA};
    uint8_t *token;

    if (step == STEP_DATA)
        memcpy(plain + 1, payload, size++);
    else
        memcpy(plain, payload, size);
    token = peer_seal(flight, step != STEP_CLEAR, plain, size);
    if (step == STEP_FLIPPED) {
        token[payload[0] % (FAKE_HEADER + size)] ^= 1;
        right = false;
    } else if (step == STEP_CLEAR) {
        right = false;
    } else {
        note_message(plain, size);
    }
}

/* The far end may be gone: that is no failure. */
static void
put(int fd, const void *bytes, size_t size)
{
    (void)send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
open_as_it_should_be(void)
{
    struct bytes flight = {0};

    if (opened || !right)
        return;
    opened = true;
    peer_add_token(&flight, role == ROLE_SERVER ? FAKE_AP_REQ : FAKE_AP_REP);
    peer_add_known_hello(&flight);
    if (role == ROLE_CLIENT)
        peer_add(&flight, MESSAGE_READY, "");
    put(peer.fd, flight.data, flight.size);
    bytes_clear(&flight);
}

static void
say(enum step step, const uint8_t *payload, size_t size)
{
    if (application < 0)
        return;
    if (step == STEP_SAY) {
        put(application, payload, size);
    } else if (step == STEP_SAY_END) {
        (void)shutdown(application, SHUT_WR);
    } else {
        sockets_reset(application);
        application = -1;
    }
}

static void
take_step(enum step step, const uint8_t *payload, size_t size)
{
    struct bytes flight = {0};

    if (step == STEP_OPEN) {
        open_as_it_should_be();
    } else if (step >= STEP_SAY) {
        say(step, payload, size);
    } else if (step == STEP_BYTES || size == 0) {
        right = right && size == 0;
        put(peer.fd, payload, size);
    } else if (step == STEP_TOKEN) {
        right = false;
        ck_assert(bytes_append(&flight,
                               (const uint8_t[4]){0, 0, 0, (uint8_t)size}, 4));
        ck_assert(bytes_append(&flight, payload, size));
    } else {
        add_message(&flight, step, payload, size);
    }
    if (flight.size > 0)
        put(peer.fd, flight.data, flight.size);
    bytes_clear(&flight);
}

static void
drain_peer(void)
{
    uint8_t bytes[4096];

    while (recv(peer.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

/* What the application sees now; when it is over it leaves as well. */
static void
watch_application(void)
{
    uint8_t bytes[4096];
    ssize_t got;

    if (application < 0 && role == ROLE_SERVER) {
        application = accept4(listeners[0], NULL, NULL,
                              SOCK_CLOEXEC | SOCK_NONBLOCK);
        ck_assert(application < 0 || opened);
    }
    if (application < 0 || heard_end)
        return;
    while ((got = recv(application, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        ck_assert(got_size + (size_t)got <= sealed_size);
        ck_assert(memcmp(sealed + got_size, bytes, (size_t)got) == 0);
        got_size += (size_t)got;
    }
    heard_end = got == 0 || errno != EAGAIN;
    if (got == 0) {
        ck_assert(ended && got_size == sealed_size);
        (void)shutdown(application, SHUT_WR);
    }
}

static void
await_end(void)
{
    (void)shutdown(peer.fd, SHUT_WR);
    for (int ms = 0; !latch_was_told(&closed); ms++) {
        ck_assert(ms < PATIENCE_MS);
        drain_peer();
        watch_application();
        latch_pause();
    }
    watch_application();
}

static void
begin(void)
{
    connection_set_up();
    connection_begin(role, 1,
                     role == ROLE_SERVER ? "allow = alice@TEST\n" : "");
    if (role == ROLE_CLIENT)
        connection_accept_peer(0);
    else
        (void)fcntl(listeners[0], F_SETFL, O_NONBLOCK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    role = bytes[0] % 2 == 0 ? ROLE_SERVER : ROLE_CLIENT;
    bytes++;
    size--;
    sealed_size = got_size = 0;
    right = true;
    opened = ended = heard_end = false;
    script = (struct fake_script){0};
    log_adjust(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    begin();
    for (int steps = 0; steps < STEPS_MAX && size >= 2; steps++) {
        enum step step = bytes[0] % STEP_COUNT;
        size_t length = bytes[1] < size - 2 ? bytes[1] : size - 2;
        take_step(step, bytes + 2, length);
        watch_application();
        bytes += 2 + length;
        size -= 2 + length;
    }
    await_end();
    connection_tear_down();
    return 0;
}
