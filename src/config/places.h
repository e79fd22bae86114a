/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in the file system a configuration leads: what the process will open by
 * name while it runs.  The one list from which it is confined, a reload is
 * judged and `check` tries.
 */
#ifndef CONFIG_PLACES_H
#define CONFIG_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

enum place_use {
    PLACE_READ,
    PLACE_WRITE,   /* make, replace and remove in the directory */
    PLACE_APPEND,  /* the file if it is there, else as PLACE_WRITE */
    PLACE_CONNECT, /* a socket of somebody else's */
    PLACE_RUN,     /* a program */
};

struct place {
    const struct service_settings *service; /* borrowed; NULL: the process's */
    const char *key;                        /* as "keytab"; static */
    char *path;                             /* a file, or a directory */
    bool is_directory;
    bool at_start_only; /* a reload does not change it */
    enum place_use use;
};

struct place_list {
    struct place *items; /* owned */
    size_t count;
};

/* What the file names, and krb5.conf with what it includes. */
MUST_CHECK bool places_gather(const struct config *config,
                              struct place_list *list_out, struct error *err);
void places_clear(struct place_list *list);

/* What any process of this kind needs: libraries, resolver, ...  NULL ends. */
const char *const *places_of_system(void);

/* The directory of the place, as written; and with links resolved, which is
 * false when it does not exist. */
void place_directory(const struct place *place, char *directory, size_t size);
bool place_real_directory(const struct place *place, char *directory,
                          size_t size);

/*
 * Can this process, as it is now, do there what will be done?  0, or the errno.
 */
int place_try(const struct place *place);

enum place_finding {
    PLACE_FINE,
    PLACE_BOUND, /* a socket: bound before root is given up, not again */
    PLACE_CLOSED,
};

/* What the errno means that place_try gave to the user of that name, and the
 * sentence unless it is fine. */
enum place_finding place_judge(const struct place *place, int outcome,
                               const char *user, struct error *why_out);

#endif
