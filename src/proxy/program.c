/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lives: with the connection, until program_end, and after it, in the list,
 * until the program is dead.  Its number is ours until it was buried.
 */
#include "proxy/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/timer.h"
#include "base/watch.h"

enum {
    VARIABLES_MAX = 8
};

#define PROGRAM_PATH                                                           \
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the pool works on; frees itself once abandoned. */
struct launch {
    struct job job; /* first: the pool's view */
    /* owned */
    char **arguments; /* the array; the texts are config's */
    char *environment[VARIABLES_MAX];
    size_t variables;
    int fd; /* our end, once started */
    struct process process;
    /* held */
    struct config *config;
    /* borrowed */
    struct program *program; /* valid unless abandoned */
    /* plain */
    bool started;
    struct error error;
};

enum stage {
    STAGE_STARTING,
    STAGE_RUNNING,
    STAGE_ASKED,  /* was sent SIGTERM ... */
    STAGE_KILLED, /* ... and SIGKILL */
    STAGE_ENDED,  /* a zombie, of a connection that goes on */
};

struct program {
    /* owned */
    struct launch *launch; /* while starting */
    struct process process;
    struct watch watch;
    struct timer timer;
    int kept_fd; /* not closed before it is dead; -1: none */
    /* held */
    struct config *config;
    /* borrowed */
    struct loop *loop;
    struct arrival *arrival;
    const struct service_settings *service; /* in config */
    struct program_handler handler;
    struct program **list;
    struct program *next, **link; /* in it; link NULL: not */
    /* plain */
    enum stage stage;
    bool detached; /* the connection is over ... */
    bool clean;    /* ... and so it ended */
    uint64_t id;
    struct error failure; /* once ended; "": none */
};

/* The environment. */

static bool
add(struct launch *launch, const char *name, const char *value)
{
    char **slot = &launch->environment[launch->variables];

    if (asprintf(slot, "%s=%s", name, value) < 0) {
        *slot = NULL;
        return false;
    }
    launch->variables++;
    return true;
}

/* As inetd's relatives call them; a Unix socket's peer has neither. */
static bool
add_remote(struct launch *launch, const struct address *from)
{
    char text[ADDRESS_TEXT_SIZE];
    char *host = text;

    address_format(from, text, sizeof text);
    char *colon = strrchr(text, ':');
    if (from->storage.ss_family == AF_UNIX || colon == NULL)
        return true;
    *colon = '\0';
    if (host[0] == '[' && colon[-1] == ']') {
        host++;
        colon[-1] = '\0';
    }
    return add(launch, "REMOTE_HOST", host) &&
           add(launch, "REMOTE_PORT", colon + 1);
}

static bool
fill_environment(struct launch *launch, const struct program_settings *settings)
{
    char id[32];

    snprintf(id, sizeof id, "%" PRIu64, settings->arrival->id);
    launch->environment[0] = strdup(PROGRAM_PATH);
    if (launch->environment[0] == NULL)
        return false;
    launch->variables = 1;
    return add(launch, "KERBWRAP_PRINCIPAL", settings->principal) &&
           add(launch, "KERBWRAP_TARGET", settings->target) &&
           add(launch, "KERBWRAP_SERVICE", settings->service->name) &&
           add(launch, "KERBWRAP_CONNECTION", id) &&
           add_remote(launch, &settings->arrival->peer);
}

/* The start, in the pool. */

static void
run(struct job *job)
{
    struct launch *launch = (struct launch *)job;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        error_set_errno(&launch->error, errno, "cannot make a socket pair");
        return;
    }
    const struct process_settings settings = {
        .arguments = launch->arguments,
        .environment = launch->environment,
        .stdio = pair[1],
    };
    launch->started = fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 &&
                      process_start(&settings, &launch->process,
                                    &launch->error);
    launch->fd = pair[0];
    close(pair[1]);
}

static void
launch_free(struct launch *launch)
{
    if (launch->fd >= 0)
        close(launch->fd);
    for (size_t i = 0; i < launch->variables; i++)
        free(launch->environment[i]);
    free(launch->arguments);
    config_release(launch->config);
    free(launch);
}

static void
discard(struct job *job)
{
    struct launch *launch = (struct launch *)job;

    if (launch->started)
        process_forsake(&launch->process);
    launch_free(launch);
}

static struct launch *
launch_new(const struct program_settings *settings)
{
    const struct text_list *words = &settings->service->exec;
    struct launch *launch = calloc(1, sizeof *launch);

    if (launch == NULL)
        return NULL;
    launch->fd = -1;
    launch->config = config_hold(settings->config);
    launch->arguments = calloc(words->count + 1, sizeof *launch->arguments);
    if (launch->arguments == NULL || !fill_environment(launch, settings)) {
        launch_free(launch);
        return NULL;
    }
    memcpy(launch->arguments, words->items,
           words->count * sizeof *launch->arguments);
    launch->job.run = run;
    launch->job.discard = discard;
    return launch;
}

/* The end. */

static void
program_free(struct program *program)
{
    watch_clear(&program->watch);
    timer_stop(&program->timer);
    if (program->link != NULL) {
        *program->link = program->next;
        if (program->next != NULL)
            program->next->link = program->link;
    }
    if (program->kept_fd >= 0)
        close(program->kept_fd);
    config_release(program->config);
    arrival_leave(program->arrival);
    free(program);
}

/* It is dead.  After an unclean end so shall be what it left in its group. */
static void
bury(struct program *program)
{
    if (!program->clean)
        process_signal(&program->process, SIGKILL);
    process_bury(&program->process);
    program_free(program);
}

static void
log_ended(const struct program *program)
{
    const char *reason = program->failure.text;
    bool failed = reason[0] != '\0' && program->stage == STAGE_RUNNING;

    log_event(failed ? EVENT_PROGRAM_FAILED : EVENT_PROGRAM_ENDED,
              LOG_TEXT("service", program->service->name),
              LOG_NUMBER("id", program->id),
              LOG_NUMBER("pid", program->process.pid),
              LOG_TEXT("reason", reason[0] != '\0' ? reason : "exit status 0"));
}

static void
on_process(void *arg)
{
    struct program *program = arg;

    if (!process_ended(&program->process, &program->failure))
        return;
    log_ended(program);
    watch_clear(&program->watch);
    timer_stop(&program->timer);
    if (program->detached) {
        bury(program);
        return;
    }
    /* Who failed leaves nobody behind that would keep the socket open. */
    if (program->failure.text[0] != '\0')
        process_signal(&program->process, SIGTERM);
    program->stage = STAGE_ENDED;
    program->handler.on_ended(program->handler.arg);
}

static void
on_time(void *arg)
{
    struct program *program = arg;
    bool asked = program->stage == STAGE_ASKED;

    process_signal(&program->process, asked ? SIGKILL : SIGTERM);
    program->stage = asked ? STAGE_KILLED : STAGE_ASKED;
    if (program->stage == STAGE_ASKED)
        timer_start(&program->timer, program->service->close_timeout);
}

static void
link_program(struct program *program)
{
    program->next = *program->list;
    program->link = program->list;
    if (program->next != NULL)
        program->next->link = &program->next;
    *program->list = program;
}

void
program_end(struct program *program, int fd, bool clean)
{
    if (program->stage == STAGE_STARTING) {
        if (program->launch != NULL)
            pool_abandon(&program->launch->job);
        program_free(program);
        return;
    }
    program->detached = true;
    program->clean = clean;
    if (clean && fd >= 0)
        close(fd);
    program->kept_fd = clean ? -1 : fd;
    if (program->stage == STAGE_ENDED) {
        bury(program);
        return;
    }
    link_program(program);
    if (clean)
        program_hurry(program);
    else if (program->stage == STAGE_RUNNING)
        on_time(program);
}

void
program_kill_all(struct program **list)
{
    while (*list != NULL) {
        (*list)->clean = false;
        bury(*list);
    }
}

/* The life with a connection. */

static void
on_launched(struct job *job)
{
    struct launch *launch = (struct launch *)job;
    struct program *program = launch->program;
    struct error error = launch->error;
    int fd = -1;

    timer_stop(&program->timer);
    program->launch = NULL;
    if (launch->started &&
        !watch_init(&program->watch, program->loop, launch->process.fd,
                    on_process, program)) {
        error_set_errno(&error, errno, "cannot watch %s", launch->arguments[0]);
        discard(job);
    } else {
        if (launch->started) {
            program->process = launch->process;
            program->stage = STAGE_RUNNING;
            timer_init(&program->timer, program->loop, on_time, program);
            fd = launch->fd;
            launch->fd = -1;
        }
        launch_free(launch);
    }
    program->handler.on_started(fd, &error, program->handler.arg);
}

static void
on_launch_late(void *arg)
{
    struct program *program = arg;
    struct error error;

    pool_abandon(&program->launch->job);
    program->launch = NULL;
    error_set(&error, "cannot start %s: it does not load in time",
              program->service->exec.items[0]);
    program->handler.on_started(-1, &error, program->handler.arg);
}

struct program *
program_start(const struct program_settings *settings,
              const struct program_handler *handler)
{
    struct program *program = calloc(1, sizeof *program);

    if (program == NULL)
        return NULL;
    program->launch = launch_new(settings);
    if (program->launch == NULL) {
        free(program);
        return NULL;
    }
    program->launch->program = program;
    program->launch->job.done = on_launched;
    program->kept_fd = -1;
    program->config = config_hold(settings->config);
    program->service = settings->service;
    program->loop = settings->loop;
    program->list = settings->list;
    program->id = settings->arrival->id;
    program->arrival = settings->arrival;
    program->arrival->parts++;
    program->handler = *handler;
    timer_init(&program->timer, program->loop, on_launch_late, program);
    timer_start(&program->timer, program->service->connect_timeout);
    pool_submit(settings->pool, "programs", program->loop,
                &program->launch->job);
    return program;
}

enum program_state
program_state(const struct program *program, struct error *failure_out)
{
    if (program->stage != STAGE_ENDED)
        return PROGRAM_RUNS;
    if (program->failure.text[0] == '\0')
        return PROGRAM_SUCCEEDED;
    error_set(failure_out, "the program failed: %s", program->failure.text);
    return PROGRAM_FAILED;
}

void
program_hurry(struct program *program)
{
    if (program->stage == STAGE_RUNNING)
        timer_start(&program->timer, program->service->close_timeout);
}
