/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root is needed for, before `user =` counts: directories, descriptors,
 * sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/gate.h"
#include "proxy/inquiry.h"
#include "proxy/server_parts.h"

/* A directory that was just made: nobody had a chance to put a link there but
 * who owns the one above. */
static bool
give_away(const char *path, const struct owner *owner)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool given = fd >= 0 && fchown(fd, owner->user, owner->group) == 0;
    int reason = errno;

    if (fd >= 0)
        close(fd);
    errno = reason;
    return given;
}

static bool
make_directory(const char *path, const char *key, const struct owner *owner,
               struct error *err)
{
    struct stat found;

    if (mkdir(path, 0700) == 0) {
        if (geteuid() != 0 || give_away(path, owner))
            return true;
    } else if (errno == EEXIST && stat(path, &found) == 0 &&
               S_ISDIR(found.st_mode)) {
        return true;
    }
    error_set_errno(err, errno,
                    "cannot make the directory %s; create it or set `%s`", path,
                    key);
    return false;
}

/* The service can do without, and there may be room again. */
static void
warn_of_directory(const char *path, const char *key, bool is_state)
{
    struct statvfs room;
    struct error error;

    if (is_state && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0)
        error_set_errno(&error, errno,
                        "cannot write in the directory %s; what is kept over "
                        "a restart will be missing (`%s`)",
                        path, key);
    else if (statvfs(path, &room) == 0 && room.f_bavail == 0 &&
             room.f_blocks > 0)
        error_set(&error,
                  "the disk of the directory %s is full; make room there or "
                  "set `%s`",
                  path, key);
    else
        return;
    log_event(EVENT_WARN, LOG_TEXT("reason", error.text));
}

static bool
is_in(const struct endpoint *endpoint, const char *directory)
{
    size_t length = strlen(directory);

    return endpoint->kind == ENDPOINT_UNIX &&
           strncmp(endpoint->path, directory, length) == 0 &&
           endpoint->path[length] == '/';
}

bool
server_make_directories(const struct server *server,
                        const struct config *config, struct error *err)
{
    const struct global_settings *global = &config->global;
    const struct owner *owner = &server->host.owner;
    bool runtime = global->status_enabled &&
                   is_in(&global->status, global->runtime_dir);
    bool confines = *global->user != '\0' && geteuid() == 0;
    bool state = confines;

    /* Later, not even a reload could make them. */
    runtime = runtime || confines;
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *service = &config->services[i];
        if ((service->role == ROLE_SERVER && service->replay_cache) ||
            is_in(&service->accept, global->runtime_dir))
            runtime = true;
        if (inquiry_is_wanted(service) || service->publish)
            state = true;
    }
    if ((runtime &&
         !make_directory(global->runtime_dir, "runtime_dir", owner, err)) ||
        (state && !make_directory(global->state_dir, "state_dir", owner, err)))
        return false;
    if (runtime)
        warn_of_directory(global->runtime_dir, "runtime_dir", false);
    if (state)
        warn_of_directory(global->state_dir, "state_dir", true);
    return true;
}

static bool
bind_all(struct server *server, struct error *err)
{
    const struct config *config = server->config;

    server->host.bound = calloc(config->service_count,
                                sizeof(struct listener *));
    if (server->host.bound == NULL) {
        error_set(err, "cannot listen: out of memory");
        return false;
    }
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *service = &config->services[i];
        server->host.bound[i] = gate_open(service, &service->accept,
                                          &server->host.owner, NULL, err);
        if (server->host.bound[i] == NULL) {
            error_prefix(err, "[%s %s]", role_name(service->role),
                         service->name);
            return false;
        }
    }
    return true;
}

void
server_forget_bound(struct server *server)
{
    struct listener **bound = server->host.bound;

    for (size_t i = 0; bound != NULL && i < server->config->service_count; i++)
        listener_free(bound[i]);
    free(bound);
    server->host.bound = NULL;
}

static bool
offer_status(struct server *server, struct error *err)
{
    const struct endpoint *endpoint = &server->config->global.status;
    const struct socket_permissions ours = {0600, server->host.owner};

    if (!server->config->global.status_enabled)
        return true;
    server->status = status_new(server, err);
    if (server->status == NULL)
        return false;
    return endpoint->kind != ENDPOINT_UNIX || geteuid() != 0 ||
           socket_set_permissions(endpoint->path, &ours, err);
}

static bool
find_identity(struct server *server, struct identity *identity,
              struct error *err)
{
    const struct global_settings *global = &server->config->global;

    if (!identity_find(global->user, global->group, identity, err)) {
        error_prefix(err, "`user`");
        return false;
    }
    if (!privileges_can_become(identity, err))
        return false;
    if (geteuid() == 0)
        server->host.owner = (struct owner){identity->user, identity->group};
    return true;
}

bool
server_confine(struct server *server, struct error *err)
{
    struct identity identity;

    if (!find_identity(server, &identity, err) ||
        !server_make_directories(server, server->config, err) ||
        !bind_all(server, err) || !offer_status(server, err))
        return false;
    server_raise_descriptors(server->config);
    server->confinement = confine(server->config, &identity, err);
    return server->confinement != NULL;
}
