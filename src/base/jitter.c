/* SPDX-License-Identifier: BSD-2-Clause */
/* Randomness that need not be good, from where it is good anyway. */
#include "base/jitter.h"

#include <sys/random.h>

uint64_t
with_jitter(uint64_t ms)
{
    uint16_t random = 0;

    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    return ms - ms / 4 * random / UINT16_MAX;
}
