/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why does it not work?  Goes through a configuration and tries everything that
 * a connection needs, from krb5.conf to a handshake with the server, and says of
 * each what was seen and what to do.  Changes nothing, dials no application.
 * directory_init comes first.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "gss/principal.h"

enum verdict {
    VERDICT_OK,
    VERDICT_WARN, /* works, or may not matter */
    VERDICT_FAIL, /* connections fail for this */
    VERDICT_SKIP, /* not tried, and why */
    VERDICT_COUNT,
};

/* Texts are safe to print, one line each, and valid during the call. */
struct finding {
    enum verdict verdict;
    const char *section; /* "kerbwrap", "server NAME", "client NAME" */
    const char *check;   /* "keytab", "clock", ... */
    const char *text;    /* what was tried and seen */
    const char *advice;  /* what to do; "" unless something is wrong */
};

typedef void doctor_tell(const struct finding *finding, void *arg);

/* Borrowed. */
struct doctor_settings {
    struct config *config;
    const struct service_settings *service; /* NULL: all of them */
    const struct principal *principal;      /* whom a server would let in? */
    const char *principal_text;             /* likewise; NULL: nobody asks */
    const char *ccache;                     /* to ask KDC and directory with */
    doctor_tell *tell;
    void *arg;
};

struct doctor_result {
    size_t count[VERDICT_COUNT];
    /* A check hangs in a library: the process must end by _Exit. */
    bool stuck;
};

/* Takes half a minute at most.  False: out of memory or threads. */
MUST_CHECK bool doctor_examine(const struct doctor_settings *settings,
                               struct doctor_result *result_out,
                               struct error *err);

#endif
