/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs of connected sockets for tests: [0] for what is tested, non-blocking;
 * [1] for the test, blocking, with a limit of time that fails the test.  And
 * whole reads and writes on the test's end.
 */
#ifndef TESTS_SOCKETS_H
#define TESTS_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

void sockets_pair(int pair[2]);     /* Unix */
void sockets_tcp_pair(int pair[2]); /* on loopback */

/* Makes it such an end as [1]. */
void sockets_set_patience(int fd);

/* A TCP listener on 127.0.0.1 that nobody accepts from; its port. */
int sockets_listen(int backlog, uint16_t *port_out);

void sockets_write(int fd, const void *bytes, size_t size);
void sockets_read(int fd, void *bytes, size_t size);

/* The next bytes are these. */
void sockets_expect(int fd, const char *text);
/* An orderly end comes next. */
void sockets_expect_end(int fd);
/* Nothing is there now. */
void sockets_expect_nothing(int fd);

/* Writes zeros until no more go in, without waiting; how many that were. */
size_t sockets_fill(int fd);
/* Reads so many bytes and forgets them. */
void sockets_drop(int fd, size_t size);

/* Closes so that the other end sees a reset (TCP). */
void sockets_reset(int fd);

/* Waits until the other end has read all that was written to fd (Unix). */
void sockets_await_read(int fd);

#endif
