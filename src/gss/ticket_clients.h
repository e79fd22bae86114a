/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose tickets those are that were accepted lately.  The library makes a client's
 * name readable by setting itself up three more times, which costs as much as a
 * third of accepting him.  But a client comes with the same ticket for hours, and
 * a ticket is of one client: the one whose name was read when it came first.
 *
 * A ticket is known by the SHA-256 of all its bytes.  To be found here proves
 * nothing: whoever asks has had the library accept the ticket this time, too.
 *
 * Shared by threads.  Private to src/gss.
 */
#ifndef GSS_TICKET_CLIENTS_H
#define GSS_TICKET_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ticket_clients;

enum {
    TICKET_DIGEST_SIZE = 32
};

/* NULL: out of memory. */
struct ticket_clients *ticket_clients_new(void);
void ticket_clients_free(struct ticket_clients *clients); /* NULL is fine */

MUST_CHECK bool ticket_digest(const uint8_t *ticket, size_t size,
                              uint8_t digest_out[TICKET_DIGEST_SIZE]);

/* The client's name, to be freed; NULL: not known, or out of memory. */
char *ticket_clients_find(struct ticket_clients *clients,
                          const uint8_t digest[TICKET_DIGEST_SIZE]);

/* name was read from the context that this ticket made.  Forgets another. */
void ticket_clients_keep(struct ticket_clients *clients,
                         const uint8_t digest[TICKET_DIGEST_SIZE],
                         const char *name);

#endif
