/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One generation of an initiator's tickets, in a MEMORY cache that nothing else
 * knows.  Its ticket-granting ticket never changes; service tickets are added.
 * What is newer is another generation.  Private to src/gss.
 *
 * A cache may be used by several threads, a krb5_context by one at a time: each
 * call brings its own.
 */
#ifndef GSS_TICKETS_H
#define GSS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <krb5.h>

#include "base/error.h"

struct tickets {
    /* owned */
    krb5_ccache cache;
    krb5_principal client;
    char *name;        /* "MEMORY:..." */
    char *client_text; /* with realm */
    /* plain */
    int64_t tgt_start, tgt_end; /* seconds since 1970; both 0: no such ticket */
    int64_t renew_at;           /* when to get another */
    unsigned references;        /* credential.c's */
};

/* A ticket must be good for this long to be used. */
enum {
    TICKET_SPARE_SECONDS = 5
};

/* Asks a KDC for a ticket-granting ticket. */
MUST_CHECK bool tickets_from_keytab(krb5_context context, krb5_principal client,
                                    const char *keytab,
                                    struct tickets **tickets_out,
                                    struct error *err);

/* Copies what the cache called source holds; "default" is the ambient one. */
MUST_CHECK bool tickets_from_cache(krb5_context context, const char *source,
                                   struct tickets **tickets_out,
                                   struct error *err);

/* Closes and empties the cache.  NULL is fine. */
void tickets_free(krb5_context context, struct tickets *tickets);

/* Is there a ticket-granting ticket that can be used now? */
bool tickets_can_ask(const struct tickets *tickets);

enum {
    TICKET_REALM_SIZE = 256
};

/* Is a usable ticket for server here?  Asks nobody. */
struct ticket_facts {
    char realm[TICKET_REALM_SIZE]; /* whose KDC gave it */
    int64_t endtime;
    int32_t enctype;         /* that the ticket is sealed with ... */
    uint32_t kvno;           /* ... and the number of that key */
    int32_t session_enctype; /* of the key inside it */
    unsigned long number;    /* credential_find's: how many we got before it */
};
bool tickets_find(krb5_context context, const struct tickets *tickets,
                  krb5_principal server, struct ticket_facts *facts_out);

/*
 * Asks the KDC of server for a new ticket, in the place of any that is here.
 * Until it has answered, what is here can be used.
 */
struct ticket_answer {
    krb5_error_code code;
    int64_t renew_at; /* when to get another; not after half of its life */
};
MUST_CHECK bool tickets_fetch(krb5_context context, struct tickets *tickets,
                              krb5_principal server,
                              struct ticket_answer *answer_out,
                              struct error *err);

/* Copies the usable ticket for server, where one is in from and none in to. */
void tickets_copy(krb5_context context, const struct tickets *from,
                  struct tickets *to, krb5_principal server);

#endif
