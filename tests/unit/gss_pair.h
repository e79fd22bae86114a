/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of an authentication in one process, for suites that run inside
 * tests/lab/realm.sh.  Whatever fails here fails the test.
 */
#ifndef TESTS_GSS_PAIR_H
#define TESTS_GSS_PAIR_H

#include <gssapi/gssapi.h>

#include "gss/context.h"

/* A service whose key web1.keytab holds. */
#define PAIR_TARGET "orders/localhost"

/* "$KEYTABS/NAME.keytab", in a buffer that the next call but three reuses. */
const char *keytab_of(const char *name);

/* kadmin.local with one query in printf style. */
void kadmin(const char *format, ...) PRINTF_LIKE(1, 2);
/* realm.sh COMMAND DAEMON, as "stop", "kdc". */
void realm(const char *command, const char *daemon);
/* Lines in the KDC's log that hold both texts. */
unsigned kdc_log_count(const char *text, const char *also);

struct credential *client_of(const char *principal);
struct credential *server_of(const char *keytab, const char *replay_cache);

/* The initiator's first step, with a fetch when one is needed. */
enum context_status first_step(struct context *initiator,
                               struct context_output *out);

struct pair {
    struct context *initiator, *acceptor;
    struct error error; /* the initiator's, or the acceptor's before it */
    struct error acceptor_error;
    bool stale; /* the initiator's ticket was */
};

/* A whole establishment; false where one side refused. */
bool pair_establish(struct pair *pair, struct credential *client,
                    struct credential *server, const char *target);
void pair_clear(struct pair *pair);

/* Contexts straight from the library, alice's with PAIR_TARGET. */
enum {
    RAW_FLAGS = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |
                GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG
};
void raw_pair(gss_ctx_id_t *initiator, gss_ctx_id_t *acceptor);
/* Before the first of them: their keys are to be of this type, the name of one
 * of AES', and alice is another. */
void raw_enctype(const char *name);
/* The first token of such an initiator: flags and mechanism as wanted. */
void raw_request(OM_uint32 flags, gss_OID mech, gss_ctx_id_t *initiator,
                 gss_buffer_t token);

#endif
