/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What enters the tunnel, one function a mode.  Blocking sockets and a thread a
 * connection: what is written here is what an ordinary client does.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LATENCY_SAMPLES_MAX = 4 << 20,
    LATENCY_WARM_UP = 500,
    STACK_SIZE = 256 * 1024,
};

/* Clients of one kind that work until they are stopped, and what they did. */
struct crew {
    const struct load_settings *settings;
    void (*work)(struct crew *crew);
    pthread_t *members;
    atomic_bool stop;
    atomic_uint_fast64_t done; /* bytes, or connections */
};

int
client_connect(const struct load_settings *settings)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(settings->connect_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        die("make a socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect to the tunnel");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        die("switch delay off");
    return fd;
}

void
client_exchange(int fd)
{
    char message[LOAD_MESSAGE_SIZE] = "a message that goes there and back";
    char answer[LOAD_MESSAGE_SIZE];

    if (send(fd, message, sizeof message, 0) != sizeof message)
        die("send a message");
    ssize_t n = recv(fd, answer, sizeof answer, MSG_WAITALL);
    if (n < 0)
        die("receive an answer");
    if (n != sizeof answer || memcmp(message, answer, sizeof answer) != 0)
        die_plain("the answer is not the message");
}

/* The end travels there and back, so that nothing is left behind. */
static void
client_finish(int fd)
{
    char nothing;

    if (shutdown(fd, SHUT_WR) != 0)
        die("end a connection");
    ssize_t n = recv(fd, &nothing, sizeof nothing, 0);
    if (n < 0)
        die("see a connection end");
    if (n > 0)
        die_plain("the tunnel delivered what nobody sent");
    close(fd);
}

/* --- crews -------------------------------------------------------------- */

static void *
run_member(void *arg)
{
    struct crew *crew = arg;

    crew->work(crew);
    return NULL;
}

static void
crew_start(struct crew *crew)
{
    pthread_attr_t attributes;
    unsigned size = crew->settings->connections;

    crew->members = calloc(size, sizeof *crew->members);
    if (crew->members == NULL || pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, STACK_SIZE) != 0)
        die_plain("cannot prepare threads");
    for (unsigned i = 0; i < size; i++) {
        errno = pthread_create(&crew->members[i], &attributes, run_member,
                               crew);
        if (errno != 0)
            die("start a thread");
    }
    pthread_attr_destroy(&attributes);
}

static void
crew_stop(struct crew *crew)
{
    atomic_store(&crew->stop, true);
    for (unsigned i = 0; i < crew->settings->connections; i++)
        pthread_join(crew->members[i], NULL);
    free(crew->members);
}

/* How much more there is of what count tells, a second. */
static double
growth(const struct load_settings *settings, uint64_t (*count)(void *arg),
       void *arg)
{
    sleep_ms(LOAD_WARM_UP_MS);
    uint64_t begun = clock_ns();
    uint64_t before = count(arg);
    sleep_ms(settings->seconds * 1000);
    uint64_t after = count(arg);

    return (double)(after - before) * 1e9 / (double)(clock_ns() - begun);
}

/* --- throughput --------------------------------------------------------- */

static void
pour(struct crew *crew)
{
    static const char block[LOAD_BLOCK_SIZE];
    uint64_t sent = 0;
    int fd = client_connect(crew->settings);

    while (!atomic_load_explicit(&crew->stop, memory_order_relaxed)) {
        ssize_t n = send(fd, block, sizeof block, 0);
        if (n < 0)
            die("send into the tunnel");
        sent += (uint64_t)n;
    }
    client_finish(fd);
    atomic_fetch_add(&crew->done, sent);
}

static uint64_t
count_received(void *arg)
{
    (void)arg;
    return server_received();
}

void
load_throughput(const struct load_settings *settings)
{
    struct crew crew = {.settings = settings, .work = pour};

    server_start(settings, SERVER_SINK);
    crew_start(&crew);
    double rate = growth(settings, count_received, NULL);
    crew_stop(&crew);
    uint64_t sent = atomic_load(&crew.done);
    if (server_received() != sent)
        die_plain("the tunnel lost bytes");
    printf("{\"megabytes_per_second\": %.1f, \"bytes\": %" PRIu64 "}\n",
           rate / 1e6, sent);
}

/* --- rate --------------------------------------------------------------- */

static void
knock(struct crew *crew)
{
    while (!atomic_load_explicit(&crew->stop, memory_order_relaxed)) {
        int fd = client_connect(crew->settings);
        client_exchange(fd);
        client_finish(fd);
        atomic_fetch_add_explicit(&crew->done, 1, memory_order_relaxed);
    }
}

static uint64_t
count_done(void *arg)
{
    const struct crew *crew = arg;

    return atomic_load_explicit(&crew->done, memory_order_relaxed);
}

void
load_rate(const struct load_settings *settings)
{
    struct crew crew = {.settings = settings, .work = knock};

    server_start(settings, SERVER_ECHO);
    crew_start(&crew);
    double rate = growth(settings, count_done, &crew);
    crew_stop(&crew);
    printf("{\"connections_per_second\": %.1f, \"connections\": %" PRIu64 "}\n",
           rate, count_done(&crew));
}

/* --- latency ------------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static double
percentile_us(const uint32_t *sorted, size_t count, unsigned percent)
{
    return sorted[(count - 1) * percent / 100] / 1e3;
}

/* Fills samples with the time of one exchange each, in nanoseconds. */
static size_t
ping(const struct load_settings *settings, int fd, uint32_t *samples)
{
    size_t count = 0;
    uint64_t now = clock_ns();
    uint64_t end = now + (uint64_t)settings->seconds * 1000000000U;

    while (now < end && count < LATENCY_SAMPLES_MAX) {
        uint64_t begun = now;
        client_exchange(fd);
        now = clock_ns();
        samples[count++] = (uint32_t)(now - begun);
    }
    return count;
}

void
load_latency(const struct load_settings *settings)
{
    uint32_t *samples = calloc(LATENCY_SAMPLES_MAX, sizeof *samples);

    if (samples == NULL)
        die("keep the samples");
    server_start(settings, SERVER_ECHO);
    int fd = client_connect(settings);
    for (int i = 0; i < LATENCY_WARM_UP; i++)
        client_exchange(fd);
    size_t count = ping(settings, fd, samples);
    client_finish(fd);
    qsort(samples, count, sizeof *samples, compare);
    printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"round_trips\": %zu}\n",
           percentile_us(samples, count, 50), percentile_us(samples, count, 99),
           count + LATENCY_WARM_UP);
    free(samples);
}

/* --- beside ------------------------------------------------------------- */

/* Fills samples with the time that each of as many connections took, from its
 * first packet to its end, there and back; one at least. */
static size_t
open_in_turn(const struct load_settings *settings, uint32_t *samples)
{
    size_t count = 0;
    uint64_t now = clock_ns();
    uint64_t end = now + (uint64_t)settings->seconds * 1000000000U;

    do {
        uint64_t begun = now;
        client_finish(client_connect(settings));
        now = clock_ns();
        uint64_t took = now - begun;
        samples[count++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    } while (now < end && count < LATENCY_SAMPLES_MAX);
    return count;
}

void
load_beside(const struct load_settings *settings)
{
    struct crew crew = {.settings = settings, .work = pour};
    uint32_t *samples = calloc(LATENCY_SAMPLES_MAX, sizeof *samples);

    if (samples == NULL)
        die("keep the samples");
    server_start(settings, SERVER_SINK);
    crew_start(&crew);
    sleep_ms(LOAD_WARM_UP_MS);
    uint64_t begun = clock_ns();
    uint64_t before = server_received();
    size_t count = open_in_turn(settings, samples);
    double rate = (double)(server_received() - before) * 1e9 /
                  (double)(clock_ns() - begun);
    crew_stop(&crew);
    qsort(samples, count, sizeof *samples, compare);
    printf("{\"p50_ms\": %.2f, \"p90_ms\": %.2f, \"openings\": %zu, "
           "\"megabytes_per_second\": %.1f}\n",
           percentile_us(samples, count, 50) / 1e3,
           percentile_us(samples, count, 90) / 1e3, count, rate / 1e6);
    free(samples);
}

/* --- idle --------------------------------------------------------------- */

/* Opens, says so, and holds until standard input ends. */
void
load_idle(const struct load_settings *settings)
{
    int *fds = calloc(settings->connections, sizeof *fds);
    char nothing;

    if (fds == NULL)
        die("keep the connections");
    server_start(settings, SERVER_ECHO);
    for (unsigned i = 0; i < settings->connections; i++) {
        fds[i] = client_connect(settings);
        client_exchange(fds[i]);
    }
    printf("{\"connections\": %u}\n", settings->connections);
    fflush(stdout);
    while (read(STDIN_FILENO, &nothing, sizeof nothing) > 0)
        continue;
    for (unsigned i = 0; i < settings->connections; i++)
        client_finish(fds[i]);
    free(fds);
}
