/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: an immutable snapshot of one file, checked as a whole.
 * Reload makes a new one; who still uses the old holds it.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdatomic.h>
#include <stdio.h>

#include "base/error.h"
#include "config/settings.h"

struct config {
    char *path;
    struct global_settings global;
    struct directory_settings directory;
    struct service_settings *services; /* in file order */
    size_t service_count;
    uint64_t generation; /* by reload, which counts; set before it is shared */
    atomic_uint references; /* config_hold, config_release only */
};

enum severity {
    SEVERITY_ERROR,
    SEVERITY_WARNING,
    SEVERITY_FAILURE, /* the file could not be read to its end */
};

/*
 * One finding: "FILE:LINE: sentence", "FILE:LINE: warning: sentence", without
 * LINE where the file as a whole is meant; for a failure "cannot read FILE:
 * reason".
 */
typedef void config_report(enum severity severity, const char *text, void *arg);

/*
 * Reads and checks path.  Every problem is reported, in line order; the result
 * is NULL when one of them was more than a warning.  Opens nothing but the
 * file.
 */
MUST_CHECK struct config *config_load(const char *path, config_report *report,
                                      void *arg);

/* The same from an open file, which stays the caller's and is called path. */
MUST_CHECK struct config *config_read(FILE *file, const char *path,
                                      config_report *report, void *arg);

/* References; any thread. */
struct config *config_hold(struct config *config);
void config_release(struct config *config);

/* The service called name, of whichever role; NULL: there is none. */
const struct service_settings *config_find(const struct config *config,
                                           const char *name);

/*
 * Every key of every section, at its effective value, as ini that config_load
 * takes back to the same.
 */
void config_print(const struct config *config, FILE *out);

#endif
