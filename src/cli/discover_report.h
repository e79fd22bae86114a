/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `kerbwrap discover` found, as text for a person or as one JSON object.
 */
#ifndef CLI_DISCOVER_REPORT_H
#define CLI_DISCOVER_REPORT_H

#include <event2/buffer.h>
#include <stddef.h>

#include "config/config.h"
#include "directory/discovery.h"

/* One server, in the order of dialling. */
struct dialled {
    char address[ENDPOINT_TEXT_SIZE];
    const char *spn; /* borrowed */
};

struct discover_report {
    const struct service_settings *service;
    const struct discovery *discovery; /* NULL with `connect =` */
    const struct dialled *order;
    size_t order_count;
};

void discover_report_text(const struct discover_report *report,
                          struct evbuffer *out);
void discover_report_json(const struct discover_report *report,
                          struct evbuffer *out);

#endif
