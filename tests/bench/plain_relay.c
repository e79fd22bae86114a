/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_relay LISTEN-PORT CONNECT-PORT: carries TCP from one port to another
 * on loopback and does nothing else, with a buffer of 64 KiB a direction.  It
 * shows what a hop costs that neither seals nor authenticates.
 *
 * One thread over epoll, edge-triggered: a descriptor is watched once for life,
 * and each event has both directions of its connection try all they can.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 64 * 1024,
    BACKLOG = 4096,
    EVENTS_MAX = 64,
};

struct flow {
    int from, to;
    size_t begin, end;
    bool ended; /* the end was passed on */
    char buffer[BUFFER_SIZE];
};

/* Freed after a round of events, so that later ones of the round may still
 * name it. */
struct pair {
    struct flow there, back;
    bool dead;
    struct pair *next_dead;
};

static struct sockaddr_in
loopback(const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void
die(const char *what)
{
    fprintf(stderr, "plain_relay: cannot %s: %s\n", what, strerror(errno));
    exit(1);
}

static int
open_listener(const struct sockaddr_in *address)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        listen(fd, BACKLOG) != 0)
        die("listen");
    return fd;
}

static void
tune(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void
watch(int epoll, int fd, struct pair *pair)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLET,
        .data.ptr = pair,
    };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("watch a connection");
}

static bool
waits(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == ENOTCONN);
}

/* False: the connection is broken. */
static bool
flush(struct flow *flow)
{
    while (flow->begin < flow->end) {
        ssize_t n = send(flow->to, flow->buffer + flow->begin,
                         flow->end - flow->begin, MSG_NOSIGNAL);
        if (n < 0)
            return waits(n);
        flow->begin += (size_t)n;
    }
    flow->begin = flow->end = 0;
    return true;
}

static bool
pump(struct flow *flow)
{
    while (!flow->ended) {
        if (!flush(flow))
            return false;
        if (flow->end > 0)
            return true;
        ssize_t n = recv(flow->from, flow->buffer, BUFFER_SIZE, 0);
        if (n < 0)
            return waits(n);
        flow->end = (size_t)n;
        flow->ended = n == 0;
    }
    shutdown(flow->to, SHUT_WR);
    return true;
}

static void
on_event(struct pair *pair, struct pair **dead)
{
    if (pair->dead)
        return;
    if (pump(&pair->there) && pump(&pair->back) &&
        !(pair->there.ended && pair->back.ended))
        return;
    close(pair->there.from);
    close(pair->there.to);
    pair->dead = true;
    pair->next_dead = *dead;
    *dead = pair;
}

static void
accept_all(int epoll, int listener, const struct sockaddr_in *target)
{
    for (;;) {
        int in = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (in < 0)
            return;
        int out = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        struct pair *pair = malloc(sizeof *pair);
        if (out < 0 || pair == NULL)
            die("take a connection");
        tune(in);
        tune(out);
        /* Not cleared: pages nobody touches cost nothing. */
        pair->dead = false;
        pair->there.from = pair->back.to = in;
        pair->there.to = pair->back.from = out;
        pair->there.begin = pair->there.end = 0;
        pair->back.begin = pair->back.end = 0;
        pair->there.ended = pair->back.ended = false;
        if (connect(out, (const struct sockaddr *)target, sizeof *target) !=
                0 &&
            errno != EINPROGRESS)
            die("connect");
        watch(epoll, in, pair);
        watch(epoll, out, pair);
    }
}

static void
run(int epoll, int listener, const struct sockaddr_in *target)
{
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        struct pair *dead = NULL;
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(epoll, listener, target);
            else
                on_event(events[i].data.ptr, &dead);
        }
        while (dead != NULL) {
            struct pair *next = dead->next_dead;
            free(dead);
            dead = next;
        }
    }
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: plain_relay LISTEN-PORT CONNECT-PORT\n", stderr);
        return 2;
    }
    struct sockaddr_in source = loopback(argv[1]);
    struct sockaddr_in target = loopback(argv[2]);
    struct rlimit limit;
    int epoll = epoll_create1(0);

    if (epoll < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("begin");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);
    int listener = open_listener(&source);
    watch(epoll, listener, NULL);
    run(epoll, listener, &target);
    return 0;
}
