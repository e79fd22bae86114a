/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service needs that can keep one waiting: keytabs and kept answers,
 * which may be on a network's file system, and the name service.
 */
#ifndef PROXY_PROVISION_H
#define PROXY_PROVISION_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/users.h"
#include "config/config.h"

struct credential;
struct finder;
struct guests;

struct provision {
    /* borrowed */
    struct config *config;
    const struct service_settings *service; /* in config */
    /* owned; service_new takes what it wants and sets it to NULL */
    struct credential *credential; /* NULL: that of before goes on */
    struct finder *finder;         /* NULL: it looks in no directory */
    struct guests *guests;         /* NULL: anybody may connect */
    /* plain */
    struct owner owner; /* of its Unix socket */
};

/* What is being done just now, to be told by another thread when it is late. */
struct progress {
    _Atomic(const char *) doing; /* "reading the keytab"; static */
    _Atomic(const struct service_settings *) whose; /* NULL: nobody's */
};

struct provision_settings {
    /* borrowed */
    struct config *config;
    const struct service_settings *service; /* in config */
    const struct service_settings *before;  /* a reload; NULL: it is new */
    /* plain */
    unsigned workers;   /* threads of the pool */
    struct owner owner; /* when `socket_owner` is empty */
};

/* Blocks; any thread.  To be cleared on success. */
MUST_CHECK bool provision_get(const struct provision_settings *settings,
                              struct progress *progress,
                              struct provision *provision_out,
                              struct error *err);
void provision_clear(struct provision *provision);

#endif
