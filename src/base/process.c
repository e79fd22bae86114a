/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By posix_spawn, whose child shares our memory until it has become the program:
 * no handler, lock or buffer of ours is ever copied into it.
 */
#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "base/thread.h"

/* In <sys/pidfd.h> and <sys/wait.h> of newer libraries. */
enum {
    WAIT_BY_FD = 3 /* P_PIDFD */
};

/* Of a thread that takes its time (base/thread.h): the program shall not. */
static int
set_policy(posix_spawnattr_t *attributes, short *flags)
{
    if (sched_getscheduler(0) != SCHED_BATCH ||
        sched_getscheduler(getpid()) != SCHED_OTHER)
        return 0;
    *flags |= POSIX_SPAWN_SETSCHEDULER;
    return posix_spawnattr_setschedpolicy(attributes, SCHED_OTHER);
}

static int
set_attributes(posix_spawnattr_t *attributes)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                  POSIX_SPAWN_SETSID;
    sigset_t none, all;
    int number;

    sigemptyset(&none);
    sigfillset(&all);
    number = posix_spawnattr_setsigmask(attributes, &none);
    if (number == 0)
        number = posix_spawnattr_setsigdefault(attributes, &all);
    if (number == 0)
        number = set_policy(attributes, &flags);
    if (number == 0)
        number = posix_spawnattr_setflags(attributes, flags);
    return number;
}

static int
set_actions(posix_spawn_file_actions_t *actions, int stdio)
{
    int number = posix_spawn_file_actions_adddup2(actions, stdio, 0);

    if (number == 0)
        number = posix_spawn_file_actions_adddup2(actions, stdio, 1);
    if (number == 0)
        number = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (number == 0)
        number = posix_spawn_file_actions_addchdir_np(actions, "/");
    return number;
}

static int
spawn(const struct process_settings *settings, pid_t *pid_out)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int number = posix_spawnattr_init(&attributes);

    if (number != 0)
        return number;
    number = posix_spawn_file_actions_init(&actions);
    if (number == 0) {
        number = set_attributes(&attributes);
        if (number == 0)
            number = set_actions(&actions, settings->stdio);
        if (number == 0)
            number = posix_spawn(pid_out, settings->arguments[0], &actions,
                                 &attributes, settings->arguments,
                                 settings->environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return number;
}

bool
process_start(const struct process_settings *settings,
              struct process *process_out, struct error *err)
{
    struct process process = {.fd = -1};
    int number = spawn(settings, &process.pid);

    if (number != 0) {
        error_set_errno(err, number, "cannot start %s", settings->arguments[0]);
        return false;
    }
    /* At once, but not before it is loaded: posix_spawn cannot. */
    nofile_lower(process.pid);
    process.fd = (int)syscall(SYS_pidfd_open, process.pid, 0);
    if (process.fd < 0) {
        error_set_errno(err, errno, "cannot watch %s", settings->arguments[0]);
        process_signal(&process, SIGKILL);
        (void)waitpid(process.pid, NULL, 0);
        return false;
    }
    *process_out = process;
    return true;
}

bool
process_ended(const struct process *process, struct error *failure_out)
{
    siginfo_t info = {0};

    if (waitid((idtype_t)WAIT_BY_FD, (id_t)process->fd, &info,
               WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return false;
    if (info.si_code != CLD_EXITED)
        error_set(failure_out, "killed by signal %d (%s)", info.si_status,
                  strsignal(info.si_status));
    else if (info.si_status != 0)
        error_set(failure_out, "exit status %d", info.si_status);
    else
        failure_out->text[0] = '\0';
    return true;
}

void
process_signal(const struct process *process, int number)
{
    /* Between fork and setsid there is no such group yet. */
    if (kill(-process->pid, number) != 0)
        (void)kill(process->pid, number);
}

void
process_bury(struct process *process)
{
    (void)waitpid(process->pid, NULL, WNOHANG);
    close(process->fd);
    process->fd = -1;
}

static void *
await(void *arg)
{
    pid_t *pid = arg;

    (void)waitpid(*pid, NULL, 0);
    free(pid);
    return NULL;
}

void
process_forsake(struct process *process)
{
    struct error ignored;
    pthread_t thread;

    process_signal(process, SIGKILL);
    close(process->fd);
    process->fd = -1;
    if (waitpid(process->pid, NULL, WNOHANG) != 0)
        return;
    pid_t *pid = malloc(sizeof *pid);
    if (pid == NULL)
        return;
    *pid = process->pid;
    if (thread_start("burial", await, pid, &thread, &ignored))
        pthread_detach(thread);
    else
        free(pid);
}

/* By thread, as the kernel lists them. */
static void
kill_children_of(const char *thread)
{
    char path[64];
    int pid;

    snprintf(path, sizeof path, "/proc/self/task/%.16s/children", thread);
    FILE *children = fopen(path, "re");
    if (children == NULL)
        return;
    while (fscanf(children, "%d", &pid) == 1) {
        const struct process process = {.pid = pid};
        process_signal(&process, SIGKILL);
    }
    fclose(children);
}

void
process_kill_children(void)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *entry;

    if (threads == NULL)
        return;
    while ((entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            kill_children_of(entry->d_name);
    closedir(threads);
}
