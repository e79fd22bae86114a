/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First the user, then the directories: what that user cannot reach is not
 * allowed either.  A kernel without Landlock confines by users alone.
 */
#include "proxy/confinement.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/log.h"
#include "config/places.h"

/* A directory as it was when the rules were made. */
struct granted {
    char *directory; /* owned; links resolved */
    enum landlock_access access;
};

struct confinement {
    struct identity identity;
    bool enforced;         /* by Landlock */
    bool open;             /* not to be: programs are started */
    struct granted *items; /* owned */
    size_t count;
};

void
confinement_free(struct confinement *confinement)
{
    if (confinement == NULL)
        return;
    for (size_t i = 0; i < confinement->count; i++)
        free(confinement->items[i].directory);
    free(confinement->items);
    free(confinement);
}

static bool
note(struct confinement *confinement, const char *directory,
     enum landlock_access access)
{
    struct granted *items = realloc(confinement->items,
                                    (confinement->count + 1) * sizeof *items);
    char *copy = strdup(directory);

    if (items != NULL)
        confinement->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        return false;
    }
    items[confinement->count].directory = copy;
    items[confinement->count++].access = access;
    return true;
}

static void
try_place(const struct place *place, const struct identity *identity)
{
    struct error why;

    if (place_judge(place, place_try(place), identity->name, &why) ==
        PLACE_FINE)
        return;
    log_event(EVENT_WARN,
              LOG_TEXT("service",
                       place->service != NULL ? place->service->name : NULL),
              LOG_TEXT("reason", why.text));
}

/* Whom to connect to, and what to run, no rule is about. */
static bool
is_opened(const struct place *place)
{
    return place->use != PLACE_CONNECT && place->use != PLACE_RUN;
}

static enum landlock_access
access_of(const struct place *place)
{
    return place->use == PLACE_READ ? LANDLOCK_READ : LANDLOCK_WRITE;
}

/* False for lack of memory. */
static bool
grant(struct confinement *confinement, int rules, const char *directory,
      enum landlock_access access)
{
    return !landlock_allow(rules, directory, access) ||
           note(confinement, directory, access);
}

static bool
grant_place(struct confinement *confinement, int rules,
            const struct place *place)
{
    char real[PATH_MAX];

    try_place(place, &confinement->identity);
    if (!is_opened(place) || !place_real_directory(place, real, sizeof real))
        return true;
    if (!grant(confinement, rules, real, access_of(place)))
        return false;
    /* And where the file itself is a link to. */
    if (place->is_directory || realpath(place->path, real) == NULL)
        return true;
    char *slash = strrchr(real, '/');
    if (slash == NULL || slash == real)
        return true;
    *slash = '\0';
    return grant(confinement, rules, real, access_of(place));
}

static bool
grant_system(struct confinement *confinement, int rules)
{
    char real[PATH_MAX];

    for (const char *const *path = places_of_system(); *path != NULL; path++) {
        enum landlock_access access = strcmp(*path, "/dev/null") == 0
                                          ? LANDLOCK_WRITE
                                          : LANDLOCK_READ;
        if (realpath(*path, real) != NULL &&
            !grant(confinement, rules, real, access))
            return false;
    }
    return true;
}

static bool
make_rules(struct confinement *confinement, const struct place_list *places,
           struct error *err)
{
    int rules = landlock_new(err);
    bool done = false;

    if (rules < 0)
        return false;
    bool granted = grant_system(confinement, rules);
    for (size_t i = 0; granted && i < places->count; i++)
        granted = grant_place(confinement, rules, &places->items[i]);
    if (granted)
        done = landlock_enforce(rules, err);
    else
        error_set(err, "cannot confine the process: out of memory");
    close(rules);
    return done;
}

void
confinement_report(const struct confinement *confinement)
{
    const struct identity *identity = &confinement->identity;
    char text[IDENTITY_NAME_SIZE + 160];
    int length = snprintf(text, sizeof text,
                          "running as user %s (%u) and group %u, without "
                          "capabilities; ",
                          identity->name, (unsigned)identity->user,
                          (unsigned)identity->group);

    if (confinement->enforced)
        snprintf(text + length, sizeof text - (size_t)length,
                 "files: what Landlock %d allows in %zu places",
                 landlock_version(), confinement->count);
    else
        snprintf(text + length, sizeof text - (size_t)length,
                 "files: all of the user's, as %s",
                 confinement->open ? "programs are started (`exec`)"
                                   : "this kernel lacks Landlock");
    log_event(EVENT_NOTICE, LOG_TEXT("reason", text));
}

/* Started programs would be confined with us, and to our files. */
static bool
starts_programs(const struct config *config)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (config->services[i].exec.count > 0)
            return true;
    return false;
}

struct confinement *
confine(const struct config *config, const struct identity *identity,
        struct error *err)
{
    struct confinement *confinement = calloc(1, sizeof *confinement);
    struct place_list places = {0};
    bool done = false;

    if (confinement == NULL) {
        error_set(err, "cannot confine the process: out of memory");
        return NULL;
    }
    confinement->identity = *identity;
    if (!privileges_become(identity, err) ||
        !places_gather(config, &places, err))
        goto out;
    confinement->open = starts_programs(config);
    if (landlock_version() > 0 && !confinement->open) {
        if (!make_rules(confinement, &places, err))
            goto out;
        confinement->enforced = true;
    }
    done = true;
out:
    places_clear(&places);
    if (done)
        return confinement;
    confinement_free(confinement);
    return NULL;
}

static bool
is_below(const char *directory, const char *above)
{
    size_t length = strlen(above);

    return strncmp(directory, above, length) == 0 &&
           (directory[length] == '\0' || directory[length] == '/' ||
            strcmp(above, "/") == 0);
}

static bool
covers(const struct confinement *confinement, const struct place *place)
{
    char directory[PATH_MAX];

    if (!place_real_directory(place, directory, sizeof directory)) {
        /* Whoever needs it will try to make it, and say so. */
        if (place->is_directory)
            return true;
        place_directory(place, directory, sizeof directory);
    }
    for (size_t i = 0; i < confinement->count; i++) {
        const struct granted *granted = &confinement->items[i];
        if (is_below(directory, granted->directory) &&
            (place->use == PLACE_READ || granted->access == LANDLOCK_WRITE))
            return true;
    }
    return false;
}

static void
refuse(const struct place *place, struct error *err)
{
    const struct service_settings *service = place->service;

    error_set(err,
              "cannot use `%s` %s: it is outside the directories to which the "
              "process has confined itself at start (`user`); restart kerbwrap",
              place->key, place->path);
    if (service != NULL)
        error_prefix(err, "[%s %s]", role_name(service->role), service->name);
}

bool
confinement_covers(const struct confinement *confinement,
                   const struct config *config, struct error *err)
{
    struct place_list places = {0};
    bool covered = true;

    if (confinement == NULL || !confinement->enforced)
        return true;
    if (starts_programs(config)) {
        error_set(err, "cannot use `exec`: a process that has confined itself "
                       "at start (`user`) starts no programs; restart "
                       "kerbwrap");
        return false;
    }
    if (!places_gather(config, &places, err))
        return false;
    for (size_t i = 0; covered && i < places.count; i++) {
        const struct place *place = &places.items[i];
        covered = place->at_start_only || !is_opened(place) ||
                  covers(confinement, place);
        if (!covered)
            refuse(place, err);
    }
    places_clear(&places);
    return covered;
}
