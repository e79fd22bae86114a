/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules are gone through in the pool's thread, asking the name service on
 * the way.  What is late is decided here as if nothing could be told.
 */
#include "proxy/vetting.h"

#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "gss/membership.h"

/* What the pool works on; frees itself once abandoned. */
struct inspection {
    struct job job; /* first: the pool's view */
    /* owned */
    struct principal principal;
    char *display;
    /* held */
    struct config *config;
    /* borrowed */
    const struct access_rules *rules; /* in config */
    struct vetting *vetting;          /* valid unless abandoned */
    /* plain */
    struct vetting_result result;
};

struct vetting {
    struct inspection *inspection; /* owned while it is in the pool */
    struct timer late;
    vetting_done *done;
    void *arg; /* borrowed */
};

/* why: what could not be told of groups; "" for nothing.  failed: because the
 * name service did not answer. */
static void
conclude(enum access_verdict verdict, const char *why, bool failed,
         struct vetting_result *result)
{
    struct error *err = &result->error;

    result->allowed = verdict == ACCESS_ALLOWED;
    result->unanswered = failed && (verdict == ACCESS_UNTOLD ||
                                    verdict == ACCESS_NO_RULE);
    error_set(err, "allowed");
    switch (verdict) {
    case ACCESS_DENIED:
        error_set(err, "not allowed: denied by rule %s", result->rule);
        break;
    case ACCESS_UNTOLD:
        error_set(err,
                  "not allowed: cannot tell if rule %s of `deny` matches: %s",
                  result->rule, why);
        break;
    case ACCESS_NO_RULE:
        error_set(err,
                  "not allowed: no rule of `allow` names this principal%s%s",
                  why[0] != '\0' ? "; " : "", why);
        break;
    case ACCESS_AMBIGUOUS:
        error_set(err, "not allowed: WELLKNOWN principals and names that hold "
                       "an '@' never are");
        break;
    case ACCESS_ALLOWED:
    case ACCESS_ASKS:
    default:
        break;
    }
}

bool
vetting_at_once(const struct access_rules *rules,
                const struct context_peer *peer,
                struct vetting_result *result_out)
{
    struct vetting_result result;
    enum access_verdict verdict = access_decide(rules, &peer->principal, NULL,
                                                &result.rule);

    if (verdict == ACCESS_ASKS)
        return false;
    conclude(verdict, "", false, &result);
    *result_out = result;
    return true;
}

/* In the pool. */

static void
inspect(struct job *job)
{
    struct inspection *inspection = (struct inspection *)job;
    struct membership membership;
    const struct access_oracle oracle = {membership_of, &membership};

    membership_find(inspection->display, &membership);
    enum access_verdict verdict = access_decide(inspection->rules,
                                                &inspection->principal, &oracle,
                                                &inspection->result.rule);
    conclude(verdict, membership.why.text, membership.failed,
             &inspection->result);
    membership_clear(&membership);
}

static void
inspection_free(struct inspection *inspection)
{
    principal_clear(&inspection->principal);
    free(inspection->display);
    config_release(inspection->config);
    free(inspection);
}

static void
discard(struct job *job)
{
    inspection_free((struct inspection *)job);
}

/* In the loop. */

static void
on_inspected(struct job *job)
{
    struct inspection *inspection = (struct inspection *)job;
    struct vetting *vetting = inspection->vetting;

    timer_stop(&vetting->late);
    vetting->done(&inspection->result, vetting->arg);
    inspection_free(inspection);
    free(vetting);
}

static enum access_member
nobody_knows(const char *group, void *arg)
{
    (void)group;
    (void)arg;
    return ACCESS_MEMBER_UNTOLD;
}

static void
on_late(void *arg)
{
    static const struct access_oracle oracle = {nobody_knows, NULL};
    struct vetting *vetting = arg;
    struct inspection *inspection = vetting->inspection;
    struct vetting_result result;
    enum access_verdict verdict;

    /* The job may be writing its own result; principal and rules stand still. */
    verdict = access_decide(inspection->rules, &inspection->principal, &oracle,
                            &result.rule);
    conclude(verdict, "the name service does not answer; see nsswitch.conf(5)",
             true, &result);
    struct config *config = config_hold(inspection->config);
    pool_abandon(&inspection->job);
    vetting->done(&result, vetting->arg);
    config_release(config);
    free(vetting);
}

static struct inspection *
inspection_new(const struct vetting_settings *settings)
{
    struct inspection *inspection = calloc(1, sizeof *inspection);

    if (inspection == NULL)
        return NULL;
    inspection->config = config_hold(settings->config);
    inspection->rules = settings->rules;
    inspection->display = strdup(settings->peer->display);
    if (inspection->display == NULL ||
        !principal_parse(inspection->display, &inspection->principal, NULL)) {
        inspection_free(inspection);
        return NULL;
    }
    inspection->job.run = inspect;
    inspection->job.done = on_inspected;
    inspection->job.discard = discard;
    return inspection;
}

struct vetting *
vetting_start(const struct vetting_settings *settings, vetting_done *done,
              void *arg)
{
    struct vetting *vetting = calloc(1, sizeof *vetting);

    if (vetting == NULL)
        return NULL;
    vetting->inspection = inspection_new(settings);
    if (vetting->inspection == NULL) {
        free(vetting);
        return NULL;
    }
    vetting->inspection->vetting = vetting;
    vetting->done = done;
    vetting->arg = arg;
    timer_init(&vetting->late, settings->loop, on_late, vetting);
    timer_start(&vetting->late, settings->timeout_ms);
    pool_submit(settings->pool, "name service", settings->loop,
                &vetting->inspection->job);
    return vetting;
}

void
vetting_cancel(struct vetting *vetting)
{
    if (vetting == NULL)
        return;
    timer_stop(&vetting->late);
    pool_abandon(&vetting->inspection->job);
    free(vetting);
}
