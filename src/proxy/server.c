/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brings everything up in the order in which it depends on each other, runs the
 * main loop, and takes it down in the reverse order.
 */
#include "proxy/server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/event_memory.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/system.h"
#include "directory/directory.h"
#include "proxy/confinement.h"
#include "proxy/herald.h"
#include "proxy/server_parts.h"
#include "version.h"

enum {
    EXIT_CONFIG = 2,
    /* Descriptors beside those of connections: listeners, loops, KDC sockets,
     * keytabs, the log. */
    DESCRIPTORS_BESIDE = 256,
    LOG_CLOSE_MS = 1000,
};

static void
complain(enum severity severity, const char *text, void *arg)
{
    (void)severity;
    (void)arg;
    fprintf(stderr, "kerbwrap: %s\n", text);
}

static void
take_signal(struct server *server, uint32_t number)
{
    if (number == SIGHUP)
        server_reload(server);
    else if (number == SIGUSR1)
        log_reopen();
    else
        server_stop(server);
}

static void
on_signals(void *arg)
{
    struct server *server = arg;
    struct signalfd_siginfo signal_info;

    while (read(server->signal_fd, &signal_info, sizeof signal_info) ==
           (ssize_t)sizeof signal_info)
        take_signal(server, signal_info.ssi_signo);
}

/* Read like any other descriptor: no handler, and no moment to lose one in. */
static bool
catch_signals(struct server *server, struct error *err)
{
    static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        sigaddset(&set, wanted[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    server->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server->signal_fd >= 0 &&
        watch_init(&server->signals, server->loop, server->signal_fd,
                   on_signals, server))
        return true;
    error_set_errno(err, errno, "cannot catch signals");
    return false;
}

void
server_raise_descriptors(const struct config *config)
{
    unsigned got;
    struct error error;

    /* Whether that was enough is said when the limits are applied. */
    if (!nofile_raise(server_descriptors(config), &got, &error))
        log_event(EVENT_WARN, LOG_TEXT("reason", error.text));
}

/* Two sockets, and what a program is watched by. */
static unsigned
descriptors_each(const struct config *config)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (config->services[i].exec.count > 0)
            return 3;
    return 2;
}

unsigned
server_descriptors(const struct config *config)
{
    return config->global.max_connections * descriptors_each(config) +
           DESCRIPTORS_BESIDE;
}

/* The limit of connections, or what the descriptors allow. */
static unsigned
fit_descriptors(const struct config *config)
{
    unsigned wanted = server_descriptors(config);
    unsigned got = 0;
    struct error error;
    char text[256];

    if (nofile_raise(wanted, &got, &error) && got >= wanted)
        return config->global.max_connections;
    unsigned each = descriptors_each(config);
    unsigned fits = got > DESCRIPTORS_BESIDE + each
                        ? (got - DESCRIPTORS_BESIDE) / each
                        : 1;
    snprintf(text, sizeof text,
             "max_connections lowered from %u to %u: only %u descriptors are "
             "allowed; raise LimitNOFILE or ulimit -n",
             config->global.max_connections, fits, got);
    log_event(EVENT_WARN, LOG_TEXT("reason", text));
    return fits;
}

void
server_apply_limits(struct server *server, const struct config *config)
{
    const struct admission_limits limits = {
        .connections = fit_descriptors(config),
        .handshakes = config->global.max_handshakes,
        .handshakes_per_source = config->global.max_handshakes_per_source,
    };
    admission_limit(server->admission, &limits);
}

static void
on_connection_closed(void *arg)
{
    struct server *server = arg;

    for (size_t i = 0; i < server->service_count; i++)
        service_resume(server->services[i]);
    thrift_note(&server->thrift,
                admission_status(server->admission).connections);
    server_check_drained(server);
}

static unsigned
thread_count(const struct config *config)
{
    unsigned processors = cpu_count();

    if (config->global.threads > 0)
        return config->global.threads;
    return processors < THREADS_MAX ? processors : THREADS_MAX;
}

/* The first shares the main thread. */
static bool
start_workers(struct server *server, struct error *err)
{
    unsigned count = thread_count(server->config);
    char name[32];

    server->workers = calloc(count, sizeof(struct worker *));
    if (server->workers == NULL) {
        error_set(err, "cannot start event loops: out of memory");
        return false;
    }
    for (; server->worker_count < count; server->worker_count++) {
        snprintf(name, sizeof name, "loop %zu", server->worker_count + 1);
        struct loop *host = server->worker_count == 0 ? server->loop : NULL;
        struct worker *worker = worker_new(host, name, server->pool,
                                           server->budget, err);
        if (worker == NULL)
            return false;
        if (!worker_start(worker, err)) {
            worker_free(worker);
            return false;
        }
        server->workers[server->worker_count] = worker;
    }
    return true;
}

static bool
start_machinery(struct server *server, struct error *err)
{
    const struct global_settings *global = &server->config->global;

    if (!pool_new(global->pool_threads, &server->pool, err))
        return false;
    thrift_init(&server->thrift, server->loop, server->pool);
    server->budget = batch_budget_new(global->buffer_memory);
    if (server->budget == NULL) {
        error_set(err, "cannot account for buffers: out of memory");
        return false;
    }
    if (!start_workers(server, err))
        return false;
    server->admission = admission_new(server->loop, server->workers,
                                      server->worker_count,
                                      on_connection_closed, server, err);
    if (server->admission == NULL)
        return false;
    server_apply_limits(server, server->config);
    server->herald = herald_new(server, &server->notifier, err);
    return server->herald != NULL;
}

static bool
start_services(struct server *server, const struct prepared *prepared,
               struct error *err)
{
    server->services = server_make_services(server, prepared, err);
    server_forget_bound(server);
    if (server->services == NULL)
        return false;
    server->service_count = server->config->service_count;
    if (server->config->global.status_enabled && server->status == NULL) {
        server->status = status_new(server, err);
        if (server->status == NULL)
            return false;
    }
    log_event(EVENT_STARTED, LOG_TEXT("version", KERBWRAP_VERSION),
              LOG_NUMBER("pid", getpid()),
              LOG_NUMBER("threads", server->worker_count));
    for (size_t i = 0; i < server->service_count; i++)
        if (!service_start(server->services[i], err))
            return false;
    herald_ready(server->herald);
    return true;
}

static void
on_prepared(struct prepared *prepared, const struct error *err, void *arg)
{
    struct server *server = arg;
    struct error error;
    bool again = server->reload_again;

    server->preparation = NULL;
    server->reload_again = false;
    error_copy(&error, err);
    if (prepared == NULL || !start_services(server, prepared, &error)) {
        log_event(EVENT_ERROR, LOG_TEXT("reason", error.text));
        server->failed = true;
        loop_stop(server->loop);
    } else if (again) {
        server_reload(server);
    }
}

/* Services come to be in the main loop, which hears signals meanwhile. */
static bool
begin_services(struct server *server, struct error *err)
{
    server->host.pool = server->pool;
    server->host.admission = server->admission;
    if (server_prepare(server, NULL, server->config, on_prepared))
        return true;
    error_set(err, "cannot make the services: out of memory");
    return false;
}

/* False: a job is stuck in a library and must not see the exit handlers. */
static bool
clear(struct server *server)
{
    size_t workers = server->worker_count;

    preparation_cancel(server->preparation);
    for (size_t i = 0; i < server->service_count; i++)
        service_stop(server->services[i], false);
    admission_stop(server->admission, BEING_STOPPED);
    while (server->worker_count > 0) /* the main thread's comes last */
        worker_end(server->workers[--server->worker_count]);
    if (server->loop != NULL)
        loop_deliver(server->loop); /* of tours: the workers' last words */
    server_forget_bound(server);
    herald_free(server->herald);
    notifier_close(&server->notifier);
    status_free(server->status);
    server_free_services(server->services, server->service_count);
    server->service_count = 0;
    bool idle = pool_free(server->pool);
    for (size_t i = 0; i < workers; i++)
        worker_free(server->workers[i]);
    free(server->workers);
    if (server->loop != NULL)
        loop_deliver(server->loop); /* of jobs that nobody owns */
    admission_free(server->admission);
    batch_budget_free(server->budget);
    watch_clear(&server->signals);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    if (server->loop != NULL)
        timer_stop(&server->drain_timer);
    thrift_stop(&server->thrift);
    loop_free(server->loop);
    if (idle) /* else a preparation may be looking at it */
        confinement_free(server->confinement);
    config_release(server->config);
    return idle;
}

static bool
open_log(const struct config *config, struct error *err)
{
    const struct log_settings settings = {
        .level = config->global.log_level,
        .format = config->global.log_format,
        .target = config->global.log_target,
    };

    log_adjust(settings.level, settings.format);
    return log_open(&settings, err);
}

/* All that comes before the first thread, so that every one of them is what
 * this one has become; with `user`, the log's file is opened as that user. */
static bool
lay_foundation(struct server *server, struct error *err)
{
    const struct global_settings *global = &server->config->global;
    bool confines = *global->user != '\0';

    log_adjust(global->log_level, global->log_format);
    server->host.owner = (struct owner){geteuid(), (gid_t)-1};
    if (!privileges_seal(err) || !directory_init(err) ||
        (!confines && !open_log(server->config, err)) ||
        !loop_new("main", &server->loop, err) || !catch_signals(server, err))
        return false;
    server->host.main_loop = server->loop;
    if (!confines)
        return true;
    if (!server_confine(server, err) || !open_log(server->config, err))
        return false;
    confinement_report(server->confinement);
    return true;
}

int
server_run(const char *path)
{
    struct server server = {.started_ms = loop_now_ms(), .signal_fd = -1};
    struct error error;
    int status = EXIT_SUCCESS;

    event_memory_use();
    notifier_open(&server.notifier);
    server.config = config_load(path, complain, NULL);
    if (server.config == NULL)
        return EXIT_CONFIG;
    if (lay_foundation(&server, &error) && start_machinery(&server, &error) &&
        begin_services(&server, &error)) {
        loop_run(server.loop);
        if (!server.failed)
            log_event(EVENT_STOPPED, LOG_TEXT("reason", "told to stop"));
    } else {
        log_event(EVENT_ERROR, LOG_TEXT("reason", error.text));
        server.failed = true;
    }
    if (server.failed)
        status = EXIT_FAILURE;
    bool idle = clear(&server);
    log_close(LOG_CLOSE_MS);
    if (!idle)
        _Exit(status);
    return status;
}
