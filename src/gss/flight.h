/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that many threads want done once: the first one does it, those who come
 * meanwhile wait for its result, who comes later does it anew.  So a thousand
 * connections make one request to a KDC.  Private to src/gss.
 */
#ifndef GSS_FLIGHT_H
#define GSS_FLIGHT_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"

struct flight {
    pthread_mutex_t mutex;
    pthread_cond_t landed;
    unsigned long landings;
    unsigned waiting;
    bool busy;
    bool ok; /* how the last one went, and if not, why */
    struct error error;
};

void flight_init(struct flight *flight);
void flight_clear(struct flight *flight); /* nobody may be waiting */

/*
 * True: the caller leads, does the work and must call flight_land.  False: it
 * has been done by another, as long as that took; ok_out and err tell how.
 */
MUST_CHECK bool flight_lead(struct flight *flight, bool *ok_out,
                            struct error *err);

/* How many wait for the one who leads. */
unsigned flight_waiting(struct flight *flight);

/* err is read when ok is false. */
void flight_land(struct flight *flight, bool ok, const struct error *err);

#endif
