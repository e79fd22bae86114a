/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each thread holds the pump, because the one that reads may outlive all else.
 */
#include "proxy/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/thread.h"

enum {
    BLOCK_SIZE = 64 * 1024
};

struct pump {
    /* owned */
    int socket;
    pthread_t writer;
    struct mail mail;
    /* borrowed */
    struct pump_settings settings;
    /* plain */
    atomic_uint holders;
    pthread_mutex_t lock; /* of the next two */
    bool quiet;           /* somebody failed already, or nobody listens */
    struct error error;
    bool written;        /* the writer's, until it was joined */
    struct error reason; /* why not */
};

static void
release(struct pump *pump)
{
    if (atomic_fetch_sub(&pump->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&pump->lock);
    close(pump->socket);
    free(pump);
}

static void
on_mail(struct mail *mail)
{
    struct pump *pump = container_of(mail, struct pump, mail);

    pump->settings.on_failed(&pump->error, pump->settings.arg);
}

static void
fail(struct pump *pump, const struct error *error)
{
    pthread_mutex_lock(&pump->lock);
    if (!pump->quiet) {
        pump->error = *error;
        pump->mail.deliver = on_mail;
        loop_post(pump->settings.loop, &pump->mail);
    }
    pump->quiet = true;
    pthread_mutex_unlock(&pump->lock);
}

/* Whoever gave us the descriptor may have made it non-blocking. */
static bool
is_passing(int fd, short events)
{
    struct pollfd look = {.fd = fd, .events = events};

    if (errno == EAGAIN)
        (void)poll(&look, 1, -1);
    return errno == EINTR || errno == EAGAIN;
}

static bool
write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && !is_passing(fd, POLLOUT))
            return false;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return true;
}

static void *
read_input(void *arg)
{
    struct pump *pump = arg;
    int input = pump->settings.input;
    char *block = malloc(BLOCK_SIZE);
    struct error error;
    ssize_t n = -1;

    errno = ENOMEM;
    while (block != NULL && (n = read(input, block, BLOCK_SIZE)) != 0) {
        if (n > 0 && !write_all(pump->socket, block, (size_t)n))
            break; /* the connection is over */
        if (n < 0 && !is_passing(input, POLLIN))
            break;
    }
    if (n == 0) {
        (void)shutdown(pump->socket, SHUT_WR);
    } else if (n < 0) {
        error_set_errno(&error, errno, "cannot read standard input");
        fail(pump, &error);
    }
    free(block);
    release(pump);
    return NULL;
}

/* So that the reader of output sees the end while we go on. */
static void
end_output(int output)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)shutdown(output, SHUT_WR); /* input may be the same socket */
    if (nothing >= 0) {
        (void)dup2(nothing, output);
        close(nothing);
    }
}

static void *
write_output(void *arg)
{
    struct pump *pump = arg;
    int output = pump->settings.output;
    char *block = malloc(BLOCK_SIZE);
    ssize_t n = -1;

    errno = ENOMEM;
    pump->written = block != NULL;
    while (pump->written && (n = recv(pump->socket, block, BLOCK_SIZE, 0)) != 0)
        if (n > 0)
            pump->written = write_all(output, block, (size_t)n);
        else if (errno != EINTR)
            break; /* the connection is over */
    if (!pump->written) {
        error_set_errno(&pump->reason, errno,
                        "cannot write to standard output");
        fail(pump, &pump->reason);
    }
    end_output(output);
    free(block);
    release(pump);
    return NULL;
}

struct pump *
pump_start(const struct pump_settings *settings, struct error *err)
{
    struct pump *pump = calloc(1, sizeof *pump);
    pthread_t reader;

    if (pump == NULL) {
        error_set(err, "cannot carry anything: out of memory");
        close(settings->socket);
        return NULL;
    }
    pump->settings = *settings;
    pump->socket = settings->socket;
    atomic_init(&pump->holders, 1);
    pthread_mutex_init(&pump->lock, NULL);
    atomic_fetch_add(&pump->holders, 1);
    if (!thread_start("output", write_output, pump, &pump->writer, err)) {
        atomic_fetch_sub(&pump->holders, 1);
        release(pump);
        return NULL;
    }
    atomic_fetch_add(&pump->holders, 1);
    if (!thread_start("input", read_input, pump, &reader, err)) {
        struct error ignored;
        atomic_fetch_sub(&pump->holders, 1);
        (void)shutdown(pump->socket, SHUT_RDWR);
        (void)!pump_finish(pump, &ignored);
        pump_free(pump);
        return NULL;
    }
    pthread_detach(reader);
    return pump;
}

bool
pump_finish(struct pump *pump, struct error *err)
{
    pthread_join(pump->writer, NULL);
    pthread_mutex_lock(&pump->lock);
    pump->quiet = true;
    pthread_mutex_unlock(&pump->lock);
    if (!pump->written)
        *err = pump->reason;
    return pump->written;
}

void
pump_free(struct pump *pump)
{
    if (pump != NULL)
        release(pump);
}
