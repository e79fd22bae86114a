/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service from inside: shared by service.c, service_snapshot.c and
 * service_report.c.
 */
#ifndef PROXY_SERVICE_PARTS_H
#define PROXY_SERVICE_PARTS_H

#include "base/timer.h"
#include "proxy/finder.h"
#include "proxy/guests.h"
#include "proxy/keywatch.h"
#include "proxy/listener.h"
#include "proxy/rate.h"
#include "proxy/registration.h"
#include "proxy/service.h"
#include "proxy/snapshot.h"
#include "proxy/upkeep.h"

enum service_state {
    SERVICE_NEW,
    SERVICE_WAITING, /* for the directory to say that it may serve */
    SERVICE_SERVING,
    SERVICE_BARRED, /* the directory said that it may not */
    SERVICE_STOPPED,
};

struct service {
    enum service_state state;
    bool takes_over; /* goes on where a predecessor served */
    /* owned */
    struct registration *registration; /* servers with a directory */
    struct listener *listener;
    struct guests *guests;     /* NULL: anybody may connect */
    struct snapshot *snapshot; /* held; what the next connection gets */
    struct upkeep *upkeep;     /* clients */
    struct finder *finder;     /* clients that look in the directory */
    struct keywatch *keywatch; /* who has a keytab; NULL: no memory */
    struct timer retry;        /* of a start that failed */
    /* borrowed */
    struct service_host *host;
    /* plain */
    struct owner owner; /* of its Unix socket */
    struct rate rate;
};

/* Held; NULL: err says why.  The credential of predecessor (NULL: there is none)
 * goes on when the provision has none. */
struct snapshot *service_first_snapshot(const struct service *service,
                                        const struct provision *provision,
                                        const struct service *predecessor,
                                        struct error *err);

/* The next connection gets what was found; those under way keep theirs. */
void service_renew_snapshot(struct service *service,
                            const struct discovery *discovery);

#endif
