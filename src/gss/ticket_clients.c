/* SPDX-License-Identifier: BSD-2-Clause */
/* A table with one place for each ticket: whoever comes later has it. */
#include "gss/ticket_clients.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

enum {
    PLACES = 256
};

struct ticket_clients {
    pthread_mutex_t mutex; /* of all below */
    struct place {
        uint8_t digest[TICKET_DIGEST_SIZE];
        char *name; /* owned; NULL: free */
    } places[PLACES];
};

struct ticket_clients *
ticket_clients_new(void)
{
    struct ticket_clients *clients = calloc(1, sizeof *clients);

    if (clients != NULL)
        pthread_mutex_init(&clients->mutex, NULL);
    return clients;
}

void
ticket_clients_free(struct ticket_clients *clients)
{
    if (clients == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++)
        free(clients->places[i].name);
    pthread_mutex_destroy(&clients->mutex);
    free(clients);
}

bool
ticket_digest(const uint8_t *ticket, size_t size,
              uint8_t digest_out[TICKET_DIGEST_SIZE])
{
    return EVP_Digest(ticket, size, digest_out, NULL, EVP_sha256(), NULL) == 1;
}

/* All bits of a digest are alike. */
static struct place *
place_of(struct ticket_clients *clients,
         const uint8_t digest[TICKET_DIGEST_SIZE])
{
    return &clients->places[digest[0] % PLACES];
}

char *
ticket_clients_find(struct ticket_clients *clients,
                    const uint8_t digest[TICKET_DIGEST_SIZE])
{
    char *name = NULL;

    pthread_mutex_lock(&clients->mutex);
    const struct place *place = place_of(clients, digest);
    if (place->name != NULL &&
        memcmp(place->digest, digest, sizeof place->digest) == 0)
        name = strdup(place->name);
    pthread_mutex_unlock(&clients->mutex);
    return name;
}

void
ticket_clients_keep(struct ticket_clients *clients,
                    const uint8_t digest[TICKET_DIGEST_SIZE], const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        return;
    pthread_mutex_lock(&clients->mutex);
    struct place *place = place_of(clients, digest);
    free(place->name);
    place->name = copy;
    memcpy(place->digest, digest, sizeof place->digest);
    pthread_mutex_unlock(&clients->mutex);
}
