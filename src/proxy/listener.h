/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listening socket that pauses when it must: at a limit until told to resume,
 * and for a moment when the process or the kernel is out of something.
 */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/socket.h"

struct listener;

struct listener_handler {
    /* NULL when one more may be accepted, else what is full. */
    const char *(*why_full)(void *arg);
    /* fd is the receiver's. */
    void (*on_accepted)(int fd, const struct address *peer, void *arg);
    /* Paused, and why; or resumed: NULL. */
    void (*on_pause)(const char *reason, void *arg);
    void *arg;
};

/* Binds.  With predecessor (NULL: none) shares its socket instead, whose owner
 * and mode change at listener_start. */
MUST_CHECK struct listener *listener_new(
    const struct endpoint *endpoint,
    const struct socket_permissions *permissions,
    const struct listener *predecessor, struct error *err);
MUST_CHECK bool listener_start(struct listener *listener, struct loop *loop,
                               const struct listener_handler *handler,
                               struct error *err);

/* Whoever it accepts sees a reset, and no end, should this process die. */
void listener_arm_reset(const struct listener *listener);

/* When full: look again.  Does nothing otherwise. */
void listener_resume(struct listener *listener);

/* shared: a successor goes on with the socket, so its path stays. */
void listener_stop(struct listener *listener, bool shared);
bool listener_is_open(const struct listener *listener);
void listener_free(struct listener *listener);

/* The address that is bound, port 0 replaced. */
const char *listener_address(const struct listener *listener);
/* Can nobody but this machine reach it? */
bool listener_is_local(const struct listener *listener);
const struct endpoint *listener_endpoint(const struct listener *listener);

#endif
