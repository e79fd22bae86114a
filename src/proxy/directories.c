/* SPDX-License-Identifier: BSD-2-Clause */
/* state_dir and runtime_dir. */
#include "proxy/directories.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/inquiry.h"

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
directories_make(const struct config *config, const struct owner *owner,
                 struct error *err)
{
    const struct global_settings *global = &config->global;
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
