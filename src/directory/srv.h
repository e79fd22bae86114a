/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SRV records, RFC 2782: reading a DNS answer and putting targets in order.
 * Pure; locate.h asks the name servers.
 */
#ifndef DIRECTORY_SRV_H
#define DIRECTORY_SRV_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/host.h"

enum {
    SRV_RECORDS_MAX = 64
};

struct srv_record {
    uint16_t priority;
    uint16_t weight;
    uint16_t port;
    char target[HOST_SIZE]; /* no trailing dot */
};

struct srv_list {
    struct srv_record records[SRV_RECORDS_MAX];
    size_t count;
    size_t skipped; /* past the limit, or not usable as a host and port */
};

enum srv_status {
    SRV_FOUND,
    SRV_NONE,   /* the name servers say so: no such name, no record, or "." */
    SRV_FAILED, /* no answer, or one that cannot be read; err says why */
};

/* One whole answer of a name server; hostile bytes. */
MUST_CHECK enum srv_status srv_parse(const uint8_t *answer, size_t length,
                                     struct srv_list *list_out,
                                     struct error *err);

/* Evenly distributed over all values. */
typedef uint32_t random_source(void *arg);

/* The kernel's; arg is not used. */
uint32_t random_kernel(void *arg);

/* Evenly distributed below limit, which is not 0. */
uint32_t random_below(uint32_t limit, random_source *source, void *arg);

/* One of several things to try. */
struct srv_choice {
    uint16_t priority;
    uint16_t weight;
    size_t index; /* the caller's */
};

/*
 * Puts choices in the order in which to try them: by priority, and within one
 * drawn by weight.  source NULL: by priority, then weight downwards, then index.
 */
void srv_order(struct srv_choice *choices, size_t count, random_source *source,
               void *arg);

#endif
