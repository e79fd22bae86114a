/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer, an inquiry, and what to make of its answer:
 *
 *   found       becomes what is known, and is kept in the state file
 *   none        becomes what is known: the directory said so; the file goes
 *   no answer   what is known goes on until it is older than max_stale
 */
#include "proxy/finder.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/jitter.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timer.h"
#include "directory/kept.h"
#include "proxy/asking.h"
#include "proxy/inquiry.h"
#include "proxy/keeping.h"

enum {
    RETRY_FIRST_MS = 1000
};

struct finder {
    /* owned */
    struct asking *asking; /* while there is one */
    char *question;
    struct timer due;
    /* held */
    struct config *config;
    struct credential *credential;
    struct discovery *known;
    /* borrowed */
    const struct service_settings *service; /* in config */
    struct loop *loop;
    struct pool *pool;
    void *arg;
    /* plain */
    finder_changed *on_changed;
    char path[PATH_MAX];
    uint64_t retry_ms;
    int64_t answered; /* when the directory last answered; 0: not yet */
    bool silent;      /* the last inquiry brought no answer */
};

static int64_t
age(const struct discovery *discovery)
{
    int64_t seconds = (int64_t)time(NULL) - discovery->time;
    return seconds > 0 ? seconds : 0;
}

static bool
is_stale(const struct finder *finder)
{
    uint64_t most = finder->config->directory.max_stale;

    return most != DURATION_OFF && (uint64_t)age(finder->known) * 1000 > most;
}

/* The log. */

static bool
same_verdict(const struct candidate *a, const struct candidate *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->verdict, b->verdict) == 0 && strcmp(a->dn, b->dn) == 0;
}

static bool
was_said(const struct discovery *before, const struct candidate *candidate)
{
    for (size_t i = 0; i < before->count; i++)
        if (same_verdict(&before->candidates[i], candidate))
            return true;
    return false;
}

/* Each rejected one is named once, not at every refresh. */
static void
log_rejected(const struct finder *finder, const struct discovery *answer)
{
    char dn[1024];

    for (size_t i = 0; i < answer->count; i++) {
        const struct candidate *candidate = &answer->candidates[i];
        if (candidate->accepted || was_said(finder->known, candidate))
            continue;
        text_sanitize(candidate->dn, strlen(candidate->dn), dn, sizeof dn);
        log_event(EVENT_REJECTED, LOG_TEXT("service", finder->service->name),
                  LOG_TEXT("scp", dn), LOG_TEXT("reason", candidate->verdict));
    }
}

static void
log_known(const struct finder *finder)
{
    const struct discovery *known = finder->known;

    log_event(EVENT_DISCOVERED, LOG_TEXT("service", finder->service->name),
              LOG_TEXT("outcome", discovery_outcome_name(known->outcome)),
              LOG_NUMBER("servers", known->accepted_count),
              LOG_NUMBER("rejected", known->count - known->accepted_count),
              LOG_NUMBER("age", age(known)), LOG_TEXT("reason", known->reason));
}

static void
log_silence(const struct finder *finder, const char *reason)
{
    log_event(EVENT_DISCOVERY_BAD, LOG_TEXT("service", finder->service->name),
              LOG_NUMBER("servers", finder->known->accepted_count),
              LOG_NUMBER("age", finder->known->accepted_count > 0
                                    ? age(finder->known)
                                    : 0),
              LOG_TEXT("reason", reason));
}

/* What to make of an answer. */

static bool
same_answer(const struct discovery *a, const struct discovery *b)
{
    if (a->outcome != b->outcome || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_verdict(&a->candidates[i], &b->candidates[i]))
            return false;
    return true;
}

static void
replace_known(struct finder *finder, struct discovery *answer)
{
    struct discovery *before = finder->known;
    bool same = !finder->silent && same_answer(before, answer);

    log_rejected(finder, answer);
    finder->known = discovery_hold(answer);
    discovery_release(before);
    if (!same)
        log_known(finder);
    finder->on_changed(finder->known, finder->arg);
}

static void
on_answer(struct finder *finder, struct discovery *answer)
{
    replace_known(finder, answer);
    finder->silent = false;
    finder->answered = (int64_t)time(NULL);
    finder->retry_ms = RETRY_FIRST_MS;
    keeping_submit(finder->pool, finder->loop, finder->path, finder->question,
                   answer);
    timer_start(&finder->due, with_jitter(finder->config->directory.refresh));
}

static void
on_silence(struct finder *finder, struct discovery *answer, const char *reason)
{
    uint64_t wait = finder->retry_ms;
    uint64_t most = finder->config->directory.refresh;

    log_silence(finder, reason);
    if (answer != NULL &&
        (finder->known->accepted_count == 0 || is_stale(finder)))
        replace_known(finder, answer);
    finder->silent = true;
    finder->retry_ms = wait * 2 < most ? wait * 2 : most;
    timer_start(&finder->due, with_jitter(wait));
}

/* Asking. */

static void
on_asked(struct discovery *answer, const struct error *err, void *arg)
{
    struct finder *finder = arg;

    finder->asking = NULL;
    if (answer == NULL)
        on_silence(finder, NULL, err->text);
    else if (answer->outcome == DISCOVERY_NO_ANSWER)
        on_silence(finder, answer,
                   answer->reason != NULL ? answer->reason : "no answer");
    else
        on_answer(finder, answer);
}

static void
on_due(void *arg)
{
    struct finder *finder = arg;
    struct error error;
    struct inquiry *inquiry = inquiry_new(finder->config, finder->service,
                                          finder->credential, &error);

    if (inquiry == NULL) {
        on_silence(finder, NULL, error.text);
        return;
    }
    finder->asking = asking_start(inquiry, finder->loop, finder->pool, on_asked,
                                  finder);
    if (finder->asking == NULL)
        on_silence(finder, NULL, "out of memory");
}

/* Life. */

/* What a restart begins with: the state file, or nothing. */
static bool
load_kept(struct finder *finder, struct error *err)
{
    struct error why;

    switch (kept_load(finder->path, finder->question, &finder->known, &why)) {
    case KEPT_LOADED:
        if (!is_stale(finder))
            return true;
        discovery_release(finder->known);
        finder->known = NULL;
        break;
    case KEPT_UNUSABLE:
        log_event(EVENT_WARN, LOG_TEXT("service", finder->service->name),
                  LOG_TEXT("reason", why.text));
        break;
    case KEPT_ABSENT:
        break;
    }
    finder->known = discovery_new(err);
    if (finder->known != NULL)
        finder->known->reason = strdup("the directory was not asked yet");
    return finder->known != NULL;
}

static bool
set_up(struct finder *finder, unsigned workers, struct error *err)
{
    finder->question = inquiry_question(finder->config, finder->service, err);
    if (finder->question == NULL)
        return false;
    if (!kept_path(finder->config->global.state_dir, finder->service->name,
                   finder->path, sizeof finder->path)) {
        error_set(err, "cannot use `state_dir`: the path is too long");
        return false;
    }
    finder->credential = inquiry_credential(finder->config, finder->service,
                                            workers, err);
    return finder->credential != NULL && load_kept(finder, err);
}

struct finder *
finder_new(struct config *config, const struct service_settings *service,
           unsigned workers, struct error *err)
{
    struct finder *finder = calloc(1, sizeof *finder);
    if (finder == NULL) {
        error_set(err, "cannot look for servers: out of memory");
        return NULL;
    }
    finder->config = config_hold(config);
    finder->service = service;
    finder->retry_ms = RETRY_FIRST_MS;
    if (!set_up(finder, workers, err)) {
        finder_free(finder);
        return NULL;
    }
    return finder;
}

void
finder_succeed(struct finder *finder, const struct finder *predecessor)
{
    if (strcmp(predecessor->question, finder->question) != 0)
        return;
    discovery_release(finder->known);
    finder->known = discovery_hold(predecessor->known);
    finder->answered = predecessor->answered;
}

const struct discovery *
finder_discovery(const struct finder *finder)
{
    return finder->known;
}

void
finder_start(struct finder *finder, struct loop *loop, struct pool *pool,
             finder_changed *on_changed, void *arg)
{
    finder->loop = loop;
    finder->pool = pool;
    finder->on_changed = on_changed;
    finder->arg = arg;
    timer_init(&finder->due, loop, on_due, finder);
    timer_start(&finder->due, 0);
    if (finder->known->kept)
        log_known(finder);
}

void
finder_free(struct finder *finder)
{
    if (finder == NULL)
        return;
    if (finder->loop != NULL)
        timer_stop(&finder->due);
    asking_cancel(finder->asking);
    discovery_release(finder->known);
    credential_release(finder->credential);
    config_release(finder->config);
    free(finder->question);
    free(finder);
}

bool
finder_age(const struct finder *finder, uint64_t *seconds_out)
{
    if (finder->known->time <= 0)
        return false;
    *seconds_out = (uint64_t)age(finder->known);
    return true;
}

void
finder_describe(const struct finder *finder, struct evbuffer *out)
{
    const struct discovery *known = finder->known;

    json_open_member(out, "discovery", '{');
    json_text(out, "outcome", discovery_outcome_name(known->outcome));
    json_number(out, "servers", known->accepted_count);
    json_number(out, "rejected", known->count - known->accepted_count);
    json_number(out, "age", known->time > 0 ? (uint64_t)age(known) : 0);
    json_text(out, "source", known->kept ? "kept" : "directory");
    json_text(out, "answering", finder->silent ? "no" : "yes");
    json_text(out, "reason", known->reason != NULL ? known->reason : "");
    json_close(out, '}');
}
