/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What HELLO, READY and RESET must be, and what two HELLOs must agree on.  Pure.
 */
#ifndef PROXY_HANDSHAKE_CHECK_H
#define PROXY_HANDSHAKE_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "gss/channel.h"
#include "wire/message.h"
#include "wire/reset.h"

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

/* The same of a message that was opened and is not empty: it must be an
 * encrypted HELLO.  theirs is set as far as it could be read. */
int hello_take(const struct unseal_record *record,
               const struct service_settings *service, struct hello *theirs,
               struct error *err);

/* Likewise of READY. */
MUST_CHECK bool ready_check(const struct unseal_record *record,
                            const struct service_settings *service,
                            struct error *err);

/* Likewise of RESET; said is what to log of it, or why it is none. */
MUST_CHECK bool reset_take(const struct unseal_record *record,
                           const struct service_settings *service,
                           struct reset *reset, struct error *said);

#endif
