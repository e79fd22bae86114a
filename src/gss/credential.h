/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials exactly as configured, never ambient: name, ccache and
 * client_keytab are always given to GSSAPI together.
 *
 * An initiator's tickets live in a private MEMORY cache of this object.  With a
 * keytab, kerbwrap gets and renews them; with somebody else's ccache they are
 * copied from it, which is only ever read.  An acceptor has a keytab and a
 * replay cache of its own.  GSSAPI handles are kept one for each pool thread:
 * MIT holds a handle's lock through KDC exchanges.
 *
 * Shared by threads; reference counted.
 */
#ifndef GSS_CREDENTIAL_H
#define GSS_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct credential;

struct initiator_settings {
    const char *principal; /* with keytab; realm optional */
    const char *keytab;    /* path, or NULL */
    const char *ccache;    /* TYPE:NAME or path, "default" (the ambient one), or
                              NULL; exactly one of keytab and ccache */
};

struct acceptor_settings {
    const char *keytab;        /* path */
    const char *replay_cache;  /* path of a file to use, or NULL for none */
    const char *service_class; /* keys of its names are tried first; or NULL */
};

/*
 * No KDC is asked; settings are copied.  A keytab must hold a key of principal;
 * a ccache, which may as well come later, is first read by credential_renew.
 * workers: threads of the pool.
 */
MUST_CHECK bool credential_new_initiator(const struct initiator_settings *set,
                                         unsigned workers,
                                         struct credential **credential_out,
                                         struct error *err);
/* Reads the keytab and opens the replay cache once: what is unreadable, empty or
 * without an AES key is an error, and what cannot be written. */
MUST_CHECK bool credential_new_acceptor(const struct acceptor_settings *set,
                                        unsigned workers,
                                        struct credential **credential_out,
                                        struct error *err);

struct credential *credential_hold(struct credential *credential);
void credential_release(struct credential *credential); /* NULL is fine */

/* Our own principal as text; "" for an acceptor, and as long as a ccache was not
 * read.  Valid as long as the credential. */
const char *credential_name(const struct credential *credential);

/* ccache mode: reads it now if it was not yet, so that credential_name can
 * tell.  May wait for who locks it. */
void credential_learn_name(struct credential *credential);

/*
 * Initiator: gets or renews the ticket-granting ticket when it is missing or
 * near the half of its life, and then anew every service ticket that was asked
 * for in the last hour; else those service tickets that are near theirs.  ccache
 * mode: copies the source anew when it changed.  Tickets that are here serve on
 * when it fails.  May wait for a KDC, or for who locks the ccache: runs in the
 * lane of credential_lane.
 */
MUST_CHECK bool credential_renew(struct credential *credential,
                                 struct error *err);

/* The lane of KDC exchanges for this credential: "kdc REALM". */
void credential_lane(const struct credential *credential, char *lane,
                     size_t size);

/* Endtime of the ticket-granting ticket, seconds since 1970; 0: none. */
int64_t credential_expires(struct credential *credential);

/* Seconds from now until credential_renew is worth calling; 0: now, also after
 * it has failed (the caller waits between attempts). */
int64_t credential_renew_in(struct credential *credential);

#endif
