/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics of metrics_table.h, as Prometheus reads them.  The connections
 * have told their counters what they carried; nothing else is asked.  The main
 * thread's alone.
 */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include <event2/buffer.h>

#include "proxy/server_parts.h"

void metrics_write(struct server *server, struct evbuffer *out);

#endif
