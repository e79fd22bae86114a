/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepting.  It never spins: out of descriptors it waits on a timer, at a
 * limit for listener_resume.
 */
#include "proxy/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timer.h"
#include "base/watch.h"

enum {
    ACCEPT_ROUND = 64,
    RETRY_MS = 100
};

enum pause {
    PAUSE_NONE,
    PAUSE_FULL,      /* until listener_resume */
    PAUSE_EXHAUSTED, /* until the timer */
};

struct listener {
    /* owned */
    int fd;
    struct watch watch;
    struct timer retry;
    char address[ADDRESS_TEXT_SIZE];
    /* plain */
    struct endpoint endpoint;
    struct listener_handler handler;
    enum pause pause;
    struct socket_permissions permissions;
    bool local;
    bool owns_path;
    dev_t path_device;
    ino_t path_inode;
};

static void
set_pause(struct listener *listener, enum pause pause, const char *reason)
{
    if (listener->pause == pause)
        return;
    listener->pause = pause;
    listener->handler.on_pause(reason, listener->handler.arg);
}

static bool
is_exhaustion(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOBUFS ||
           number == ENOMEM;
}

/* False: no more for now. */
static bool
accept_one(struct listener *listener)
{
    const struct listener_handler *handler = &listener->handler;
    struct address peer = {.length = sizeof peer.storage};
    const char *full = handler->why_full(handler->arg);

    if (full != NULL) {
        set_pause(listener, PAUSE_FULL, full);
        return false;
    }
    int fd = accept4(listener->fd, (struct sockaddr *)&peer.storage,
                     &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        set_pause(listener, PAUSE_NONE, NULL);
        handler->on_accepted(fd, &peer, handler->arg);
        return true;
    }
    if (is_exhaustion(errno)) {
        set_pause(listener, PAUSE_EXHAUSTED, strerror(errno));
        timer_start(&listener->retry, RETRY_MS);
        return false;
    }
    /* What is left is the peer's trouble, or an empty queue. */
    return errno != EAGAIN && errno != EWOULDBLOCK;
}

static void
on_acceptable(void *arg)
{
    struct listener *listener = arg;

    for (int i = 0; i < ACCEPT_ROUND; i++)
        if (!accept_one(listener))
            return;
    watch_again(&listener->watch);
}

static bool
note_address(struct listener *listener, struct error *err)
{
    struct address address;
    struct stat path;

    if (!socket_local_address(listener->fd, &address, err))
        return false;
    address_format(&address, listener->address, sizeof listener->address);
    listener->local = address_is_local(&address);
    if (listener->endpoint.kind == ENDPOINT_UNIX &&
        stat(listener->endpoint.path, &path) == 0) {
        listener->path_device = path.st_dev;
        listener->path_inode = path.st_ino;
    }
    return true;
}

/* False, and err: the socket cannot be kept as it is wanted. */
static bool
share(struct listener *listener, const struct listener *predecessor,
      struct error *err)
{
    if (listener->endpoint.kind == ENDPOINT_UNIX &&
        !socket_may_set_permissions(listener->endpoint.path,
                                    &listener->permissions, err))
        return false;
    listener->fd = fcntl(predecessor->fd, F_DUPFD_CLOEXEC, 0);
    if (listener->fd < 0)
        error_set_errno(err, errno, "cannot keep listening on %s",
                        predecessor->address);
    return listener->fd >= 0;
}

static bool
bind_anew(struct listener *listener, struct error *err)
{
    listener->fd = socket_listen_as(&listener->endpoint, &listener->permissions,
                                    err);
    listener->owns_path = listener->fd >= 0;
    return listener->fd >= 0;
}

struct listener *
listener_new(const struct endpoint *endpoint,
             const struct socket_permissions *permissions,
             const struct listener *predecessor, struct error *err)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        error_set(err, "cannot listen: out of memory");
        return NULL;
    }
    listener->endpoint = *endpoint;
    listener->fd = -1;
    listener->permissions = *permissions;
    bool listens = predecessor != NULL ? share(listener, predecessor, err)
                                       : bind_anew(listener, err);
    if (!listens || !note_address(listener, err)) {
        listener_free(listener);
        return NULL;
    }
    return listener;
}

/* Of a socket that a predecessor bound. */
static bool
set_permissions(const struct listener *listener, struct error *err)
{
    return listener->owns_path || listener->endpoint.kind != ENDPOINT_UNIX ||
           socket_set_permissions(listener->endpoint.path,
                                  &listener->permissions, err);
}

bool
listener_start(struct listener *listener, struct loop *loop,
               const struct listener_handler *handler, struct error *err)
{
    if (!set_permissions(listener, err))
        return false;
    listener->handler = *handler;
    listener->owns_path = true;
    socket_tune(listener->fd); /* accepted sockets inherit it */
    timer_init(&listener->retry, loop, on_acceptable, listener);
    if (watch_init(&listener->watch, loop, listener->fd, on_acceptable,
                   listener))
        return true;
    error_set(err, "cannot listen on %s: out of memory", listener->address);
    return false;
}

void
listener_arm_reset(const struct listener *listener)
{
    /* Accepted sockets inherit it. */
    socket_arm_reset(listener->fd);
}

void
listener_resume(struct listener *listener)
{
    if (listener->pause == PAUSE_FULL)
        watch_again(&listener->watch);
}

/* Only the socket that we bound: another may have been put there since. */
static void
remove_path(const struct listener *listener)
{
    struct stat path;

    if (listener->endpoint.kind == ENDPOINT_UNIX &&
        lstat(listener->endpoint.path, &path) == 0 &&
        path.st_dev == listener->path_device &&
        path.st_ino == listener->path_inode)
        (void)unlink(listener->endpoint.path);
}

void
listener_stop(struct listener *listener, bool shared)
{
    if (listener->fd < 0)
        return;
    watch_clear(&listener->watch);
    timer_stop(&listener->retry);
    if (listener->owns_path && !shared)
        remove_path(listener);
    close(listener->fd);
    listener->fd = -1;
}

bool
listener_is_open(const struct listener *listener)
{
    return listener->fd >= 0;
}

void
listener_free(struct listener *listener)
{
    if (listener == NULL)
        return;
    listener_stop(listener, false);
    free(listener);
}

const char *
listener_address(const struct listener *listener)
{
    return listener->address;
}

bool
listener_is_local(const struct listener *listener)
{
    return listener->local;
}

const struct endpoint *
listener_endpoint(const struct listener *listener)
{
    return &listener->endpoint;
}
