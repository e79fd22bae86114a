/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers for what is in flight, within one limit for all loops.  A holder
 * always gets BATCH_GUARANTEED bytes, which the limit does not count; more only
 * while the limit has room.  Who is refused goes on with what it has and asks
 * again later: so holders take turns, and none is stuck.
 *
 * What has begun to arrive must be able to end: batch_require goes beyond the
 * limit.
 *
 * A budget is shared by threads; a store, with the buffers it keeps for reuse,
 * belongs to one loop.
 */
#ifndef BASE_BATCH_H
#define BASE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    BATCH_GUARANTEED = 4 * 1024,
    BATCH_LARGEST = 256 * 1024,
};

struct batch_budget;
struct batch_store;

/* All zero: an empty batch. */
struct batch {
    uint8_t *bytes; /* aligned to 64 */
    size_t size;    /* a power of two: 4 KiB, or 16 to 256 KiB */
};

/* limit in bytes.  Also settles, for the process, that buffers of 64 KiB and
 * more go back to the system when they are freed; call it before threads are
 * started. NULL: out of memory. */
MUST_CHECK struct batch_budget *batch_budget_new(size_t limit);
void batch_budget_free(struct batch_budget *budget); /* after its stores */
size_t batch_budget_used(const struct batch_budget *budget); /* any thread */

/* Keeps up to eight free buffers of each size, beyond the limit. */
MUST_CHECK struct batch_store *batch_store_new(struct batch_budget *budget);
void batch_store_free(struct batch_store *store); /* after its batches */
/* Nobody is there to reuse a buffer: frees those it keeps. */
void batch_store_rest(struct batch_store *store);

/*
 * Makes batch at least want bytes (BATCH_LARGEST at most), with its bytes kept;
 * the rest is not initialised.  False, and batch is as it was: the limit has no
 * room for the new size beside the old, or memory is out.  BATCH_GUARANTEED fails only for lack of memory.
 */
MUST_CHECK bool batch_grow(struct batch_store *store, struct batch *batch,
                           size_t want);

/* The same for what cannot go on with less: beyond the limit, where it has no
 * room, and counted all the same.  False: memory is out. */
MUST_CHECK bool batch_require(struct batch_store *store, struct batch *batch,
                              size_t want);

/* Makes batch smaller, of want bytes or a little more, with the first want of its
 * bytes kept.  Where the limit or memory has no room for the new beside the old,
 * batch is as it was: it is only to save. */
void batch_shrink(struct batch_store *store, struct batch *batch, size_t want);

/* Gives the memory back; batch is empty then.  Empty is fine. */
void batch_release(struct batch_store *store, struct batch *batch);

#endif
