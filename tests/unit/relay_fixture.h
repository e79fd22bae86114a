/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A relay between an application and a peer, both played by the test: client's
 * or server's, in the loop's thread, over sockets of any kind.
 */
#ifndef TESTS_RELAY_FIXTURE_H
#define TESTS_RELAY_FIXTURE_H

#include <stdbool.h>

#include "loop_fixture.h"
#include "peer.h"
#include "proxy/relay.h"
#include "sockets.h"

extern int application; /* its end of its socket; -1: closed */

/* What relay_begin takes; changed by tests before it.  Its defaults: a client's
 * relay that is open, sealed, with all clocks off. */
extern struct relay_settings relay_plan;

/* A checked fixture. */
void relay_set_up(void);
void relay_tear_down(void);

/* Both sockets are TCP's, or the application's alone; before relay_begin. */
void relay_over_tcp(void);
void relay_of_tcp_application(void);
/* The relay is a server's; before relay_begin. */
void relay_of_server(void);
/* The tunnel to the peer is full; before relay_begin.  How many bytes the peer
 * must drop. */
size_t relay_clog_tunnel(void);
/* The engine has so many lanes; before relay_begin. */
void relay_of_lanes(size_t count);
/* The relay is freed inside on_ended; before relay_begin. */
void relay_free_at_end(void);

void relay_begin(void);
/* Frees it in its thread, whatever it is doing; twice is fine. */
void relay_quit(void);

/* Until it has ended; how. */
const struct relay_result *relay_await_end(void);
void relay_expect_end(enum relay_end end, enum reset_code reset,
                      const char *text);
bool relay_has_ended(void);
void relay_await_opened(void);

/* What on_app_end answers, and relay_look_again. */
void relay_judge_app_end(enum relay_app_end judgement);
void relay_look(void);

/* In its thread. */
struct bytes relay_words(enum reset_code code, const char *sentence);
struct relay_progress relay_counts(void);
/* The most records that it sealed, and unsealed, at once. */
size_t relay_most_sealed(void);
size_t relay_most_unsealed(void);
/* So many more calls of seal succeed. */
void relay_limit_seals(unsigned count);

#endif
