/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting threads.  All signals are blocked in them, so that those of the
 * process reach the main thread, and a broken pipe is an errno.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"

/* Runs function(arg) in a new thread; name (cut to 15 bytes) is what debuggers
 * and top show.  The thread must be joined or detached. */
MUST_CHECK bool thread_start(const char *name, void *(*function)(void *arg),
                             void *arg, pthread_t *thread_out,
                             struct error *err);

/*
 * What the calling thread does may take its time: when it wakes, who runs just now
 * is not interrupted (SCHED_BATCH).  Where somebody chose a policy for the process,
 * or forbids this, nothing changes.  base/process.h keeps it from programs.
 */
void thread_take_time(void);

#endif
