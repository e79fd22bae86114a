/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SCP becomes one candidate for each port or SRV record, or a single one
 * that says why there is none.
 */
#include "directory/verdicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the candidates of one SCP share. */
struct docket {
    struct discovery *discovery;
    const struct finding *finding;
    const struct judge_rules *rules;
    enum spn_format format;
    size_t number;
};

static int
compare_findings(const void *a, const void *b)
{
    const struct finding *left = a, *right = b;

    return strcmp(left->scp.dn, right->scp.dn);
}

/* candidate has its host and port; verdict is a refusal, or NULL. */
static bool
give(const struct docket *docket, const struct candidate *candidate,
     char *verdict, struct error *err)
{
    const struct scp *scp = &docket->finding->scp;
    struct candidate given = *candidate;
    struct error problem = {.text = ""};
    char spn[SPN_SIZE], accepted[64];

    given.dn = scp->dn;
    given.guid = scp->guid;
    given.has_guid = scp->has_guid;
    given.scp = docket->number;
    given.verdict = verdict;
    if (verdict == NULL &&
        !spn_compose(docket->format, docket->rules->service_class, given.host,
                     given.port, scp->dn, scp->has_guid ? &scp->guid : NULL,
                     spn, &problem))
        given.verdict = problem.text;
    if (given.verdict == NULL) {
        snprintf(accepted, sizeof accepted, "accepted by %s",
                 judge_anchor_name(docket->finding->anchor));
        given.verdict = accepted;
        given.accepted = true;
        given.spn = spn;
    }
    return discovery_add(docket->discovery, &given, err);
}

static bool
give_rejected(const struct docket *docket, char *verdict, struct error *err)
{
    struct candidate candidate = {.accepted = false};

    snprintf(candidate.host, sizeof candidate.host, "%s",
             docket->finding->scp.type == SCP_TYPE_A
                 ? docket->finding->scp.dns_name
                 : "");
    return give(docket, &candidate, verdict, err);
}

static bool
give_bindings(const struct docket *docket, struct error *err)
{
    const struct scp *scp = &docket->finding->scp;
    struct error verdict;

    for (size_t i = 0; i < scp->binding_count; i++) {
        const struct scp_binding *binding = &scp->bindings[i];
        struct candidate candidate = {.port = binding->port};
        snprintf(candidate.host, sizeof candidate.host, "%s", scp->dns_name);
        error_set(&verdict, "its serviceBindingInformation %s",
                  binding->problem);
        if (!give(docket, &candidate, binding->port == 0 ? verdict.text : NULL,
                  err))
            return false;
    }
    return true;
}

static bool
give_targets(const struct docket *docket, struct error *err)
{
    const struct srv_list *targets = docket->finding->targets;

    for (size_t i = 0; i < targets->count; i++) {
        const struct srv_record *record = &targets->records[i];
        struct candidate candidate = {.port = record->port,
                                      .priority = record->priority,
                                      .weight = record->weight};
        struct error verdict;
        snprintf(candidate.host, sizeof candidate.host, "%s", record->target);
        bool allowed = judge_target(docket->rules, record->target, &verdict);
        if (!give(docket, &candidate, allowed ? NULL : verdict.text, err))
            return false;
    }
    return true;
}

bool
verdicts_give(struct discovery *discovery, struct findings *findings,
              const struct judge_rules *rules, enum spn_format format,
              struct error *err)
{
    if (findings->count > 1)
        qsort(findings->items, findings->count, sizeof *findings->items,
              compare_findings);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        struct docket docket = {discovery, finding, rules, format, i};
        bool sound = finding->verdict != NULL
                         ? give_rejected(&docket, finding->verdict, err)
                     : finding->targets != NULL ? give_targets(&docket, err)
                                                : give_bindings(&docket, err);
        if (!sound)
            return false;
    }
    return true;
}
