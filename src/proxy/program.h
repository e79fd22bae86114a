/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program of `exec =` behind one connection: started in the pool, with a
 * socket as its standard input and output, watched, and ended with the
 * connection.
 *
 * A program must not take a stream that was cut for a whole one, and its socket,
 * a Unix one, cannot be reset.  So on an unclean end the socket stays open until
 * the program is dead.
 */
#ifndef PROXY_PROGRAM_H
#define PROXY_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "base/socket.h"
#include "config/config.h"
#include "proxy/arrival.h"

struct program;

struct program_settings {
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    struct program **list;                  /* of those that are ending */
    struct config *config;                  /* held as long as the program */
    const struct service_settings *service; /* in config */
    struct arrival *arrival; /* of which it is a part, as long as it lives */
    /* for its environment; copied */
    const char *principal, *target;
};

struct program_handler {
    /* fd: our end of its socket, the receiver's; or -1, and err says why. */
    void (*on_started)(int fd, const struct error *err, void *arg);
    /* It has ended; after on_started, at most once. */
    void (*on_ended)(void *arg);
    void *arg; /* borrowed */
};

/* The handler is called exactly as it says, never inside program_start, never
 * after program_end.  NULL for lack of memory. */
MUST_CHECK struct program *program_start(
    const struct program_settings *settings,
    const struct program_handler *handler);

enum program_state {
    PROGRAM_RUNS,
    PROGRAM_SUCCEEDED, /* exit status 0 */
    PROGRAM_FAILED,    /* or killed; failure_out says which */
};

/* Once it was started. */
enum program_state program_state(const struct program *program,
                                 struct error *failure_out);

/* It has closed its socket: from now on it has close_timeout to exit. */
void program_hurry(struct program *program);

/*
 * The connection is over, and so is the caller's part.  clean: fd is closed and
 * the program has close_timeout to exit, else SIGTERM comes at once; SIGKILL
 * after another.  fd may be -1.
 */
void program_end(struct program *program, int fd, bool clean);

/* The loop has ended: kills what is in the list. */
void program_kill_all(struct program **list);

#endif
