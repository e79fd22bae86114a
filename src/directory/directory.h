/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the directory room needs of the process, and the directory as a lookup
 * sees it: a table of calls, so that tests bring a directory of their own.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include <stdbool.h>

#include "base/error.h"
#include "directory/ldapclient.h"
#include "directory/srv.h"

/*
 * Once, from main, before any other thread and before any use of Kerberos.
 * Layers a profile of ours above krb5.conf (KRB5_CONFIG) so that host names are
 * used as given and the clock is the machine's, keeps libldap from reading ldap.conf, and initialises libldap
 * and SASL.
 */
MUST_CHECK bool directory_init(struct error *err);

/* All of them block.  world is the implementation's own. */
struct directory_ops {
    enum srv_status (*srv)(void *world, const char *name,
                           struct srv_list *list_out, struct error *err);
    /* Fetches the ticket for ldap/host; the only call that waits for a KDC. */
    bool (*ticket)(void *world, const char *host, struct error *err);
    enum directory_status (*open)(void *world, const char *uri,
                                  void **connection_out, struct error *err);
    enum directory_status (*search)(void *connection,
                                    const struct search *search,
                                    struct entry_list *list, struct error *err);
    void (*close)(void *connection);
};

/* The real one: directory_real with a struct directory_world. */
struct directory_world {
    struct credential *credential; /* borrowed */
    unsigned timeout_ms;
};
extern const struct directory_ops directory_real;

#endif
