/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes a second between two looks at something that counts, a second apart at
 * least: who looks more often sees the last rate again.
 */
#ifndef PROXY_RATE_H
#define PROXY_RATE_H

#include <stdint.h>

struct rate {
    uint64_t ms;             /* of the last look; 0: none yet */
    uint64_t received, sent; /* counted by then */
    uint64_t received_rate, sent_rate;
};

static inline void
rate_look(struct rate *rate, uint64_t now_ms, uint64_t received, uint64_t sent)
{
    uint64_t span = now_ms - rate->ms;

    if (rate->ms != 0 && span < 1000)
        return;
    if (rate->ms != 0) {
        rate->received_rate = (received - rate->received) * 1000 / span;
        rate->sent_rate = (sent - rate->sent) * 1000 / span;
    }
    rate->ms = now_ms;
    rate->received = received;
    rate->sent = sent;
}

#endif
