/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a test waits for another thread: for an event that is told, never for a
 * time that should be enough.  What does not come fails the test.
 */
#ifndef TESTS_LATCH_H
#define TESTS_LATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* After which a test has failed; long, for sanitizers on a busy machine. */
enum {
    LATCH_PATIENCE_MS = 20000
};

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned told;
};

/* clang-format off */
#define LATCH_INITIALIZER {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}
/* clang-format on */

void latch_tell(struct latch *latch);

/* Until it was told so many times altogether. */
void latch_wait(struct latch *latch, unsigned times);

/* Was it, so far? */
bool latch_was_told(struct latch *latch);

/* A millisecond, between two looks at what nobody tells of. */
void latch_pause(void);

#endif
