/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of others, started and waited for: each leads a session and a process
 * group of its own, and none has anything of ours but what is named here.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct process {
    pid_t pid;
    int fd; /* owned; readable once it has ended */
};

struct process_settings {
    char *const *arguments; /* the first is its absolute path; NULL ends them */
    char *const *environment; /* all of it; NULL ends it */
    int stdio;                /* its standard input and output */
};

/*
 * Standard error is ours, all other descriptors are closed, signals are at their
 * defaults, the working directory is the root, and the scheduler's policy is the
 * process's, whatever the calling thread has.  Waits until the program is loaded,
 * which may be long on a network's file system.
 */
MUST_CHECK bool process_start(const struct process_settings *settings,
                              struct process *process_out, struct error *err);

/* Has it ended?  Then failure_out says how it failed, "" when it did not.  It
 * stays a zombie, so that its number, and its group's, is no one else's. */
bool process_ended(const struct process *process, struct error *failure_out);

/* Sends a signal to its whole group; not after process_bury. */
void process_signal(const struct process *process, int number);

/* Takes the zombie away, if it is one by now, and closes fd. */
void process_bury(struct process *process);

/* Kills its group, closes fd, and has the zombie taken away once it is one, in a
 * thread of its own: what sits in the kernel (on a network's file system) dies
 * late even of SIGKILL, and the caller does not wait.  Without memory for the
 * thread it stays a zombie. */
void process_forsake(struct process *process);

/* Kills the groups of all children of this process, whoever started them: for
 * one that ends at once.  Without CONFIG_PROC_CHILDREN in the kernel nobody is
 * found. */
void process_kill_children(void);

#endif
