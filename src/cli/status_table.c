/* SPDX-License-Identifier: BSD-2-Clause */
/* Services, where clients go, connections. */
#include "cli/status_table.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/table.h"

enum {
    FIGURE_SIZE = 32
};

static const char *
show_bytes(double value, const char *suffix, char text[FIGURE_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(text, FIGURE_SIZE, "%.*f %s%s", unit > 0 && value < 100 ? 1 : 0,
             value, units[unit], suffix);
    return text;
}

static const char *
show_rate(double value, char text[FIGURE_SIZE])
{
    return value > 0 ? show_bytes(value, "/s", text) : "-";
}

static const char *
show_span(double seconds, char text[FIGURE_SIZE])
{
    long whole = (long)seconds;

    if (whole < 60)
        snprintf(text, FIGURE_SIZE, "%ld s", whole);
    else if (whole < 3600)
        snprintf(text, FIGURE_SIZE, "%ld min", whole / 60);
    else if (whole < 48 * 3600L)
        snprintf(text, FIGURE_SIZE, "%ld h %ld min", whole / 3600,
                 whole % 3600 / 60);
    else
        snprintf(text, FIGURE_SIZE, "%ld days", whole / 86400);
    return text;
}

/* A member of an object as a cell, by its kind. */

static void
text_cell(struct table *table, const struct json_value *object,
          const char *name)
{
    table_cell(table, json_member_text(object, name));
}

static void
number_cell(struct table *table, const struct json_value *object,
            const char *name)
{
    char text[FIGURE_SIZE];

    snprintf(text, sizeof text, "%.0f", json_member_number(object, name));
    table_cell(table, text);
}

static void
rate_cell(struct table *table, const struct json_value *object,
          const char *name)
{
    char text[FIGURE_SIZE];

    table_cell(table, show_rate(json_member_number(object, name), text));
}

static void
bytes_cell(struct table *table, const struct json_value *object,
           const char *name)
{
    char text[FIGURE_SIZE];

    table_cell(table, show_bytes(json_member_number(object, name), "", text));
}

static void
span_cell(struct table *table, const struct json_value *object,
          const char *name)
{
    char text[FIGURE_SIZE];

    if (json_member(object, name) == NULL)
        table_cell(table, "");
    else
        table_cell(table, show_span(json_member_number(object, name), text));
}

struct column {
    const char *head, *member;
    void (*put)(struct table *table, const struct json_value *object,
                const char *name);
};

static const struct column service_columns[] = {
    {"SERVICE", "name", text_cell},
    {"ROLE", "role", text_cell},
    {"STATE", "state", text_cell},
    {"ADDRESS", "address", text_cell},
    {"NOW", "connections", number_cell},
    {"OPENED", "opened", number_cell},
    {"FAILED", "failed", number_cell},
    {"REFUSED", "refused", number_cell},
    {"IN", "received_rate", rate_cell},
    {"OUT", "sent_rate", rate_cell},
    {"TICKET", "ticket_seconds", span_cell},
    {"NOT READY BECAUSE", "why_not_ready", text_cell},
};

static const struct column connection_columns[] = {
    {"ID", "id", number_cell},
    {"SERVICE", "service", text_cell},
    {"PRINCIPAL", "principal", text_cell},
    {"STATE", "state", text_cell},
    {"AGE", "age", span_cell},
    {"RECEIVED", "received", bytes_cell},
    {"SENT", "sent", bytes_cell},
    {"IN", "received_rate", rate_cell},
    {"OUT", "sent_rate", rate_cell},
    {"FROM", "from", text_cell},
    {"TO", "to", text_cell},
};

static const struct column candidate_columns[] = {
    {"SERVER", "address", text_cell},
    {"SPN", "spn", text_cell},
    {"VERDICT", "verdict", text_cell},
    {"RESTS", "resting", span_cell},
};

enum {
    COLUMNS_MAX = 16
};

/* One line for each object of list. */
static void
print_list(const struct json_value *list, const struct column *columns,
           size_t count)
{
    const char *heads[COLUMNS_MAX];

    for (size_t i = 0; i < count; i++)
        heads[i] = columns[i].head;
    struct table *table = table_new(heads, count);
    if (table == NULL)
        return;
    for (const struct json_value *object = list->first; object != NULL;
         object = object->next)
        for (size_t i = 0; i < count; i++)
            columns[i].put(table, object, columns[i].member);
    table_print(table);
    table_free(table);
}

#define PRINT_LIST(list, columns)                                              \
    print_list((list), (columns), sizeof(columns) / sizeof(columns)[0])

static void
print_candidates(const struct json_value *services)
{
    char name[64];

    for (const struct json_value *service = services->first; service != NULL;
         service = service->next) {
        const struct json_value *list = json_member(service, "candidates");
        const char *text = json_member_text(service, "name");
        if (list == NULL || list->first == NULL ||
            strcmp(json_member_text(service, "role"), "client") != 0)
            continue;
        printf("\nServers of %s:\n",
               text_sanitize(text, strlen(text), name, sizeof name));
        PRINT_LIST(list, candidate_columns);
    }
}

void
status_table_print(const struct json_value *document)
{
    const struct json_value *services = json_member(document, "services");
    const struct json_value *connections = json_member(document, "connections");
    const struct json_value *totals = json_member(document, "totals");
    double carried = json_member_number(totals, "connections");
    double opening = json_member_number(totals, "handshakes");
    char span[FIGURE_SIZE], memory[FIGURE_SIZE];

    printf("kerbwrap %s, process %.0f, up %s%s\n",
           json_member_text(document, "version"),
           json_member_number(document, "pid"),
           show_span(json_member_number(document, "uptime"), span),
           json_member_is_true(document, "stopping") ? ", being stopped" : "");
    printf("%.0f %s, %.0f %s under way, %.0f held back, buffers %s\n", carried,
           carried == 1 ? "connection" : "connections", opening,
           opening == 1 ? "handshake" : "handshakes",
           json_member_number(totals, "held"),
           show_bytes(json_member_number(totals, "buffer_memory"), "", memory));
    if (services != NULL) {
        putchar('\n');
        PRINT_LIST(services, service_columns);
        print_candidates(services);
    }
    if (connections != NULL && connections->first != NULL) {
        putchar('\n');
        PRINT_LIST(connections, connection_columns);
    }
}
