/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The result of a lookup: built by one thread, then shared and never changed.
 */
#include "directory/discovery.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct discovery *
discovery_new(struct error *err)
{
    struct discovery *discovery = calloc(1, sizeof *discovery);

    if (discovery == NULL) {
        error_set(err, "cannot keep what was found: out of memory");
        return NULL;
    }
    discovery->outcome = DISCOVERY_NO_ANSWER;
    discovery->references = 1;
    return discovery;
}

static void
candidate_clear(struct candidate *candidate)
{
    free(candidate->dn);
    free(candidate->spn);
    free(candidate->verdict);
}

/* Copies *text when there is one. */
static bool
copy_text(const char *text, char **copy_out)
{
    *copy_out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy_out != NULL;
}

static bool
make_room(struct discovery *discovery)
{
    if (discovery->count < discovery->room)
        return true;
    size_t room = discovery->room == 0 ? 8 : 2 * discovery->room;
    struct candidate *larger = realloc(discovery->candidates,
                                       room * sizeof *larger);
    if (larger == NULL)
        return false;
    discovery->candidates = larger;
    discovery->room = room;
    return true;
}

bool
discovery_add(struct discovery *discovery, const struct candidate *candidate,
              struct error *err)
{
    struct candidate copy = *candidate;
    bool dn = copy_text(candidate->dn, &copy.dn);
    bool spn = copy_text(candidate->spn, &copy.spn);
    bool verdict = copy_text(candidate->verdict, &copy.verdict);

    if (!dn || !spn || !verdict || !make_room(discovery)) {
        candidate_clear(&copy);
        error_set(err, "cannot keep what was found: out of memory");
        return false;
    }
    discovery->candidates[discovery->count++] = copy;
    if (copy.accepted)
        discovery->accepted_count++;
    return true;
}

void
discovery_note(struct discovery *discovery, const char *format, ...)
{
    char **larger = realloc(discovery->journal,
                            (discovery->journal_count + 1) * sizeof *larger);
    char *line = NULL;
    va_list args;

    if (larger == NULL)
        return;
    discovery->journal = larger;
    va_start(args, format);
    if (vasprintf(&line, format, args) >= 0)
        discovery->journal[discovery->journal_count++] = line;
    va_end(args);
}

struct discovery *
discovery_hold(struct discovery *discovery)
{
    __atomic_add_fetch(&discovery->references, 1, __ATOMIC_RELAXED);
    return discovery;
}

void
discovery_release(struct discovery *discovery)
{
    if (discovery == NULL ||
        __atomic_sub_fetch(&discovery->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < discovery->count; i++)
        candidate_clear(&discovery->candidates[i]);
    for (size_t i = 0; i < discovery->journal_count; i++)
        free(discovery->journal[i]);
    free(discovery->candidates);
    free(discovery->journal);
    free(discovery->reason);
    free(discovery);
}

/* Is it the first accepted candidate of its SCP? */
static bool
leads_its_scp(const struct discovery *discovery, size_t index)
{
    const struct candidate *candidates = discovery->candidates;

    if (!candidates[index].accepted)
        return false;
    for (size_t i = index; i-- > 0;) {
        if (candidates[i].scp != candidates[index].scp)
            break;
        if (candidates[i].accepted)
            return false;
    }
    return true;
}

/* The accepted ones of the SCP that leader leads; returns how many. */
static size_t
order_scp(const struct discovery *discovery, size_t leader,
          random_source *source, void *arg, size_t *order)
{
    const struct candidate *candidates = discovery->candidates;
    struct srv_choice choices[SRV_RECORDS_MAX];
    size_t count = 0;

    for (size_t i = leader; i < discovery->count && count < SRV_RECORDS_MAX &&
                            candidates[i].scp == candidates[leader].scp;
         i++) {
        if (candidates[i].accepted)
            choices[count++] = (struct srv_choice){candidates[i].priority,
                                                   candidates[i].weight, i};
    }
    srv_order(choices, count, source, arg);
    for (size_t i = 0; i < count; i++)
        order[i] = choices[i].index;
    return count;
}

void
discovery_order(const struct discovery *discovery, random_source *source,
                void *arg, size_t *order)
{
    /* The leaders wait at the end of order; each makes way for at least itself,
     * so that what is written never reaches those not yet read. */
    size_t end = discovery->accepted_count;
    size_t first = end;
    size_t filled = 0;

    for (size_t i = discovery->count; i-- > 0;) {
        if (leads_its_scp(discovery, i))
            order[--first] = i;
    }
    for (size_t i = end - first; source != NULL && i > 1; i--) {
        size_t other = first + random_below((uint32_t)i, source, arg);
        size_t kept = order[other];
        order[other] = order[first + i - 1];
        order[first + i - 1] = kept;
    }
    for (size_t i = first; i < end; i++)
        filled += order_scp(discovery, order[i], source, arg, order + filled);
}

const char *
discovery_outcome_name(enum discovery_outcome outcome)
{
    switch (outcome) {
    case DISCOVERY_FOUND:
        return "found";
    case DISCOVERY_NONE:
        return "none";
    case DISCOVERY_NO_ANSWER:
        return "no answer";
    }
    return "no answer";
}
