/* SPDX-License-Identifier: BSD-2-Clause */
/* Additions, and a small table of failures that fills from the front. */
#include "proxy/counters.h"

#include <stdlib.h>
#include <string.h>

/* Those that are watched for are there from the start, at 0: of a counter that
 * begins at 1, nobody sees the first increase. */
static const char *const expected[] = {
    "timeout",
    "unreachable",
    "closed",
    "protocol",
    "no_server",
    "KRB5KRB_AP_ERR_SKEW",
    "KRB5_KDCREP_SKEW",
    "KRB5KRB_AP_ERR_TKT_NYV",
    "KRB5KRB_AP_ERR_TKT_EXPIRED",
    "KRB5KRB_AP_ERR_BADKEYVER",
    "KRB5KRB_AP_ERR_NOKEY",
    "KRB5KRB_AP_ERR_NOT_US",
    "KRB5KRB_AP_WRONG_PRINC",
    "KRB5KRB_AP_ERR_BAD_INTEGRITY",
    "KRB5KRB_AP_ERR_MODIFIED",
    "KRB5_KT_KVNONOTFOUND",
    "KRB5_KT_NOTFOUND",
    "KRB5_KDC_UNREACH",
    "KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN",
};

struct counters *
counters_new(void)
{
    struct counters *counters = calloc(1, sizeof *counters);
    if (counters == NULL)
        return NULL;
    atomic_init(&counters->references, 1);
    counters->connection.scale = HISTOGRAM_LIFETIMES;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        atomic_init(&counters->failures[i].label, expected[i]);
    return counters;
}

struct counters *
counters_hold(struct counters *counters)
{
    atomic_fetch_add(&counters->references, 1);
    return counters;
}

void
counters_release(struct counters *counters)
{
    if (counters != NULL && atomic_fetch_sub(&counters->references, 1) == 1)
        free(counters);
}

void
counters_add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

uint64_t
counters_get(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Has the entry this label, by now? */
static bool
take_entry(struct failure_count *entry, const char *label)
{
    const char *found = NULL;

    /* Whoever comes first writes it; found is then what he wrote. */
    if (atomic_compare_exchange_strong(&entry->label, &found, label))
        return true;
    return strcmp(found, label) == 0;
}

void
counters_failure(struct counters *counters, const char *label)
{
    struct failure_count *entry = counters->failures;
    struct failure_count *last = entry + FAILURE_KINDS - 1;

    if (label == NULL)
        label = "other";
    while (entry < last && !take_entry(entry, label))
        entry++;
    if (entry == last)
        (void)take_entry(last, "more");
    counters_add(&entry->count, 1);
}
