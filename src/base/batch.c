/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limit counts what holders hold.  Free buffers are kept in the store in
 * lists threaded through the buffers themselves.
 */
#include "base/batch.h"

#include <assert.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    SMALLEST = 16 * 1024, /* beyond the guaranteed */
    CLASSES = 5,          /* 16, 32, 64, 128, 256 KiB */
    KEPT_MAX = 8,         /* free buffers of each class */
    RETURNED_SIZE = 64 * 1024,
};

static_assert(SMALLEST << (CLASSES - 1) == BATCH_LARGEST,
              "the classes end with the largest batch");

struct batch_budget {
    atomic_size_t used;
    size_t limit;
};

struct spare {
    struct spare *next;
};

struct batch_store {
    struct batch_budget *budget; /* borrowed */
    struct spare *spares[CLASSES];
    unsigned kept[CLASSES];
};

struct batch_budget *
batch_budget_new(size_t limit)
{
    struct batch_budget *budget = calloc(1, sizeof *budget);

    if (budget == NULL)
        return NULL;
    atomic_init(&budget->used, 0);
    budget->limit = limit;
    /* Left alone, the C library raises this threshold with the first large
     * buffer it frees, and keeps the next ones. */
    mallopt(M_MMAP_THRESHOLD, RETURNED_SIZE);
    return budget;
}

void
batch_budget_free(struct batch_budget *budget)
{
    free(budget);
}

size_t
batch_budget_used(const struct batch_budget *budget)
{
    return atomic_load(&budget->used);
}

static bool
budget_take(struct batch_budget *budget, size_t size)
{
    size_t used = atomic_load(&budget->used);

    do {
        if (used > budget->limit || size > budget->limit - used)
            return false;
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + size));
    return true;
}

static bool
budget_overdraw(struct batch_budget *budget, size_t size)
{
    atomic_fetch_add(&budget->used, size);
    return true;
}

static void
budget_return(struct batch_budget *budget, size_t size)
{
    size_t before = atomic_fetch_sub(&budget->used, size);

    assert(before >= size);
    (void)before;
}

struct batch_store *
batch_store_new(struct batch_budget *budget)
{
    struct batch_store *store = calloc(1, sizeof *store);

    if (store != NULL)
        store->budget = budget;
    return store;
}

void
batch_store_rest(struct batch_store *store)
{
    for (size_t i = 0; i < CLASSES; i++) {
        while (store->spares[i] != NULL) {
            struct spare *spare = store->spares[i];
            store->spares[i] = spare->next;
            free(spare);
        }
        store->kept[i] = 0;
    }
}

void
batch_store_free(struct batch_store *store)
{
    if (store == NULL)
        return;
    batch_store_rest(store);
    free(store);
}

/* The first class that holds want bytes. */
static size_t
class_of(size_t want)
{
    size_t size_class = 0;

    assert(want <= BATCH_LARGEST);
    while ((size_t)SMALLEST << size_class < want)
        size_class++;
    return size_class;
}

static uint8_t *
take_buffer(struct batch_store *store, size_t size_class)
{
    struct spare *spare = store->spares[size_class];

    if (spare == NULL)
        return aligned_alloc(ALIGNMENT, (size_t)SMALLEST << size_class);
    store->spares[size_class] = spare->next;
    store->kept[size_class]--;
    return (uint8_t *)spare;
}

static void
put_buffer(struct batch_store *store, uint8_t *bytes, size_t size_class)
{
    struct spare *spare = (struct spare *)(void *)bytes;

    if (store->kept[size_class] == KEPT_MAX) {
        free(bytes);
        return;
    }
    spare->next = store->spares[size_class];
    store->spares[size_class] = spare;
    store->kept[size_class]++;
}

typedef bool budget_taker(struct batch_budget *budget, size_t size);

/* Of want bytes at least, with what fits of the old. */
static bool
replace(struct batch_store *store, struct batch *batch, size_t want,
        budget_taker *take)
{
    struct batch other;

    if (want <= BATCH_GUARANTEED) {
        other.size = BATCH_GUARANTEED;
        other.bytes = aligned_alloc(ALIGNMENT, other.size);
    } else {
        size_t size_class = class_of(want);
        other.size = (size_t)SMALLEST << size_class;
        if (!take(store->budget, other.size))
            return false;
        other.bytes = take_buffer(store, size_class);
        if (other.bytes == NULL)
            budget_return(store->budget, other.size);
    }
    if (other.bytes == NULL)
        return false;
    if (batch->size > 0)
        memcpy(other.bytes, batch->bytes,
               other.size < batch->size ? other.size : batch->size);
    batch_release(store, batch);
    *batch = other;
    return true;
}

static bool
grow(struct batch_store *store, struct batch *batch, size_t want,
     budget_taker *take)
{
    return want <= batch->size || replace(store, batch, want, take);
}

bool
batch_grow(struct batch_store *store, struct batch *batch, size_t want)
{
    return grow(store, batch, want, budget_take);
}

bool
batch_require(struct batch_store *store, struct batch *batch, size_t want)
{
    return grow(store, batch, want, budget_overdraw);
}

void
batch_shrink(struct batch_store *store, struct batch *batch, size_t want)
{
    (void)replace(store, batch, want, budget_take);
}

void
batch_release(struct batch_store *store, struct batch *batch)
{
    if (batch->size > BATCH_GUARANTEED) {
        put_buffer(store, batch->bytes, class_of(batch->size));
        budget_return(store->budget, batch->size);
    } else {
        free(batch->bytes);
    }
    *batch = (struct batch){NULL, 0};
}
