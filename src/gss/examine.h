/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For whoever looks for a fault: what krb5.conf says, what a KDC says of itself
 * and of a principal without any key being used, and what a ticket looks like.
 * All but the first may wait for a KDC, for half a minute.
 */
#ifndef GSS_EXAMINE_H
#define GSS_EXAMINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gss/credential.h"
#include "gss/enctype.h"

enum {
    EXAMINE_NAME_SIZE = 256
};

struct kerberos_settings {
    char realm[EXAMINE_NAME_SIZE]; /* the default one; "" when there is none */
    unsigned clockskew_s;          /* that is forgiven */
};

/* False: krb5.conf cannot be read or understood. */
MUST_CHECK bool kerberos_settings_read(struct kerberos_settings *settings_out,
                                       struct error *err);

struct kdc_answer {
    bool unknown;   /* it does not know the principal */
    bool deleted;   /* ... not even as another name of an account */
    bool timed;     /* it told its time */
    int64_t ahead;  /* how far that is ahead of ours, in ms */
    unsigned spent; /* ms until it answered */
};

/*
 * Asks a KDC of the principal's realm for a ticket, and ends with its first
 * answer, whichever it is: no key is used, no failed login counted.  False: no
 * KDC answers.
 */
MUST_CHECK bool kdc_ask(const char *principal, struct kdc_answer *answer_out,
                        struct error *err);

struct ticket_view {
    char realm[EXAMINE_NAME_SIZE]; /* whose KDC gave it */
    uint32_t kvno;                 /* of the key that it is sealed with */
    int32_t enctype;
    char enctype_name[ENCTYPE_NAME_SIZE];
    int64_t endtime; /* seconds since 1970 */
};

/* A ticket for service, got by an initiator's credential. */
MUST_CHECK bool credential_ticket(struct credential *credential,
                                  const char *service,
                                  struct ticket_view *view_out,
                                  struct error *err);

#endif
