/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prometheus's text format, version 0.0.4: families of samples.
 */
#ifndef PROXY_SHEET_H
#define PROXY_SHEET_H

#include <event2/buffer.h>
#include <stdint.h>

#include "base/histogram.h"

enum {
    SHEET_LABELS = 4
};

struct sheet_label {
    const char *name;  /* NULL: no more */
    const char *value; /* made safe */
};

/* Of the family that is being written. */
struct sheet {
    /* borrowed */
    struct evbuffer *out;
    const char *name;
    struct sheet_label labels[SHEET_LABELS]; /* of all its samples */
};

/* Begins a family. */
void sheet_head(struct sheet *sheet, const char *name, const char *type,
                const char *help);

/* One sample; label, with name NULL for none, is its own. */
void sheet_number(struct sheet *sheet, struct sheet_label label,
                  uint64_t value);
/* Microseconds, shown in seconds. */
void sheet_seconds(struct sheet *sheet, struct sheet_label label, uint64_t us);
/* The samples of a histogram; whole whatever is observed meanwhile. */
void sheet_histogram(struct sheet *sheet, struct sheet_label label,
                     const struct histogram *histogram);

#endif
