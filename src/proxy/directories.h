/* SPDX-License-Identifier: BSD-2-Clause */
/* The directories that kerbwrap itself writes in. */
#ifndef PROXY_DIRECTORIES_H
#define PROXY_DIRECTORIES_H

#include "base/error.h"
#include "base/users.h"
#include "config/config.h"

/* Makes those of config that some service will write to, for owner when we are
 * root; warns of what can be done without.  May block. */
MUST_CHECK bool directories_make(const struct config *config,
                                 const struct owner *owner, struct error *err);

#endif
