/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines: name{label="value",...} value */
#include "proxy/sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void
sheet_head(struct sheet *sheet, const char *name, const char *type,
           const char *help)
{
    sheet->name = name;
    evbuffer_add_printf(sheet->out, "# HELP %s %s\n# TYPE %s %s\n", name, help,
                        name, type);
}

/* text_sanitize leaves a backslash as the only one that needs an escape. */
static void
write_label(struct sheet *sheet, const struct sheet_label *label,
            const char *before)
{
    char safe[512];

    text_sanitize(label->value, strlen(label->value), safe, sizeof safe);
    evbuffer_add_printf(sheet->out, "%s%s=\"", before, label->name);
    for (const char *c = safe; *c != '\0'; c++)
        evbuffer_add(sheet->out, *c == '\\' ? "\\\\" : c, *c == '\\' ? 2 : 1);
    evbuffer_add(sheet->out, "\"", 1);
}

/* The name and all labels; last may be NULL. */
static void
write_series(struct sheet *sheet, const char *suffix, struct sheet_label label,
             const struct sheet_label *last)
{
    const char *before = "{";

    evbuffer_add_printf(sheet->out, "%s%s", sheet->name, suffix);
    for (size_t i = 0; i < SHEET_LABELS && sheet->labels[i].name != NULL; i++) {
        write_label(sheet, &sheet->labels[i], before);
        before = ",";
    }
    if (label.name != NULL) {
        write_label(sheet, &label, before);
        before = ",";
    }
    if (last != NULL) {
        write_label(sheet, last, before);
        before = ",";
    }
    evbuffer_add_printf(sheet->out, "%s ", *before == ',' ? "}" : "");
}

void
sheet_number(struct sheet *sheet, struct sheet_label label, uint64_t value)
{
    write_series(sheet, "", label, NULL);
    evbuffer_add_printf(sheet->out, "%" PRIu64 "\n", value);
}

static void
write_seconds(struct sheet *sheet, uint64_t us)
{
    evbuffer_add_printf(sheet->out, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000,
                        us % 1000000);
}

void
sheet_seconds(struct sheet *sheet, struct sheet_label label, uint64_t us)
{
    write_series(sheet, "", label, NULL);
    write_seconds(sheet, us);
}

static uint64_t
bucket_of(const struct histogram *histogram, size_t i)
{
    return atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
}

void
sheet_histogram(struct sheet *sheet, struct sheet_label label,
                const struct histogram *histogram)
{
    char bound[32];
    struct sheet_label le = {"le", bound};
    uint64_t count = 0;

    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        if (i < HISTOGRAM_BOUNDS)
            snprintf(bound, sizeof bound, "%g",
                     (double)histogram_bound_us(histogram->scale, i) / 1e6);
        else
            strcpy(bound, "+Inf");
        count += bucket_of(histogram, i);
        write_series(sheet, "_bucket", label, &le);
        evbuffer_add_printf(sheet->out, "%" PRIu64 "\n", count);
    }
    write_series(sheet, "_sum", label, NULL);
    write_seconds(
        sheet, atomic_load_explicit(&histogram->sum_us, memory_order_relaxed));
    write_series(sheet, "_count", label, NULL);
    evbuffer_add_printf(sheet->out, "%" PRIu64 "\n", count);
}
