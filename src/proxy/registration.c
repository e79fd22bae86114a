/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer, a job in the pool, and what to make of what it says:
 *
 *   names fine     the service may serve, and publishes
 *   names bad      it may not (verify_spn = warn: it may), looked at again
 *   no answer      it may unless verify_spn = require; asked again, later and
 *                  later
 *
 * The job owns all that it uses, so that one that hangs can be left behind.
 */
#include "proxy/registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/timer.h"
#include "proxy/registrar.h"

enum {
    RETRY_FIRST_MS = 1000,
    /* Of the directory's time for one answer: how many make a job hopeless. */
    TIMEOUTS = 6,
};

static const char lane[] = "registration";

struct inspection {
    struct job job; /* first: the pool's view */
    /* held */
    struct config *config;
    /* borrowed */
    const struct service_settings *service; /* in config */
    struct registration *registration;      /* not by the job's thread */
    /* plain */
    unsigned workers;
    uint16_t port;
    /* what came of it */
    bool asked; /* else there was nothing to ask with, says verify_error */
    enum publish_status verified, published;
    struct error verify_error, publish_error;
};

struct registration {
    /* held */
    struct config *config;
    /* owned */
    struct timer due;  /* the next look */
    struct timer late; /* the present one takes too long */
    /* borrowed */
    const struct service_settings *service; /* in config */
    struct inspection *inspection;          /* the pool's, while it lasts */
    struct loop *loop;
    struct pool *pool;
    void *arg;
    /* plain */
    registration_verdict *on_verdict;
    unsigned workers;
    uint16_t port;
    uint64_t retry_ms;
    bool overdue;       /* the present look has used up one timeout */
    struct error state; /* for the status; "" when all is well */
};

static bool
verifies(const struct service_settings *service)
{
    return service->verify_spn != VERIFY_SPN_OFF;
}

bool
registration_is_wanted(const struct config *config,
                       const struct service_settings *service)
{
    return service->role == ROLE_SERVER && config->directory.present &&
           (service->publish || verifies(service));
}

/* --- in the pool -------------------------------------------------------- */

static void
tell(enum publish_news news, const char *text, void *arg)
{
    const struct registrar *registrar = arg;
    const char *name = registrar->settings.name;
    char command[2048];

    switch (news) {
    case PUBLISH_STEP:
        log_event(EVENT_NOTICE, LOG_TEXT("service", name),
                  LOG_TEXT("reason", text));
        break;
    case PUBLISH_UNDONE:
    case PUBLISH_WARNING:
        log_event(EVENT_WARN, LOG_TEXT("service", name),
                  LOG_TEXT("reason", text));
        break;
    case PUBLISH_COMMAND:
        snprintf(command, sizeof command, "an administrator can run: %s", text);
        log_event(EVENT_NOTICE, LOG_TEXT("service", name),
                  LOG_TEXT("reason", command));
        break;
    case PUBLISH_RESULT:
        break;
    }
}

static void
ask(struct inspection *inspection, struct registrar *registrar)
{
    const struct service_settings *service = inspection->service;
    struct publish_settings *settings = &registrar->settings;

    settings->tell = tell;
    settings->arg = registrar;
    settings->flags = PUBLISH_SCP_ONLY;
    if (service->port == 0)
        settings->port = inspection->port;
    inspection->verified = inspection->published = PUBLISH_DONE;
    if (verifies(service))
        inspection->verified = publish_verify(settings,
                                              &inspection->verify_error);
    bool fine = inspection->verified == PUBLISH_DONE ||
                (inspection->verified == PUBLISH_FAILED &&
                 service->verify_spn == VERIFY_SPN_WARN);
    if (service->publish && fine)
        inspection->published = publish(settings, &inspection->publish_error);
}

static void
run(struct job *job)
{
    struct inspection *inspection = (struct inspection *)job;
    struct registrar *registrar = registrar_new(
        inspection->config, inspection->service, NULL, inspection->workers,
        &inspection->verify_error);

    inspection->asked = registrar != NULL;
    if (registrar != NULL)
        ask(inspection, registrar);
    registrar_free(registrar);
}

static void
inspection_free(struct job *job)
{
    struct inspection *inspection = (struct inspection *)job;

    config_release(inspection->config);
    free(inspection);
}

/* --- what to make of it ------------------------------------------------- */

static void
say(const struct registration *registration, enum log_event event,
    const char *reason)
{
    log_event_fields(event,
                     (const struct log_field[]){
                         LOG_TEXT("service", registration->service->name),
                         LOG_TEXT("reason", reason),
                         {NULL, LOG_FIELD_END, NULL, 0}});
}

static void
ask_later(struct registration *registration)
{
    uint64_t most = registration->config->directory.refresh;
    uint64_t wait = registration->retry_ms < most ? registration->retry_ms
                                                  : most;

    registration->retry_ms = 2 * wait;
    timer_start(&registration->due, wait);
}

static void
on_silence(struct registration *registration, const struct error *why)
{
    registration->state = *why;
    say(registration, EVENT_WARN, why->text);
    ask_later(registration);
    if (registration->service->verify_spn != VERIFY_SPN_REQUIRE)
        registration->on_verdict(true, registration->arg);
}

static void
on_bad_names(struct registration *registration, struct error *why)
{
    bool warns = registration->service->verify_spn == VERIFY_SPN_WARN;

    error_prefix(why, warns ? "clients may be unable to authenticate"
                            : "the service is not started");
    registration->state = *why;
    say(registration, warns ? EVENT_WARN : EVENT_ERROR, why->text);
    timer_start(&registration->due, registration->config->directory.refresh);
    registration->on_verdict(warns, registration->arg);
}

/* Without a credential for the directory; it will not come by itself, so that
 * who did not ask for anything is told once. */
static void
on_no_credential(struct registration *registration, const struct error *why)
{
    const struct service_settings *service = registration->service;

    if (service->publish || service->verify_spn != VERIFY_SPN_AUTO) {
        on_silence(registration, why);
        return;
    }
    say(registration, EVENT_WARN, why->text);
    registration->on_verdict(true, registration->arg);
}

static void
on_inspected(struct job *job)
{
    struct inspection *inspection = (struct inspection *)job;
    struct registration *registration = inspection->registration;

    timer_stop(&registration->late);
    registration->inspection = NULL;
    registration->state.text[0] = '\0';
    if (!inspection->asked) {
        error_prefix(&inspection->verify_error,
                     "cannot look at the names in the directory");
        on_no_credential(registration, &inspection->verify_error);
    } else if (inspection->verified == PUBLISH_SILENT) {
        on_silence(registration, &inspection->verify_error);
    } else if (inspection->verified == PUBLISH_FAILED) {
        on_bad_names(registration, &inspection->verify_error);
    } else if (inspection->published == PUBLISH_SILENT) {
        on_silence(registration, &inspection->publish_error);
        registration->on_verdict(true, registration->arg);
    } else {
        if (inspection->published == PUBLISH_FAILED) {
            registration->state = inspection->publish_error;
            say(registration, EVENT_ERROR, registration->state.text);
        }
        registration->on_verdict(true, registration->arg);
    }
    inspection_free(job);
}

/* Serving need not wait for a slow directory; the look goes on. */
static void
on_late(void *arg)
{
    struct registration *registration = arg;
    uint64_t timeout = registration->config->directory.timeout;
    struct error why;

    if (!registration->overdue) {
        registration->overdue = true;
        timer_start(&registration->late, (TIMEOUTS - 1) * timeout);
        if (registration->service->verify_spn != VERIFY_SPN_REQUIRE)
            registration->on_verdict(true, registration->arg);
        return;
    }
    pool_abandon(&registration->inspection->job);
    registration->inspection = NULL;
    error_set(&why, "cannot look at the names in the directory: a KDC or a "
                    "directory server does not answer in time");
    on_silence(registration, &why);
}

/* --- life --------------------------------------------------------------- */

static void
on_due(void *arg)
{
    struct registration *registration = arg;
    struct inspection *inspection = calloc(1, sizeof *inspection);
    struct error why;

    if (inspection == NULL) {
        error_set(&why, "cannot look at the names in the directory: out of "
                        "memory");
        on_silence(registration, &why);
        return;
    }
    inspection->job.run = run;
    inspection->job.done = on_inspected;
    inspection->job.discard = inspection_free;
    inspection->registration = registration;
    inspection->config = config_hold(registration->config);
    inspection->service = registration->service;
    inspection->workers = registration->workers;
    inspection->port = registration->port;
    registration->inspection = inspection;
    registration->overdue = false;
    timer_start(&registration->late, registration->config->directory.timeout);
    pool_submit(registration->pool, lane, registration->loop, &inspection->job);
}

struct registration *
registration_new(struct config *config, const struct service_settings *service,
                 unsigned workers, struct error *err)
{
    struct registration *registration = calloc(1, sizeof *registration);

    if (registration == NULL) {
        error_set(err, "cannot look at the directory: out of memory");
        return NULL;
    }
    registration->config = config_hold(config);
    registration->service = service;
    registration->workers = workers;
    registration->retry_ms = RETRY_FIRST_MS;
    return registration;
}

void
registration_start(struct registration *registration, struct loop *loop,
                   struct pool *pool, uint16_t port,
                   registration_verdict *on_verdict, void *arg)
{
    registration->loop = loop;
    registration->pool = pool;
    registration->port = port;
    registration->on_verdict = on_verdict;
    registration->arg = arg;
    timer_init(&registration->due, loop, on_due, registration);
    timer_init(&registration->late, loop, on_late, registration);
    timer_start(&registration->due, 0);
}

void
registration_free(struct registration *registration)
{
    if (registration == NULL)
        return;
    timer_stop(&registration->due);
    timer_stop(&registration->late);
    if (registration->inspection != NULL)
        pool_abandon(&registration->inspection->job);
    config_release(registration->config);
    free(registration);
}

void
registration_describe(const struct registration *registration,
                      struct evbuffer *out)
{
    json_text(out, "registration",
              registration->state.text[0] != '\0' ? registration->state.text
                                                  : "fine");
}
