/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and accepting addresses: no two services have the same. */
#include "config/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must be unique in a file, and whose it is. */
struct claim {
    char text[ENDPOINT_TEXT_SIZE];
    const struct service_settings *service;
};

static int
by_text(const void *left, const void *right)
{
    const struct claim *a = left;
    const struct claim *b = right;
    int order = strcmp(a->text, b->text);

    if (order != 0)
        return order;
    return a->service->line < b->service->line ? -1 : 1;
}

/* The address in one spelling; empty for what cannot collide. */
static void
claim_accept(struct claim *claim, const struct service_settings *service)
{
    const struct endpoint *accept = &service->accept;
    struct address address;

    claim->service = service;
    claim->text[0] = '\0';
    if (accept->kind == ENDPOINT_TCP && accept->port == 0)
        return; /* not given, or any free port */
    if (endpoint_literal(accept, &address))
        address_format(&address, claim->text, sizeof claim->text);
    else
        endpoint_format(accept, claim->text, sizeof claim->text);
}

static void
claim_name(struct claim *claim, const struct service_settings *service)
{
    claim->service = service;
    snprintf(claim->text, sizeof claim->text, "%s", service->name);
}

static void
refuse_name(struct draft *draft, const struct claim *first,
            const struct claim *second)
{
    findings_add(&draft->findings, SEVERITY_ERROR, second->service->line,
                 "the name \"%s\" is taken by the section in line %u",
                 finding_show(second->text).text, first->service->line);
}

static void
refuse_accept(struct draft *draft, const struct claim *first,
              const struct claim *second)
{
    findings_add(&draft->findings, SEVERITY_ERROR, second->service->accept_line,
                 "`accept = %s` is taken by line %u",
                 finding_show(second->text).text, first->service->accept_line);
}

/* Sorted, so that thousands of services do not take a square of the time. */
static void
check_claims(struct draft *draft,
             void claim_one(struct claim *, const struct service_settings *),
             void refuse_second(struct draft *, const struct claim *,
                                const struct claim *))
{
    size_t count = draft->config->service_count;
    struct claim *claims = calloc(count, sizeof *claims);

    if (claims == NULL) {
        draft->findings.exhausted = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        claim_one(&claims[i], &draft->config->services[i]);
    qsort(claims, count, sizeof *claims, by_text);
    for (size_t i = 1; i < count; i++) {
        if (claims[i].text[0] != '\0' &&
            strcmp(claims[i - 1].text, claims[i].text) == 0)
            refuse_second(draft, &claims[i - 1], &claims[i]);
    }
    free(claims);
}

void
check_unique(struct draft *draft)
{
    check_claims(draft, claim_name, refuse_name);
    check_claims(draft, claim_accept, refuse_accept);
}
