/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ends between which a tunnel is measured, in one process: a server
 * behind the tunnel, and clients that enter it.  TCP over loopback.  What a
 * client or the server cannot do ends the process: a figure from a run that
 * lost something would be worse than none.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdint.h>
#include <stdnoreturn.h>

struct load_settings {
    uint16_t listen_port;  /* where the server listens */
    uint16_t connect_port; /* where the tunnel begins */
    unsigned connections;
    unsigned seconds; /* measured; unused by idle */
    int client_cpu;   /* where the two ends run; -1: anywhere */
    int server_cpu;
};

enum {
    LOAD_MESSAGE_SIZE = 64,
    LOAD_BLOCK_SIZE = 64 * 1024,
    LOAD_CONNECTIONS_MAX = 8000,
    LOAD_SECONDS_MAX = 60,
    LOAD_WARM_UP_MS = 500,
};

/* Each measures, and prints one JSON object as one line. */
void load_throughput(const struct load_settings *settings);
void load_rate(const struct load_settings *settings);
void load_latency(const struct load_settings *settings);
void load_beside(const struct load_settings *settings);
void load_idle(const struct load_settings *settings);

enum server_kind {
    SERVER_ECHO, /* answers each message with the same bytes */
    SERVER_SINK, /* swallows everything, closes after the end */
};

/* One thread, until the process ends; the caller goes to the clients' place. */
void server_start(const struct load_settings *settings, enum server_kind kind);

/* What all of the sink's connections brought. */
uint64_t server_received(void);

/* A connection through the tunnel. */
int client_connect(const struct load_settings *settings);

/* One message there and back. */
void client_exchange(int fd);

/* This thread and those it will start; -1: nothing changes. */
void pin(int cpu);

uint64_t clock_ns(void);
void sleep_ms(unsigned ms);

noreturn void die(const char *what);       /* with errno */
noreturn void die_plain(const char *what); /* without */

#endif
