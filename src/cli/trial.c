/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child becomes the user and tries place after place: groups, lists of
 * access and file systems have their say as they will have later.
 */
#include "cli/trial.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/privileges.h"
#include "config/places.h"

struct trial {
    const struct config *config;
    config_report *report;
    void *arg;
};

static void tell(const struct trial *trial, enum severity severity,
                 unsigned line, const char *format, ...) PRINTF_LIKE(4, 5);

static void
tell(const struct trial *trial, enum severity severity, unsigned line,
     const char *format, ...)
{
    char sentence[ERROR_TEXT_SIZE];
    char text[2 * ERROR_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    snprintf(text, sizeof text, "%s:%u: %s%s", trial->config->path, line,
             severity == SEVERITY_WARNING ? "warning: " : "", sentence);
    trial->report(severity, text, trial->arg);
}

/* In the child: an errno for each place, in order. */
static void
try_all(const struct identity *identity, const struct place_list *places,
        int out)
{
    struct error error;

    if (!privileges_become(identity, &error))
        _exit(EXIT_FAILURE);
    for (size_t i = 0; i < places->count; i++) {
        int outcome = place_try(&places->items[i]);
        if (write(out, &outcome, sizeof outcome) != sizeof outcome)
            _exit(EXIT_FAILURE);
    }
    _exit(EXIT_SUCCESS);
}

/* Of outcomes as many as places; false: the child did not do it. */
static bool
try_in_child(const struct identity *identity, const struct place_list *places,
             int *outcomes)
{
    int ends[2];
    size_t size = places->count * sizeof *outcomes, got = 0;
    ssize_t length = 1;

    if (pipe(ends) != 0)
        return false;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        try_all(identity, places, ends[1]);
    close(ends[1]);
    while (child > 0 && got < size && length > 0) {
        length = read(ends[0], (char *)outcomes + got, size - got);
        got += length > 0 ? (size_t)length : 0;
    }
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return got == size;
}

static void
judge(const struct trial *trial, const struct identity *identity,
      const struct place *place, int outcome)
{
    unsigned line = place->service != NULL ? place->service->line
                                           : trial->config->global.user_line;
    struct error why;

    switch (place_judge(place, outcome, identity->name, &why)) {
    case PLACE_FINE:
        break;
    case PLACE_BOUND:
        tell(trial, SEVERITY_WARNING, line, "%s", why.text);
        break;
    case PLACE_CLOSED:
    default:
        tell(trial, SEVERITY_ERROR, line, "%s", why.text);
        break;
    }
}

static void
try_places(const struct trial *trial, const struct identity *identity,
           const struct place_list *places)
{
    int *outcomes = calloc(places->count, sizeof *outcomes);

    if (outcomes == NULL || !try_in_child(identity, places, outcomes))
        tell(trial, SEVERITY_WARNING, trial->config->global.user_line,
             "cannot try what the user %s can open: becoming it failed",
             identity->name);
    else
        for (size_t i = 0; i < places->count; i++)
            judge(trial, identity, &places->items[i], outcomes[i]);
    free(outcomes);
}

void
trial_of_user(const struct config *config, config_report *report, void *arg)
{
    const struct global_settings *global = &config->global;
    const struct trial trial = {config, report, arg};
    struct place_list places = {0};
    struct identity identity;
    struct error error;

    if (*global->user == '\0')
        return;
    if (!identity_find(global->user, global->group, &identity, &error)) {
        tell(&trial, SEVERITY_ERROR, global->user_line, "`user`: %s",
             error.text);
    } else if (!privileges_can_become(&identity, NULL)) {
        tell(&trial, SEVERITY_WARNING, global->user_line,
             "cannot try what the user %s can open: only root can, or that "
             "user",
             identity.name);
    } else if (!places_gather(config, &places, &error)) {
        tell(&trial, SEVERITY_WARNING, global->user_line, "%s", error.text);
    } else {
        try_places(&trial, &identity, &places);
    }
    places_clear(&places);
}
