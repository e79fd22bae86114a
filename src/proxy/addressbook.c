/* SPDX-License-Identifier: BSD-2-Clause */
/* A short list under one lock; the lock is held for copying only. */
#include "proxy/addressbook.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct entry {
    struct endpoint server;
    struct address addresses[ADDRESSBOOK_ADDRESSES_MAX];
    size_t count;
};

struct addressbook {
    pthread_mutex_t mutex;
    /* guarded by it */
    unsigned references;
    size_t count;
    size_t oldest; /* once all are in use */
    struct entry entries[ADDRESSBOOK_ENTRIES_MAX];
};

struct addressbook *
addressbook_new(void)
{
    struct addressbook *book = calloc(1, sizeof *book);

    if (book == NULL)
        return NULL;
    if (pthread_mutex_init(&book->mutex, NULL) != 0) {
        free(book);
        return NULL;
    }
    book->references = 1;
    return book;
}

struct addressbook *
addressbook_hold(struct addressbook *book)
{
    pthread_mutex_lock(&book->mutex);
    book->references++;
    pthread_mutex_unlock(&book->mutex);
    return book;
}

void
addressbook_release(struct addressbook *book)
{
    if (book == NULL)
        return;
    pthread_mutex_lock(&book->mutex);
    unsigned left = --book->references;
    pthread_mutex_unlock(&book->mutex);
    if (left != 0)
        return;
    pthread_mutex_destroy(&book->mutex);
    free(book);
}

static struct entry *
find(struct addressbook *book, const struct endpoint *server)
{
    for (size_t i = 0; i < book->count; i++) {
        struct entry *entry = &book->entries[i];
        if (entry->server.port == server->port &&
            strcasecmp(entry->server.host, server->host) == 0)
            return entry;
    }
    return NULL;
}

static struct entry *
make_room(struct addressbook *book)
{
    if (book->count < ADDRESSBOOK_ENTRIES_MAX)
        return &book->entries[book->count++];
    struct entry *entry = &book->entries[book->oldest];
    book->oldest = (book->oldest + 1) % ADDRESSBOOK_ENTRIES_MAX;
    return entry;
}

void
addressbook_note(struct addressbook *book, const struct endpoint *server,
                 const struct address *addresses, size_t count)
{
    if (count > ADDRESSBOOK_ADDRESSES_MAX)
        count = ADDRESSBOOK_ADDRESSES_MAX;
    pthread_mutex_lock(&book->mutex);
    struct entry *entry = find(book, server);
    if (entry == NULL)
        entry = make_room(book);
    entry->server = *server;
    entry->count = count;
    memcpy(entry->addresses, addresses, count * sizeof *addresses);
    pthread_mutex_unlock(&book->mutex);
}

size_t
addressbook_recall(struct addressbook *book, const struct endpoint *server,
                   struct address *addresses)
{
    size_t count = 0;

    pthread_mutex_lock(&book->mutex);
    const struct entry *entry = find(book, server);
    if (entry != NULL) {
        count = entry->count;
        memcpy(addresses, entry->addresses, count * sizeof *addresses);
    }
    pthread_mutex_unlock(&book->mutex);
    return count;
}
