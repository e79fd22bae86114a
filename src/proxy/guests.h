/* SPDX-License-Identifier: BSD-2-Clause */
/* `accept_user`: the local users who may connect to a service. */
#ifndef PROXY_GUESTS_H
#define PROXY_GUESTS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

struct guests;

/* Looks the users up, which may block.  `accept_user` is not empty. */
MUST_CHECK struct guests *guests_new(const struct service_settings *settings,
                                     struct error *err);
void guests_free(struct guests *guests);

/* Does the other end of fd belong to one of them?  If not, err says who it is;
 * who cannot be told is not let in. */
MUST_CHECK bool guests_admit(const struct guests *guests, int fd,
                             struct error *err);

#endif
