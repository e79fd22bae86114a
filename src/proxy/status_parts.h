/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status server from inside: status.c and what it answers with.
 */
#ifndef PROXY_STATUS_PARTS_H
#define PROXY_STATUS_PARTS_H

#include "proxy/http.h"
#include "proxy/server_parts.h"

struct status {
    struct http *http;     /* owned */
    struct server *server; /* borrowed */
};

/* status_document.c: the whole of /status.json; connections, as the tour
 * gathered them, is emptied. */
void status_document(struct server *server, struct evbuffer *connections,
                     struct evbuffer *out);

/* status_page.c: the page, with nonce put in. */
void status_page(const char *nonce, struct evbuffer *out);

/* status_close.c: POST /close. */
void status_close(struct status *status, const struct http_call *call);

#endif
