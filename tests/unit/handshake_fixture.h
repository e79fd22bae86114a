/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side's handshake in the loop's thread, over fakes; the test is the other
 * side.
 */
#ifndef TESTS_HANDSHAKE_FIXTURE_H
#define TESTS_HANDSHAKE_FIXTURE_H

#include <stdbool.h>

#include "loop_fixture.h"
#include "peer.h"
#include "proxy/handshake.h"
#include "sockets.h"

/* What the peer of a client, or a server, says of itself: nothing is wrong
 * with it. */
#define OUR_TARGET "orders/db1.example.test"

extern struct hello peer_hello; /* for peer_add_hello */
extern int tunnel_fd;           /* the end of what is tested */

/* Changed by tests before handshake_begin. */
extern struct handshake_settings handshake_plan;
extern struct service_settings service;
extern struct fake_script script;

/* Checked fixtures: what is tested is a client's side, or a server's. */
void client_set_up(void);
void server_set_up(void);
void handshake_tear_down(void);

void handshake_begin(void);
/* Begins, and plays the client up to where its HELLO is awaited; that HELLO. */
void client_reach_hello(void);
void client_say_hello(void);
/* Cancels it, whatever it is doing; twice is fine. */
void handshake_quit(void);
/* In its thread; static. */
const char *handshake_asked_stage(void);
/* Until it says so. */
void handshake_await_stage(const char *stage);
struct bytes handshake_words(const char *sentence);

/* Until it is done; the result, of which nothing is freed before the end. */
struct handshake_result *handshake_await(void);
void handshake_expect(enum handshake_outcome outcome, const char *text);
/* Refused, with a farewell that tells the peer the same. */
void handshake_expect_refusal(enum reset_code code, const char *text);
bool handshake_is_done(void);

/* The receiver leaves everything to the handshake; before handshake_begin. */
void handshake_take_nothing(void);

#endif
