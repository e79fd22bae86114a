/* SPDX-License-Identifier: BSD-2-Clause */
/* One job; what it has got by the time it is given up goes with it. */
#include "proxy/preparation.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/timer.h"
#include "proxy/directories.h"

/* What the pool works on; frees itself once abandoned. */
struct errand {
    struct job job; /* first: the pool's view */
    /* owned */
    struct prepared prepared;
    struct preparation_settings settings; /* with its configs held */
    /* borrowed */
    struct preparation *preparation; /* valid unless abandoned */
    /* plain */
    struct progress progress;
    size_t count; /* of provisions */
    bool done;
    struct error error;
};

struct preparation {
    struct errand *errand; /* owned while it is in the pool */
    struct timer late;
    preparation_done *done;
    void *arg; /* borrowed */
};

static void
report(enum severity severity, const char *text, void *arg)
{
    (void)arg;
    log_event(severity == SEVERITY_WARNING ? EVENT_WARN : EVENT_ERROR,
              LOG_TEXT("reason", text));
}

/* In the pool. */

static void
begin(struct errand *errand, const char *doing)
{
    atomic_store(&errand->progress.doing, doing);
}

static bool
read_file(struct errand *errand)
{
    struct config *before = errand->settings.before;

    if (before == NULL) {
        errand->prepared.config = config_hold(errand->settings.config);
        return true;
    }
    begin(errand, "reading the file");
    errand->prepared.config = config_load(before->path, report, NULL);
    if (errand->prepared.config == NULL) {
        error_set(&errand->error, "the file has errors; nothing changed");
        return false;
    }
    errand->prepared.config->generation = before->generation + 1;
    return true;
}

static bool
look_around(struct errand *errand)
{
    const struct confinement *confinement = errand->settings.confinement;
    const struct config *config = errand->prepared.config;

    /* At start it was done before root was given up. */
    if (errand->settings.before == NULL && confinement != NULL)
        return true;
    begin(errand, "looking for the files that it names");
    if (!confinement_covers(confinement, config, &errand->error))
        return false;
    begin(errand, "making the directories that it names");
    return directories_make(config, &errand->settings.owner, &errand->error);
}

/* At start it is open already. */
static bool
open_log(struct errand *errand)
{
    const struct config *before = errand->settings.before;
    const char *target = errand->prepared.config->global.log_target;

    if (before == NULL || strcmp(target, before->global.log_target) == 0)
        return true;
    begin(errand, "opening the log");
    errand->prepared.log = log_prepare(target, &errand->error);
    return errand->prepared.log != NULL;
}

static const struct service_settings *
find_before(const struct config *before, const struct service_settings *service)
{
    const struct service_settings *found =
        before != NULL ? config_find(before, service->name) : NULL;

    return found != NULL && found->role == service->role ? found : NULL;
}

static bool
get_provisions(struct errand *errand)
{
    struct config *config = errand->prepared.config;

    errand->prepared.provisions = calloc(config->service_count,
                                         sizeof(struct provision));
    if (errand->prepared.provisions == NULL) {
        error_set(&errand->error, "cannot make the services: out of memory");
        return false;
    }
    for (; errand->count < config->service_count; errand->count++) {
        const struct service_settings *service =
            &config->services[errand->count];
        const struct provision_settings settings = {
            .config = config,
            .service = service,
            .before = find_before(errand->settings.before, service),
            .workers = pool_threads(errand->settings.pool),
            .owner = errand->settings.owner,
        };
        if (!provision_get(&settings, &errand->progress,
                           &errand->prepared.provisions[errand->count],
                           &errand->error))
            return false;
    }
    return true;
}

static void
run(struct job *job)
{
    struct errand *errand = (struct errand *)job;

    errand->done = read_file(errand) && look_around(errand) &&
                   open_log(errand) && get_provisions(errand);
}

static void
errand_free(struct job *job)
{
    struct errand *errand = (struct errand *)job;

    for (size_t i = 0; i < errand->count; i++)
        provision_clear(&errand->prepared.provisions[i]);
    free(errand->prepared.provisions);
    log_discard(errand->prepared.log);
    config_release(errand->prepared.config);
    config_release(errand->settings.before);
    config_release(errand->settings.config);
    free(errand);
}

/* In the loop. */

static void
on_errand_done(struct job *job)
{
    struct errand *errand = (struct errand *)job;
    struct preparation *preparation = errand->preparation;

    timer_stop(&preparation->late);
    preparation->done(errand->done ? &errand->prepared : NULL, &errand->error,
                      preparation->arg);
    errand_free(job);
    free(preparation);
}

static void
on_late(void *arg)
{
    struct preparation *preparation = arg;
    struct errand *errand = preparation->errand;
    const char *doing = atomic_load(&errand->progress.doing);
    const struct service_settings *whose = atomic_load(&errand->progress.whose);
    struct error error;

    /* As long as it is not abandoned its config lasts. */
    error_set(&error, "no answer within %.1f s while %s",
              (double)errand->settings.patience_ms / 1000, doing);
    if (whose != NULL)
        error_prefix(&error, "[%s %s]", role_name(whose->role), whose->name);
    pool_abandon(&errand->job);
    preparation->done(NULL, &error, preparation->arg);
    free(preparation);
}

struct preparation *
preparation_start(const struct preparation_settings *settings,
                  preparation_done *done, void *arg)
{
    struct preparation *preparation = calloc(1, sizeof *preparation);
    struct errand *errand = calloc(1, sizeof *errand);

    if (preparation == NULL || errand == NULL) {
        free(preparation);
        free(errand);
        return NULL;
    }
    errand->settings = *settings;
    if (settings->before != NULL)
        config_hold(settings->before);
    if (settings->config != NULL)
        config_hold(settings->config);
    errand->preparation = preparation;
    errand->job.run = run;
    errand->job.done = on_errand_done;
    errand->job.discard = errand_free;
    begin(errand, "waiting for a thread of the pool");
    preparation->errand = errand;
    preparation->done = done;
    preparation->arg = arg;
    timer_init(&preparation->late, settings->loop, on_late, preparation);
    timer_start(&preparation->late, settings->patience_ms);
    pool_submit(settings->pool, "preparation", settings->loop, &errand->job);
    return preparation;
}

void
preparation_cancel(struct preparation *preparation)
{
    if (preparation == NULL)
        return;
    timer_stop(&preparation->late);
    pool_abandon(&preparation->errand->job);
    free(preparation);
}
