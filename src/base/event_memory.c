/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each piece says in front of it how long it is.  Small ones are all of one
 * length and go back to the list that they came from; slabs are never freed.
 * Others, the events among them, are malloc()'s, where leaks of them are seen.
 */
#include "base/event_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>

enum {
    SMALL = 64, /* the records take less */
    SLAB_SLOTS = 800,
};

struct piece {
    _Alignas(max_align_t) size_t size;
    /* the bytes follow */
};

struct slot {
    struct piece piece;
    union {
        struct slot *next; /* while it is free */
        _Alignas(max_align_t) char bytes[SMALL];
    } content;
};

struct slab {
    struct slab *next;
    struct slot slots[SLAB_SLOTS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab *slabs; /* all; else they would be called leaks */
static struct slot *idle;

/* The lock is held. */
static void
add_slab(void)
{
    struct slab *slab = malloc(sizeof *slab);

    if (slab == NULL)
        return;
    slab->next = slabs;
    slabs = slab;
    for (size_t i = 0; i < SLAB_SLOTS; i++) {
        slab->slots[i].content.next = idle;
        idle = &slab->slots[i];
    }
}

static struct piece *
take_slot(void)
{
    pthread_mutex_lock(&lock);
    if (idle == NULL)
        add_slab();
    struct slot *slot = idle;
    if (slot != NULL)
        idle = slot->content.next;
    pthread_mutex_unlock(&lock);
    return slot != NULL ? &slot->piece : NULL;
}

static void
give_slot(struct piece *piece)
{
    struct slot *slot = (struct slot *)piece;

    pthread_mutex_lock(&lock);
    slot->content.next = idle;
    idle = slot;
    pthread_mutex_unlock(&lock);
}

void *
event_memory_get(size_t size)
{
    struct piece *piece = size <= SMALL ? take_slot()
                                        : malloc(sizeof *piece + size);

    if (piece == NULL)
        return NULL;
    piece->size = size <= SMALL ? SMALL : size;
    return piece + 1;
}

void
event_memory_release(void *bytes)
{
    struct piece *piece = bytes;

    if (bytes == NULL)
        return;
    piece--;
    if (piece->size == SMALL)
        give_slot(piece);
    else
        free(piece);
}

void *
event_memory_resize(void *bytes, size_t size)
{
    struct piece *piece = bytes;
    void *moved;

    if (bytes == NULL)
        return event_memory_get(size);
    piece--;
    if (piece->size == SMALL && size <= SMALL)
        return bytes;
    moved = event_memory_get(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, bytes, piece->size < size ? piece->size : size);
    event_memory_release(bytes);
    return moved;
}

void
event_memory_use(void)
{
    event_set_mem_functions(event_memory_get, event_memory_resize,
                            event_memory_release);
}
