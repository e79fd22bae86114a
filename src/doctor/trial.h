/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reaching a server sidecar, and a handshake with it that ends once it has
 * proved itself: it is told so, and never dials its application.  All block.
 */
#ifndef DOCTOR_TRIAL_H
#define DOCTOR_TRIAL_H

#include <stdint.h>

#include "base/error.h"
#include "base/socket.h"
#include "config/config.h"
#include "gss/credential.h"

/* One address of endpoint after the other.  The descriptor, or -1. */
MUST_CHECK int trial_connect(const struct endpoint *endpoint, uint64_t ms,
                             struct error *err);

/* Borrowed. */
struct trial_settings {
    const struct service_settings *service; /* a client's, or a server's whose
                                               own listener is tried */
    struct credential *credential;
    const struct endpoint *endpoint;
    const char *spn;
    uint64_t ms;
};

enum {
    TRIAL_PROOF_SIZE = 512
};

/* proof_out says as what, in safe words; stuck_out is set where a thread was left
 * behind that is still at work with the credential. */
MUST_CHECK bool trial_handshake(const struct trial_settings *settings,
                                char proof_out[TRIAL_PROOF_SIZE],
                                bool *stuck_out, struct error *err);

#endif
