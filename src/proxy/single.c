/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker whose loop runs here, one arrival that nobody accepted, and a pump in
 * the place of the application.
 */
#include "proxy/single.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/timer.h"
#include "proxy/asking.h"
#include "proxy/connection.h"
#include "proxy/pump.h"
#include "proxy/worker.h"

enum {
    POOL_THREADS = 4,
    /* Of all steps together: several servers may each use up their time. */
    TIMEOUTS = 12,
};

struct single {
    /* owned */
    struct pool *pool;
    struct batch_budget *budget;
    struct worker *worker;
    struct credential *credential;
    struct counters *counters;
    struct snapshot *snapshot;
    struct pump *pump;
    struct timer late;
    /* plain */
    const struct single_settings *settings;
    struct asking *asking; /* while it lasts */
    struct arrival arrival;
    struct outcome outcome;
};

/* The machinery. */

static bool
set_up(struct single *single, struct error *err)
{
    const struct single_settings *settings = single->settings;

    if (!pool_new(POOL_THREADS, &single->pool, err))
        return false;
    single->budget = batch_budget_new(settings->config->global.buffer_memory);
    single->counters = counters_new();
    if (single->budget == NULL || single->counters == NULL) {
        error_set(err, "cannot connect: out of memory");
        return false;
    }
    single->worker = worker_new(NULL, "main", single->pool, single->budget,
                                err);
    if (single->worker == NULL)
        return false;
    single->credential = service_credential(settings->service,
                                            pool_threads(single->pool), err);
    return single->credential != NULL;
}

/* The connection. */

static void
on_closed(struct mail *mail)
{
    struct single *single = container_of(mail, struct single, arrival.closed);

    loop_stop(single->worker->loop);
}

static void
on_pump_failed(const struct error *err, void *arg)
{
    const struct single *single = arg;

    if (single->worker->connections != NULL)
        connection_close(single->worker->connections, RESET_APPLICATION,
                         err->text);
}

static bool
connect_both(struct single *single, struct error *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
        fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
        error_set_errno(err, errno, "cannot make a socket pair");
        return false;
    }
    const struct pump_settings pump = {
        .input = single->settings->input,
        .output = single->settings->output,
        .socket = pair[1],
        .loop = single->worker->loop,
        .on_failed = on_pump_failed,
        .arg = single,
    };
    single->pump = pump_start(&pump, err);
    if (single->pump == NULL) {
        close(pair[0]);
        return false;
    }
    single->arrival = (struct arrival){
        .fd = pair[0],
        .snapshot = single->snapshot,
        .worker = single->worker,
        .main_loop = single->worker->loop,
        .closed = {.deliver = on_closed},
        .peer = {.length = sizeof(sa_family_t)},
        .id = (uint64_t)getpid(),
        .outcome = &single->outcome,
    };
    single->arrival.peer.storage.ss_family = AF_UNIX;
    connection_open(&single->arrival);
    return true;
}

static bool
open_to(struct single *single, const struct discovery *discovery,
        struct error *err)
{
    const struct snapshot_parts parts = {
        .config = single->settings->config,
        .service = single->settings->service,
        .credential = single->credential,
        .counters = single->counters,
        .discovery = discovery,
    };

    single->snapshot = snapshot_new(&parts, err);
    return single->snapshot != NULL && connect_both(single, err);
}

/* Where is the server? */

static void
on_asked(struct discovery *answer, const struct error *err, void *arg)
{
    struct single *single = arg;
    struct error *reason = &single->outcome.reason;

    single->asking = NULL;
    timer_stop(&single->late);
    if (answer == NULL)
        *reason = *err;
    if (answer == NULL || !open_to(single, answer, reason))
        loop_stop(single->worker->loop);
}

static void
on_late(void *arg)
{
    struct single *single = arg;

    asking_cancel(single->asking);
    single->asking = NULL;
    error_set(&single->outcome.reason,
              "the directory takes too long to answer; raise `timeout` of "
              "[directory] if it is only slow");
    loop_stop(single->worker->loop);
}

static bool
ask(struct single *single, struct error *err)
{
    struct config *config = single->settings->config;
    const struct service_settings *service = single->settings->service;
    struct loop *loop = single->worker->loop;
    struct credential *credential = inquiry_credential(
        config, service, pool_threads(single->pool), err);
    struct inquiry *inquiry = NULL;

    if (credential != NULL)
        inquiry = inquiry_new(config, service, credential, err);
    credential_release(credential);
    if (inquiry == NULL)
        return false;
    single->asking = asking_start(inquiry, loop, single->pool, on_asked,
                                  single);
    if (single->asking == NULL) {
        error_set(err, "cannot ask the directory: out of memory");
        return false;
    }
    timer_init(&single->late, loop, on_late, single);
    timer_start(&single->late, config->directory.timeout * TIMEOUTS);
    return true;
}

static bool
begin(struct single *single, struct error *err)
{
    return inquiry_is_wanted(single->settings->service)
               ? ask(single, err)
               : open_to(single, NULL, err);
}

static bool
clear(struct single *single)
{
    if (single->worker != NULL)
        worker_end(single->worker);
    pump_free(single->pump);
    bool idle = pool_free(single->pool);
    worker_free(single->worker);
    snapshot_release(single->snapshot);
    counters_release(single->counters);
    credential_release(single->credential);
    batch_budget_free(single->budget);
    return idle;
}

enum single_end
single_run(const struct single_settings *settings, bool *idle_out,
           struct error *err)
{
    struct single single = {.settings = settings};
    enum single_end end = SINGLE_FAILED;

    signal(SIGPIPE, SIG_IGN);
    if (set_up(&single, err) && begin(&single, err)) {
        loop_run(single.worker->loop);
        *err = single.outcome.reason;
        if (single.pump != NULL && pump_finish(single.pump, err) &&
            single.outcome.finished)
            end = SINGLE_FINISHED;
    }
    *idle_out = clear(&single);
    return end;
}
