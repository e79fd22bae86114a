/* SPDX-License-Identifier: BSD-2-Clause */
/* Which local user is at the other end of a socket. */
#ifndef BASE_PEER_H
#define BASE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * The user at the other end of a connected stream socket.  Unix: who connected,
 * as it was then.  TCP: who opened the socket at the other end, when that is on
 * this machine and still open; asks the kernel, and never the network.  False
 * when it cannot be told.
 */
MUST_CHECK bool peer_user(int fd, uid_t *user_out, struct error *err);

/* False when the kernel cannot be asked about TCP sockets at all. */
MUST_CHECK bool peer_user_can_tell(struct error *err);

#endif
