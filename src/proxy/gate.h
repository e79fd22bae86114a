/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening socket of a service, as its settings want it. */
#ifndef PROXY_GATE_H
#define PROXY_GATE_H

#include "base/error.h"
#include "base/users.h"
#include "config/config.h"
#include "proxy/listener.h"

/* Whose its Unix socket is to be: `socket_owner`, which the name service is asked
 * for, or else owner.  May block. */
MUST_CHECK bool gate_owner(const struct service_settings *settings,
                           const struct owner *owner, struct owner *owner_out,
                           struct error *err);

/*
 * Listens on accept, which is that of settings, perhaps with a port known by
 * now; or shares predecessor's socket (NULL: none).  owner is whose a Unix
 * socket is.  A socket that was handed over and
 * would let plaintext leave this machine is refused.
 */
MUST_CHECK struct listener *gate_open(const struct service_settings *settings,
                                      const struct endpoint *accept,
                                      const struct owner *owner,
                                      const struct listener *predecessor,
                                      struct error *err);

#endif
