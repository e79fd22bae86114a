/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two views of the same.  Names come from a directory in which any computer
 * may write: they are made safe for the terminal here; verdicts and journal
 * are safe as they come.
 */
#include "cli/discover_report.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum {
    SHOWN_SIZE = 4096
};

static const char *
safe(const char *text, char shown[SHOWN_SIZE])
{
    return text_sanitize(text, strlen(text), shown, SHOWN_SIZE);
}

/* --- text --------------------------------------------------------------- */

static void
print_journal(const struct discovery *discovery, struct evbuffer *out)
{
    evbuffer_add_printf(out, "\nWhat was asked of whom:\n");
    for (size_t i = 0; i < discovery->journal_count; i++)
        evbuffer_add_printf(out, "    %s\n", discovery->journal[i]);
    if (discovery->journal_count == 0)
        evbuffer_add_printf(out, "    nobody got as far as an answer\n");
}

static void
print_candidate(const struct candidate *candidate, struct evbuffer *out)
{
    char shown[SHOWN_SIZE];

    evbuffer_add_printf(out, "    %s\n        ", safe(candidate->dn, shown));
    if (candidate->host[0] != '\0')
        evbuffer_add_printf(out, "%s", candidate->host);
    if (candidate->port != 0)
        evbuffer_add_printf(out, ":%u", candidate->port);
    if (candidate->host[0] != '\0')
        evbuffer_add_printf(out, ", ");
    evbuffer_add_printf(out, "%s%s\n", candidate->accepted ? "" : "rejected: ",
                        candidate->verdict);
    if (candidate->accepted)
        evbuffer_add_printf(out, "        SPN %s\n",
                            safe(candidate->spn, shown));
}

static void
print_candidates(const struct discovery *discovery, struct evbuffer *out)
{
    evbuffer_add_printf(out, "\nCandidates: %zu, accepted: %zu\n",
                        discovery->count, discovery->accepted_count);
    for (size_t i = 0; i < discovery->count; i++)
        print_candidate(&discovery->candidates[i], out);
}

static void
print_order(const struct discover_report *report, struct evbuffer *out)
{
    bool random = report->service->selection == SELECT_RANDOM;
    char shown[SHOWN_SIZE];

    evbuffer_add_printf(out, "\nOrder of dialling%s:\n",
                        random ? ", drawn anew for each connection" : "");
    for (size_t i = 0; i < report->order_count; i++)
        evbuffer_add_printf(out, "    %zu. %s as %s\n", i + 1,
                            report->order[i].address,
                            safe(report->order[i].spn, shown));
}

void
discover_report_text(const struct discover_report *report, struct evbuffer *out)
{
    const struct discovery *discovery = report->discovery;

    evbuffer_add_printf(out, "[client %s] ", report->service->name);
    if (discovery == NULL) {
        evbuffer_add_printf(out, "does not ask the directory: its servers are "
                                 "those of `connect =`\n");
    } else {
        evbuffer_add_printf(out, "looks for servers of class %s\n",
                            report->service->service_class);
        print_journal(discovery, out);
        if (discovery->outcome != DISCOVERY_NO_ANSWER)
            print_candidates(discovery, out);
    }
    if (report->order_count > 0)
        print_order(report, out);
}

/* --- JSON --------------------------------------------------------------- */

static void
describe_candidate(const struct candidate *candidate, struct evbuffer *out)
{
    char guid[GUID_TEXT_SIZE] = "";

    if (candidate->has_guid)
        guid_format(&candidate->guid, guid);
    json_open(out, '{');
    json_text(out, "dn", candidate->dn);
    json_text(out, "guid", guid);
    json_text(out, "host", candidate->host);
    json_number(out, "port", candidate->port);
    json_number(out, "priority", candidate->priority);
    json_number(out, "weight", candidate->weight);
    json_boolean(out, "accepted", candidate->accepted);
    json_text(out, "verdict", candidate->verdict);
    json_text(out, "spn", candidate->accepted ? candidate->spn : "");
    json_close(out, '}');
}

static void
describe_discovery(const struct discovery *discovery, struct evbuffer *out)
{
    json_text(out, "outcome", discovery_outcome_name(discovery->outcome));
    json_text(out, "reason",
              discovery->reason != NULL ? discovery->reason : "");
    json_open_member(out, "journal", '[');
    for (size_t i = 0; i < discovery->journal_count; i++)
        json_item(out, discovery->journal[i]);
    json_close(out, ']');
    json_open_member(out, "candidates", '[');
    for (size_t i = 0; i < discovery->count; i++)
        describe_candidate(&discovery->candidates[i], out);
    json_close(out, ']');
}

void
discover_report_json(const struct discover_report *report, struct evbuffer *out)
{
    bool listed = report->service->selection == SELECT_LISTED;

    json_open(out, '{');
    json_text(out, "client", report->service->name);
    json_text(out, "source",
              report->discovery != NULL ? "directory" : "connect");
    if (report->discovery != NULL)
        describe_discovery(report->discovery, out);
    json_text(out, "select", listed ? "listed" : "random");
    json_open_member(out, "order", '[');
    for (size_t i = 0; i < report->order_count; i++) {
        json_open(out, '{');
        json_text(out, "address", report->order[i].address);
        json_text(out, "spn", report->order[i].spn);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
    evbuffer_add(out, "\n", 1);
}
