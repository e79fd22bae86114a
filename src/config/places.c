/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file is reached through its directory: whoever replaces a keytab by a new
 * one of the same name wants the new one to be read.
 */
#include "config/places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/profile.h"

/* kerbwrap.ini(5) and docs/security.md list the same. */
static const char *const system_places[] = {
    "/etc",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/etc",
    "/usr/share/zoneinfo",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/var/lib/sss",
    "/proc/self",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
    NULL,
};

static const struct {
    const char *verb;
    int mode; /* of access(2), on the file itself */
} uses[] = {
    [PLACE_READ] = {"read", R_OK},
    [PLACE_WRITE] = {"write in the directory of", 0},
    [PLACE_APPEND] = {"write", W_OK},
    [PLACE_CONNECT] = {"connect to", W_OK},
    [PLACE_RUN] = {"run", X_OK},
};

struct gathering {
    struct place_list *list;
    const struct service_settings *service;
    bool exhausted;
};

static void
add(struct gathering *gathering, const char *key, const char *path,
    enum place_use use)
{
    struct place_list *list = gathering->list;
    struct place *items = realloc(list->items,
                                  (list->count + 1) * sizeof *items);
    char *copy = strdup(path);

    if (items != NULL)
        list->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        gathering->exhausted = true;
        return;
    }
    items[list->count++] = (struct place){
        .service = gathering->service,
        .key = key,
        .path = copy,
        .use = use,
    };
}

static void
add_directory(struct gathering *gathering, const char *key, const char *path)
{
    size_t before = gathering->list->count;

    add(gathering, key, path, PLACE_WRITE);
    if (gathering->list->count > before)
        gathering->list->items[before].is_directory = true;
}

/* The file of a keytab or cache, NULL when it is none: "FILE:x", "x". */
static const char *
file_of(const char *name)
{
    if (strncmp(name, "FILE:", 5) == 0 || strncmp(name, "DIR:", 4) == 0)
        return strchr(name, ':') + 1;
    return strchr(name, ':') == NULL && *name != '\0' ? name : NULL;
}

static void
add_credential(struct gathering *gathering, const char *key, const char *name)
{
    const char *file = file_of(name);

    if (file != NULL)
        add(gathering, key, file, PLACE_READ);
}

static void
add_socket(struct gathering *gathering, const char *key,
           const struct endpoint *endpoint, enum place_use use)
{
    if (endpoint->kind == ENDPOINT_UNIX)
        add(gathering, key, endpoint->path, use);
}

static void
on_profile(const char *path, void *arg)
{
    add(arg, "KRB5_CONFIG", path, PLACE_READ);
}

static void
add_service(struct gathering *gathering, const struct service_settings *service)
{
    char ambient[PATH_MAX];

    gathering->service = service;
    add_socket(gathering, "accept", &service->accept, PLACE_WRITE);
    for (size_t i = 0; i < service->connect.count; i++)
        add_socket(gathering, "connect", &service->connect.items[i],
                   PLACE_CONNECT);
    if (service->exec.count > 0)
        add(gathering, "exec", service->exec.items[0], PLACE_RUN);
    add_credential(gathering, "keytab", service->keytab);
    if (service->role == ROLE_SERVER)
        return;
    if (strcmp(service->ccache, "default") == 0) {
        profile_default_ccache(ambient, sizeof ambient);
        add_credential(gathering, "ccache", ambient);
    } else {
        add_credential(gathering, "ccache", service->ccache);
    }
}

static void
add_process(struct gathering *gathering, const struct config *config)
{
    const struct global_settings *global = &config->global;
    struct place_list *list = gathering->list;

    add(gathering, "the configuration", config->path, PLACE_READ);
    add_directory(gathering, "state_dir", global->state_dir);
    add_directory(gathering, "runtime_dir", global->runtime_dir);
    if (strncmp(global->log_target, "file:", 5) == 0)
        add(gathering, "log_target", global->log_target + 5, PLACE_APPEND);
    size_t first = list->count;
    if (global->status_enabled)
        add_socket(gathering, "status", &global->status, PLACE_WRITE);
    for (size_t i = first; i < list->count; i++)
        list->items[i].at_start_only = true;
    add_credential(gathering, "keytab",
                   config->directory.present ? config->directory.keytab : "");
}

bool
places_gather(const struct config *config, struct place_list *list_out,
              struct error *err)
{
    struct place_list list = {0};
    struct gathering gathering = {.list = &list};

    add_process(&gathering, config);
    size_t first = list.count;
    profile_files(on_profile, &gathering);
    for (size_t i = first; i < list.count; i++)
        list.items[i].at_start_only = true;
    for (size_t i = 0; i < config->service_count; i++)
        add_service(&gathering, &config->services[i]);
    if (gathering.exhausted) {
        places_clear(&list);
        error_set(err, "cannot list the files of the configuration: out of "
                       "memory");
        return false;
    }
    *list_out = list;
    return true;
}

void
places_clear(struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    *list = (struct place_list){0};
}

const char *const *
places_of_system(void)
{
    return system_places;
}

void
place_directory(const struct place *place, char *directory, size_t size)
{
    const char *slash = strrchr(place->path, '/');

    if (place->is_directory)
        snprintf(directory, size, "%s", place->path);
    else if (slash == NULL)
        snprintf(directory, size, ".");
    else if (slash == place->path)
        snprintf(directory, size, "/");
    else
        snprintf(directory, size, "%.*s", (int)(slash - place->path),
                 place->path);
}

bool
place_real_directory(const struct place *place, char *directory, size_t size)
{
    char written[PATH_MAX];
    char real[PATH_MAX];

    place_directory(place, written, sizeof written);
    if (realpath(written, real) == NULL)
        return false;
    snprintf(directory, size, "%s", real);
    return true;
}

int
place_try(const struct place *place)
{
    char directory[PATH_MAX];

    /* Effective and real user are the same when this is asked. */
    if (place->use != PLACE_WRITE &&
        access(place->path, uses[place->use].mode) == 0)
        return 0;
    if (place->use != PLACE_WRITE &&
        (place->use != PLACE_APPEND || errno != ENOENT))
        return errno;
    place_directory(place, directory, sizeof directory);
    return access(directory, W_OK | X_OK) == 0 ? 0 : errno;
}

static bool
is_socket(const struct place *place)
{
    return strcmp(place->key, "accept") == 0 ||
           strcmp(place->key, "status") == 0;
}

/* What start makes, what is there on some machines only, or comes with the
 * application. */
static bool
may_be_missing(const struct place *place)
{
    return place->is_directory || is_socket(place) ||
           place->use == PLACE_CONNECT ||
           strcmp(place->key, "KRB5_CONFIG") == 0;
}

enum place_finding
place_judge(const struct place *place, int outcome, const char *user,
            struct error *why_out)
{
    if (outcome == 0 || (outcome == ENOENT && may_be_missing(place)))
        return PLACE_FINE;
    error_set(why_out, "the user %s cannot %s `%s` %s: %s", user,
              uses[place->use].verb, place->key, place->path,
              strerror(outcome));
    return is_socket(place) ? PLACE_BOUND : PLACE_CLOSED;
}
