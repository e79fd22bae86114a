/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libldap's session and what it answers.  Private to ldapclient.c,
 * ldapclient_search.c and ldapclient_write.c, which alone include libldap.
 */
#ifndef DIRECTORY_LDAPCLIENT_PARTS_H
#define DIRECTORY_LDAPCLIENT_PARTS_H

#include <sys/time.h>
#include <ldap.h>

#include "directory/ldapclient.h"

struct ldapclient {
    LDAP *session;            /* owned */
    char *uri;                /* owned */
    struct timeval patience;  /* with one exchange */
    struct ldap_conncb hooks; /* session's, until it is closed */
};

/* What a result code of libldap's means for who asked. */
enum directory_status ldapclient_status(int code);

/* The sentence for code, with the server's own words when it sent some.  deed
 * stands before the server's URI: "search in". */
void ldapclient_explain(struct ldapclient *client, int code, const char *deed,
                        struct error *err);

#endif
