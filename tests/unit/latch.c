/* SPDX-License-Identifier: BSD-2-Clause */
/* A counter under a lock. */
#include "latch.h"

#include <time.h>
#include <check.h>

void
latch_tell(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    latch->told++;
    pthread_cond_broadcast(&latch->changed);
    pthread_mutex_unlock(&latch->lock);
}

void
latch_wait(struct latch *latch, unsigned times)
{
    struct timespec end;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LATCH_PATIENCE_MS / 1000;
    pthread_mutex_lock(&latch->lock);
    while (latch->told < times && late == 0)
        late = pthread_cond_timedwait(&latch->changed, &latch->lock, &end);
    unsigned told = latch->told;
    pthread_mutex_unlock(&latch->lock);
    ck_assert_uint_ge(told, times);
}

bool
latch_was_told(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    bool told = latch->told > 0;
    pthread_mutex_unlock(&latch->lock);
    return told;
}

void
latch_pause(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    nanosleep(&moment, NULL);
}
