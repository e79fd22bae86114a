/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The managers of libipsec-mb, in which jobs meet that are done side by side:
 * each thread has its own.  Private to seal_multibuffer.c.
 */
#ifndef GSS_MULTIBUFFER_THREAD_H
#define GSS_MULTIBUFFER_THREAD_H

#include <intel-ipsec-mb.h>

#include "gss/seal_multibuffer.h"

struct multibuffer {
    IMB_MGR *wide; /* the most lanes */
    /* Fewer lanes, each faster, with the processor's instructions for SHA-1 and
     * SHA-256.  The same as wide where it has none. */
    IMB_MGR *narrow;
    unsigned lanes; /* of wide */
    /* multibuffer_vaes.c is faster at AES-CBC than either of them, and
     * multibuffer_sha1.c at SHA-1. */
    bool vaes;
};

enum multibuffer_work {
    MULTIBUFFER_SHA1,
    MULTIBUFFER_SHA256,
    MULTIBUFFER_SHA384,
    MULTIBUFFER_ENCRYPTION,
    MULTIBUFFER_DECRYPTION,
};

/* The calling thread's, made when they are first asked for; NULL for lack of
 * memory. */
const struct multibuffer *multibuffer_thread(void);

/* The one that is sooner done with so many jobs of about one length. */
IMB_MGR *multibuffer_pick(const struct multibuffer *managers,
                          enum multibuffer_work work, size_t count);

#endif
