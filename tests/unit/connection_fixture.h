/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of a service from a configuration, in the loop's thread, its
 * contexts faked: the fixture defines context_new_acceptor and
 * context_new_initiator in the place of src/gss.  The test plays the
 * application and the other sidecar, over TCP.
 */
#ifndef TESTS_CONNECTION_FIXTURE_H
#define TESTS_CONNECTION_FIXTURE_H

#include "latch.h"
#include "loop_fixture.h"
#include "peer.h"
#include "proxy/connection.h"
#include "sockets.h"

extern int application; /* its end; -1: none yet, or no more */
extern struct peer peer;

/* Who listens: applications of a server, or servers of a client. */
enum {
    LISTENERS = 2
};
extern int listeners[LISTENERS];
extern uint16_t listener_ports[LISTENERS];

/* Changed by tests before connection_begin. */
extern struct fake_script script;

extern struct latch proved, closed; /* the arrival's mails */

/* A checked fixture. */
void connection_set_up(void);
void connection_tear_down(void);

/* count of the listeners are its destinations; keys go into its section. */
void connection_begin(enum role role, unsigned count, const char *keys);

/* The next caller of a listener becomes the application, or the peer: a new
 * one, that has said and heard nothing yet. */
void connection_accept_application(int which);
void connection_accept_peer(int which);
/* Nobody listens there any more. */
void connection_refuse_callers(int which);
/* ... or somebody does, and answers nothing: the queue is full. */
void connection_swallow_callers(int which);

/* The opening, from the peer's side. */
void peer_open_as_client(void);
void peer_open_as_server(void);
void peer_say_hello(void);
/* Appends the HELLO that fits the service. */
void peer_add_known_hello(struct bytes *flight);

/* The application sees an error, not an end. */
void application_expect_reset(void);

/* In the connection's thread. */
void connection_end_it(enum reset_code code, const char *reason);
void connection_apply(const char *keys); /* of the section after a reload */
void connection_lose(void);              /* connection_drop */

const struct counters *connection_counters(void);
/* Which destination would be dialled first now? */
unsigned connection_first(void);

#endif
