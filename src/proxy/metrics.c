/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One small function a metric, named in the table.
 */
#include "proxy/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/metrics_table.h"
#include "proxy/sheet.h"
#include "version.h"

enum {
    LANES_SHOWN = 64
};

enum metric_scope {
    METRIC_SERVICE,
    METRIC_PROCESS
};

/* What a source writes of. */
struct view {
    struct sheet sheet;
    /* borrowed */
    const struct server *server;
    const struct counters *counters; /* of one service */
    const struct service_figures *figures;
};

static const struct sheet_label none = {NULL, NULL};

static void
number(struct view *view, uint64_t value)
{
    sheet_number(&view->sheet, none, value);
}

static void
count(struct view *view, const atomic_uint_fast64_t *counter)
{
    number(view, counters_get(counter));
}

/* Of a service. */

static void
ready(struct view *view)
{
    number(view, view->figures->is_ready);
}

static void
connections(struct view *view)
{
    number(view, atomic_load(&view->counters->connections));
}

static void
accepted(struct view *view)
{
    count(view, &view->counters->accepted);
}

static void
handshakes(struct view *view)
{
    const struct {
        const char *outcome;
        const atomic_uint_fast64_t *counter;
    } rows[] = {
        {"opened", &view->counters->opened},
        {"failed", &view->counters->failed},
        {"refused", &view->counters->refused},
        {"probe", &view->counters->probes},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        sheet_number(&view->sheet,
                     (struct sheet_label){"outcome", rows[i].outcome},
                     counters_get(rows[i].counter));
}

static void
errors(struct view *view)
{
    for (size_t i = 0; i < FAILURE_KINDS; i++) {
        const struct failure_count *kind = &view->counters->failures[i];
        const char *label = atomic_load(&kind->label);
        if (label == NULL)
            return;
        sheet_number(&view->sheet, (struct sheet_label){"error", label},
                     counters_get(&kind->count));
    }
}

static void
failovers(struct view *view)
{
    count(view, &view->counters->failovers);
}

static void
handshake_seconds(struct view *view)
{
    sheet_histogram(&view->sheet, none, &view->counters->handshake);
}

static void
connection_seconds(struct view *view)
{
    sheet_histogram(&view->sheet, none, &view->counters->connection);
}

static void
received(struct view *view)
{
    count(view, &view->counters->received);
}

static void
sent(struct view *view)
{
    count(view, &view->counters->sent);
}

static void
ticket_seconds(struct view *view)
{
    if (view->figures->has_ticket)
        number(view, view->figures->ticket_seconds);
}

static void
keytab_readable(struct view *view)
{
    if (view->figures->has_keytab)
        number(view, view->figures->keytab.readable);
}

static void
keytab_kvno(struct view *view)
{
    if (view->figures->has_keytab && view->figures->keytab.readable)
        number(view, view->figures->keytab.kvno);
}

static void
keytab_seconds(struct view *view)
{
    if (view->figures->has_keytab && view->figures->keytab.readable)
        number(view, view->figures->keytab.age);
}

static void
answer_seconds(struct view *view)
{
    if (view->figures->has_answer)
        number(view, view->figures->answer_seconds);
}

static void
servers(struct view *view)
{
    if (view->figures->has_answer)
        number(view, view->figures->servers);
}

/* Of the process. */

static void
build(struct view *view)
{
    sheet_number(&view->sheet,
                 (struct sheet_label){"version", KERBWRAP_VERSION}, 1);
}

static void
uptime(struct view *view)
{
    sheet_seconds(&view->sheet, none,
                  (loop_now_ms() - view->server->started_ms) * 1000);
}

static void
stopping(struct view *view)
{
    number(view, view->server->stopping > 0);
}

static void
limit(struct view *view)
{
    number(view, admission_status(view->server->admission).limit);
}

static void
handshakes_now(struct view *view)
{
    number(view, admission_status(view->server->admission).handshakes);
}

static void
held(struct view *view)
{
    number(view, admission_status(view->server->admission).held);
}

static void
buffers(struct view *view)
{
    number(view, batch_budget_used(view->server->budget));
}

static void
buffers_limit(struct view *view)
{
    number(view, view->server->config->global.buffer_memory);
}

static void
log_lost(struct view *view)
{
    number(view, log_dropped());
}

static void
threads(struct view *view)
{
    number(view, pool_threads(view->server->pool));
}

static void
lane_jobs(struct view *view)
{
    struct lane_status *lanes = calloc(LANES_SHOWN, sizeof *lanes);
    size_t found = lanes != NULL
                       ? pool_lanes(view->server->pool, lanes, LANES_SHOWN)
                       : 0;

    for (size_t i = 0; i < found; i++) {
        view->sheet.labels[0] = (struct sheet_label){"lane", lanes[i].name};
        sheet_number(&view->sheet, (struct sheet_label){"state", "running"},
                     lanes[i].running);
        sheet_number(&view->sheet, (struct sheet_label){"state", "queued"},
                     lanes[i].queued);
    }
    view->sheet.labels[0] = none;
    free(lanes);
}

static void
lane_seconds(struct view *view)
{
    for (const struct lane_times *lane = pool_times(view->server->pool);
         lane != NULL; lane = lane->next)
        sheet_histogram(&view->sheet, (struct sheet_label){"lane", lane->name},
                        &lane->work);
}

static void
kdc_seconds(struct view *view)
{
    static const char prefix[] = "kdc ";

    for (const struct lane_times *lane = pool_times(view->server->pool);
         lane != NULL; lane = lane->next)
        if (strncmp(lane->name, prefix, sizeof prefix - 1) == 0)
            sheet_histogram(
                &view->sheet,
                (struct sheet_label){"realm", lane->name + sizeof prefix - 1},
                &lane->work);
}

static uint64_t
microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void
cpu_seconds(struct view *view)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0)
        sheet_seconds(&view->sheet, none,
                      microseconds(usage.ru_utime) +
                          microseconds(usage.ru_stime));
}

static void
resident(struct view *view)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL)
        return;
    if (fscanf(file, "%*u %lu", &pages) == 1)
        number(view, pages * (uint64_t)sysconf(_SC_PAGESIZE));
    fclose(file);
}

static void
start_time(struct view *view)
{
    uint64_t up = (loop_now_ms() - view->server->started_ms) / 1000;

    number(view, (uint64_t)time(NULL) - up);
}

/* The table. */

static const struct metric {
    enum metric_scope scope;
    const char *name, *type, *help;
    void (*source)(struct view *view);
} metrics[] = {
#define GAUGE "gauge"
#define COUNTER "counter"
#define HISTOGRAM "histogram"
#define METRIC_ROW(scope, name, type, labels, help, source)                    \
    {METRIC_##scope, name, type, help, source},
    METRICS(METRIC_ROW)};

static void
write_services(const struct metric *metric, struct view *view)
{
    const struct server *server = view->server;

    for (size_t i = 0; i < server->service_count; i++) {
        const struct service *service = server->services[i];
        const struct service_settings *settings = service_settings(service);
        struct service_figures figures;

        service_figures(service, &figures);
        view->figures = &figures;
        view->counters = service_counters(service);
        view->sheet.labels[0] = (struct sheet_label){"service", settings->name};
        view->sheet.labels[1] = (struct sheet_label){"role",
                                                     role_name(settings->role)};
        metric->source(view);
    }
    view->sheet.labels[0] = view->sheet.labels[1] = none;
}

void
metrics_write(struct server *server, struct evbuffer *out)
{
    struct view view = {.server = server, .sheet.out = out};

    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const struct metric *metric = &metrics[i];
        sheet_head(&view.sheet, metric->name, metric->type, metric->help);
        if (metric->scope == METRIC_SERVICE)
            write_services(metric, &view);
        else
            metric->source(&view);
    }
}
