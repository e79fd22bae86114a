/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load MODE LISTEN-PORT CONNECT-PORT CONNECTIONS SECONDS [CLIENT-CPU
 * SERVER-CPU]: puts a load on a tunnel from CONNECT-PORT to LISTEN-PORT and
 * prints what it carried, as JSON.  Never runs much longer than it was told to:
 * an alarm ends it.
 */
#include "load.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    ALARM_MARGIN_SECONDS = 60
};

static const struct mode {
    const char *name;
    void (*run)(const struct load_settings *settings);
} modes[] = {
    {"throughput", load_throughput},
    {"rate", load_rate},
    {"latency", load_latency},
    {"beside", load_beside},
    {"idle", load_idle},
};

void
pin(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("choose a processor");
}

uint64_t
clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void
sleep_ms(unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

void
die(const char *what)
{
    fprintf(stderr, "load: cannot %s: %s\n", what, strerror(errno));
    exit(1);
}

void
die_plain(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static unsigned
number(const char *text, unsigned low, unsigned high)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || value < low || value > high) {
        fprintf(stderr, "load: '%s' is not a number from %u to %u\n", text, low,
                high);
        exit(2);
    }
    return (unsigned)value;
}

static const struct mode *
find_mode(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    }
    return NULL;
}

/* Both ends of every connection are ours. */
static void
raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("ask for the limit of descriptors");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("raise the limit of descriptors");
}

int
main(int argc, char **argv)
{
    const struct mode *mode = NULL;

    if (argc == 6 || argc == 8)
        mode = find_mode(argv[1]);
    if (mode == NULL) {
        fputs("usage: load throughput|rate|latency|beside|idle "
              "LISTEN-PORT CONNECT-PORT CONNECTIONS SECONDS [CLIENT-CPU "
              "SERVER-CPU]\n",
              stderr);
        return 2;
    }
    struct load_settings settings = {
        .listen_port = (uint16_t)number(argv[2], 1, UINT16_MAX),
        .connect_port = (uint16_t)number(argv[3], 1, UINT16_MAX),
        .connections = number(argv[4], 1, LOAD_CONNECTIONS_MAX),
        .seconds = number(argv[5], 1, LOAD_SECONDS_MAX),
        .client_cpu = argc == 8 ? (int)number(argv[6], 0, CPU_SETSIZE - 1) : -1,
        .server_cpu = argc == 8 ? (int)number(argv[7], 0, CPU_SETSIZE - 1) : -1,
    };
    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    alarm(settings.seconds + ALARM_MARGIN_SECONDS);
    mode->run(&settings);
    return 0;
}
