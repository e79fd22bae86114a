/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The application behind the tunnel: one thread over epoll, level-triggered,
 * that costs as little as it can, for it runs beside what is measured.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    EVENTS_MAX = 256,
    /* Swallowed at once; never copied. */
    SINK_SIZE = 1 << 20,
};

struct server {
    enum server_kind kind;
    int listener;
    int epoll;
    atomic_uint_fast64_t received;
};

static struct server server;

static void
watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("watch a connection");
}

static void
accept_all(void)
{
    int on = 1;

    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0)
            die("accept");
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
            die("switch delay off");
        watch(fd);
    }
}

/* MSG_TRUNC makes TCP drop the bytes where they are. */
static ssize_t
swallow(int fd)
{
    ssize_t n = recv(fd, NULL, SINK_SIZE, MSG_TRUNC);

    if (n > 0)
        atomic_fetch_add_explicit(&server.received, (uint64_t)n,
                                  memory_order_relaxed);
    return n;
}

static ssize_t
echo(int fd)
{
    char bytes[4 * LOAD_MESSAGE_SIZE];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);

    /* So little always fits. */
    if (n > 0 && send(fd, bytes, (size_t)n, 0) != n)
        die("answer");
    return n;
}

static void
serve(int fd)
{
    ssize_t n = server.kind == SERVER_SINK ? swallow(fd) : echo(fd);

    if (n < 0 && errno != EAGAIN)
        die("read what comes out of the tunnel");
    if (n == 0)
        close(fd);
}

static void *
run(void *arg)
{
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int count = epoll_wait(server.epoll, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR)
            die("wait for connections");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == server.listener)
                accept_all();
            else
                serve(events[i].data.fd);
        }
    }
    return arg;
}

static int
open_listener(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0)
        die("make a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0)
        die("listen");
    return fd;
}

void
server_start(const struct load_settings *settings, enum server_kind kind)
{
    pthread_t thread;

    server.kind = kind;
    server.listener = open_listener(settings->listen_port);
    server.epoll = epoll_create1(0);
    if (server.epoll < 0)
        die("make an epoll");
    watch(server.listener);
    pin(settings->server_cpu);
    errno = pthread_create(&thread, NULL, run, NULL);
    if (errno != 0)
        die("start a thread");
    pin(settings->client_cpu);
}

uint64_t
server_received(void)
{
    return atomic_load_explicit(&server.received, memory_order_relaxed);
}
