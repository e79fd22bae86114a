/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket activation, as sd_listen_fds_with_names(3) describes it. */
#ifndef BASE_PASSED_H
#define BASE_PASSED_H

#include "base/error.h"

/*
 * A duplicate of the listening stream socket that was handed over under name,
 * or -1.  The descriptor itself stays open, for the next who asks.
 */
MUST_CHECK int socket_passed(const char *name, struct error *err);

#endif
