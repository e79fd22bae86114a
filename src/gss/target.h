/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service that tickets are asked for: its name, parsed once, and who is
 * getting its ticket just now.  Private to src/gss.
 */
#ifndef GSS_TARGET_H
#define GSS_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <gssapi/gssapi.h>
#include <krb5.h>

#include "base/error.h"
#include "base/pool.h"
#include "gss/flight.h"

struct target {
    /* owned; immutable */
    char *asked; /* as configured */
    krb5_principal server;
    gss_name_t name;
    char *text; /* with realm */
    char lane[LANE_NAME_SIZE];
    /* guarded by itself */
    struct flight flight;
    /* guarded by the credential's mutex */
    struct target *next;
    unsigned references;
    uint64_t asked_ms;      /* loop_now_ms() */
    uint64_t distrusted_ms; /* likewise; 0: never */
    int64_t renew_at; /* its ticket, seconds since 1970; 0: we got none yet */
    unsigned long fetched; /* how many tickets we got so far */
    uint64_t fetched_ms;   /* loop_now_ms() of the last */
    bool distrusted;       /* the server refused the ticket: get another */
};

/*
 * asked is CLASS/HOST... with backslash escapes.  Without @REALM the realm is
 * what [domain_realm] of krb5.conf says of HOST, else that of client; with an
 * empty one, "CLASS/HOST@", the client's KDC refers to it when the ticket is
 * asked for.  Neither DNS nor a KDC is asked here, and nothing is canonicalised.
 */
MUST_CHECK bool target_new(krb5_context context, const char *asked,
                           krb5_const_principal client,
                           struct target **target_out, struct error *err);
void target_free(krb5_context context, struct target *target);

/* "kdc REALM" */
void lane_of_realm(const krb5_data *realm, char *lane, size_t size);

#endif
