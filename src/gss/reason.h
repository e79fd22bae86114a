/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a status of libkrb5 or GSSAPI to a sentence that says what happened and
 * what to do.  Private to src/gss.
 */
#ifndef GSS_REASON_H
#define GSS_REASON_H

#include <gssapi/gssapi.h>
#include <krb5.h>

#include "base/error.h"

/* What was being done: one code means different things at different places. */
enum reason_scene {
    REASON_TGT = 1 << 0,     /* getting our own first ticket */
    REASON_TICKET = 1 << 1,  /* getting a ticket for a service */
    REASON_CACHE = 1 << 2,   /* reading somebody's credential cache */
    REASON_KEYTAB = 1 << 3,  /* reading a keytab */
    REASON_INIT = 1 << 4,    /* our part of an initiator's step */
    REASON_ACCEPT = 1 << 5,  /* accepting an AP-REQ */
    REASON_REFUSED = 1 << 6, /* what the acceptor's error token told us */
    REASON_CHANNEL = 1 << 7, /* sealing and unsealing */
};

/* "FORMAT: what to do (library's text)", or "FORMAT: library's text" where
 * nothing is known of the code. */
void reason_krb5(struct error *err, enum reason_scene scene,
                 krb5_context context, krb5_error_code code, const char *format,
                 ...) PRINTF_LIKE(5, 6);

/* The same for GSSAPI; without advice both the major and the mechanism's text
 * are shown. */
void reason_gss(struct error *err, enum reason_scene scene, OM_uint32 major,
                OM_uint32 minor, const char *format, ...) PRINTF_LIKE(5, 6);

/* What the code is called in krb5.h, for error_label; "GSSAPI" for any that
 * does not occur in an operator's life. */
const char *reason_label(krb5_error_code code);

/* The advice alone, or NULL. */
const char *reason_advice(enum reason_scene scene, krb5_error_code code);

#endif
