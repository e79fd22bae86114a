/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something that seals and unseals records within one process, so that ways of
 * doing it can be compared.  A failure ends the process.
 */
#ifndef BENCH_SEAL_H
#define BENCH_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "gss/engine.h"

/* Who talks to whom: names and key tables of a realm that is up. */
struct seal_parties {
    const char *principal;
    const char *keytab;
    const char *target;
    const char *target_keytab;
};

/* Processor time of this thread; both grow. */
struct seal_cost {
    uint64_t seal_ns;
    uint64_t unseal_ns;
};

struct sealer {
    const char *name;
    const char *enctype; /* NULL: as the others' */
    /* Seals count records of size bytes and unseals them again. */
    void (*carry)(struct sealer *sealer, size_t size, size_t count,
                  struct seal_cost *cost);
};

/* gss_wrap and gss_unwrap, a record a call, as any program would. */
struct sealer *sealer_bare(const struct seal_parties *parties);

/* A pair of kerbwrap's channels; NULL where the engine cannot be used.  Once for
 * each engine. */
struct sealer *sealer_channel(const struct seal_parties *parties,
                              enum engine_choice engine);

uint64_t processor_ns(void);
noreturn void die(const char *what, const char *reason);

#endif
