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
    /* For a few jobs: fewer lanes, each faster, by the processor's instructions
     * for SHA-1 and SHA-256.  The same as wide where it has none. */
    IMB_MGR *narrow;
};

/* The calling thread's, made when they are first asked for; NULL for lack of
 * memory. */
const struct multibuffer *multibuffer_thread(void);

#endif
