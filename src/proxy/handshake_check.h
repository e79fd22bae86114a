/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two HELLOs must agree on.  Pure.
 */
#ifndef PROXY_HANDSHAKE_CHECK_H
#define PROXY_HANDSHAKE_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "wire/message.h"

/* Our HELLO.  target: the initiator's SPN, "" from an acceptor. */
void hello_fill(struct hello *hello, const struct service_settings *service,
                const char *target, uint64_t connection_id);

/*
 * Zero when theirs suits us; else the RESET to send, and err says to both
 * sides' operators what differs.  Order: version, protection, label and, for an
 * acceptor, the target.
 */
int hello_check(const struct hello *theirs,
                const struct service_settings *service, struct error *err);

#endif
