/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seal PRINCIPAL KEYTAB TARGET TARGET-KEYTAB MILLISECONDS [bare]: how fast
 * records are sealed and unsealed, by each engine of kerbwrap's and by the
 * bare calls of the library, at several sizes and numbers of records at once.  Each figure
 * is measured for that long; one JSON object a line.  Speeds are a second of
 * processor time; share is how much of a processor this process was given.
 */
#include "seal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t sizes[] = {64, 1024, 4096, 16384, 65471};
static const size_t counts[] = {1, 4, 16};

/* What the relay puts into a record, and how bare calls are best compared. */
enum {
    USUAL_SIZE = 16384
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t
processor_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void
die(const char *what, const char *reason)
{
    fprintf(stderr, "seal: cannot %s: %s\n", what, reason);
    exit(1);
}

static void
measure(struct sealer *sealer, const char *enctype, size_t size, size_t count,
        unsigned ms)
{
    struct seal_cost cost = {0, 0};
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    uint64_t worked = ms * UINT64_C(1000000);
    uint64_t end = processor_ns() + worked;
    double megabytes = 0;

    while (processor_ns() < end) {
        sealer->carry(sealer, size, count, &cost);
        megabytes += (double)(size * count) / 1e6;
    }
    double share = (double)worked / (double)(clock_ns(CLOCK_MONOTONIC) - begun);
    printf("{\"engine\": \"%s\", \"enctype\": \"%s\", \"size\": %zu, "
           "\"count\": %zu, \"seal\": %.1f, \"unseal\": %.1f, "
           "\"share\": %.3f}\n",
           sealer->name, enctype, size, count,
           megabytes * 1e9 / (double)cost.seal_ns,
           megabytes * 1e9 / (double)cost.unseal_ns, share);
    fflush(stdout);
}

static void
measure_all(const struct seal_parties *parties, unsigned ms)
{
    struct sealer *bare = sealer_bare(parties);
    struct sealer *channels[ENGINE_MULTIBUFFER];
    size_t channel_count = 0;

    for (unsigned engine = ENGINE_GSSAPI; engine <= ENGINE_MULTIBUFFER;
         engine++) {
        struct sealer *channel = sealer_channel(parties, engine);
        if (channel != NULL)
            channels[channel_count++] = channel;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        measure(bare, channels[0]->enctype, sizes[i], 1, ms);
        for (size_t j = 0; j < channel_count; j++) {
            for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++)
                measure(channels[j], channels[j]->enctype, sizes[i], counts[k],
                        ms);
        }
    }
}

int
main(int argc, char **argv)
{
    bool only_bare = argc == 7 && strcmp(argv[6], "bare") == 0;

    if (argc != 6 && !only_bare) {
        fputs("usage: seal PRINCIPAL KEYTAB TARGET TARGET-KEYTAB MILLISECONDS "
              "[bare]\n",
              stderr);
        return 2;
    }
    struct seal_parties parties = {argv[1], argv[2], argv[3], argv[4]};
    unsigned ms = (unsigned)atoi(argv[5]);

    if (only_bare)
        measure(sealer_bare(&parties), "", USUAL_SIZE, 1, ms);
    else
        measure_all(&parties, ms);
    return 0;
}
