/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to a directory server, bound with SASL GSSAPI: integrity and
 * confidentiality are required, never anonymous, never plain; the host name is
 * used as given; referrals are not followed.  Blocks: runs in a pool thread.
 */
#ifndef DIRECTORY_LDAPCLIENT_H
#define DIRECTORY_LDAPCLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/entry.h"
#include "directory/write.h"

struct credential;
struct ldapclient;

enum search_scope {
    SEARCH_BASE,
    SEARCH_SUBTREE
};

struct search {
    const char *base; /* a DN; "" is the root DSE, or the whole catalog */
    enum search_scope scope;
    const char *filter;
    const char *const *attributes; /* NULL at the end */
};

enum directory_status {
    DIRECTORY_ANSWERED, /* also: with no entry, or no such base */
    DIRECTORY_LOST,     /* the connection broke or the answer took too long */
    DIRECTORY_REFUSED,  /* the server said no; err has its words */
};

/* Once, from main, before any other thread: libldap and SASL. */
MUST_CHECK bool ldapclient_init(struct error *err);

/*
 * Connects and binds as credential.  Its ticket for ldap/HOST should be in the
 * credential's cache already (gss/bind.h): this call has no other way to bound
 * what a KDC takes.  timeout_ms bounds each exchange with the server.
 */
MUST_CHECK enum directory_status ldapclient_open(const char *uri,
                                                 struct credential *credential,
                                                 unsigned timeout_ms,
                                                 struct ldapclient **client_out,
                                                 struct error *err);
void ldapclient_close(struct ldapclient *client); /* NULL is fine */

/* All pages.  Entries are added to list; on failure it may hold a part. */
MUST_CHECK enum directory_status ldapclient_search(struct ldapclient *client,
                                                   const struct search *search,
                                                   struct entry_list *list,
                                                   struct error *err);

/* Writing, as struct directory_writes says (write.h). */
enum {
    LDAPCLIENT_CHANGES_MAX = 16
};
MUST_CHECK enum write_status ldapclient_add(struct ldapclient *client,
                                            const char *dn,
                                            const struct change *attributes,
                                            size_t count, struct error *err);
MUST_CHECK enum write_status ldapclient_modify(struct ldapclient *client,
                                               const char *dn,
                                               const struct change *changes,
                                               size_t count, struct error *err);
MUST_CHECK enum write_status ldapclient_remove(struct ldapclient *client,
                                               const char *dn,
                                               struct error *err);

/* The host of ldap://HOST[:PORT]; anything else is refused. */
MUST_CHECK bool ldapclient_uri_host(const char *uri, char *host, size_t size,
                                    struct error *err);

#endif
