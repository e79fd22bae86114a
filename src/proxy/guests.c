/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A short list of numbers.  Names are looked up once; whoever comes is compared
 * by number, so that no name service is waited for when a connection is
 * accepted.
 */
#include "proxy/guests.h"

#include <stdlib.h>

#include "base/peer.h"
#include "base/users.h"

struct guests {
    size_t count;
    uid_t users[];
};

struct guests *
guests_new(const struct service_settings *settings, struct error *err)
{
    const struct text_list *names = &settings->accept_user;
    struct guests *guests = calloc(1, sizeof *guests +
                                          names->count * sizeof(uid_t));

    if (guests == NULL) {
        error_set(err, "out of memory");
        return NULL;
    }
    for (; guests->count < names->count; guests->count++) {
        if (!users_find(names->items[guests->count],
                        &guests->users[guests->count], NULL, err))
            goto out;
    }
    if (settings->accept.kind == ENDPOINT_UNIX || peer_user_can_tell(err))
        return guests;
out:
    error_prefix(err, "`accept_user`");
    guests_free(guests);
    return NULL;
}

void
guests_free(struct guests *guests)
{
    free(guests);
}

bool
guests_admit(const struct guests *guests, int fd, struct error *err)
{
    uid_t user;

    if (!peer_user(fd, &user, err))
        return false;
    for (size_t i = 0; i < guests->count; i++)
        if (guests->users[i] == user)
            return true;
    error_set(err, "the local user %u is not listed in `accept_user`",
              (unsigned)user);
    return false;
}
