/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the name servers for SRV records.  Blocks; any thread (each call has its
 * own resolver state).  Nothing here is authenticated: what comes back is only
 * where to knock.
 */
#ifndef DIRECTORY_LOCATE_H
#define DIRECTORY_LOCATE_H

#include "base/error.h"
#include "directory/srv.h"

/* name is taken as complete: no search list.  Ends within timeout_ms or so. */
MUST_CHECK enum srv_status locate_srv(const char *name, unsigned timeout_ms,
                                      struct srv_list *list_out,
                                      struct error *err);

#endif
