/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mask is set before the thread exists and inherited by it: there is no
 * moment in which a signal could be delivered to it.
 */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>

bool
thread_start(const char *name, void *(*function)(void *arg), void *arg,
             pthread_t *thread_out, struct error *err)
{
    char shown[16]; /* the kernel's limit */
    sigset_t all, old;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failure = pthread_create(&thread, NULL, function, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failure != 0) {
        error_set_errno(err, failure, "cannot start the thread \"%s\"", name);
        return false;
    }
    snprintf(shown, sizeof shown, "%s", name);
    pthread_setname_np(thread, shown);
    *thread_out = thread;
    return true;
}

void
thread_take_time(void)
{
    const struct sched_param none = {.sched_priority = 0};

    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)sched_setscheduler(0, SCHED_BATCH, &none);
}
