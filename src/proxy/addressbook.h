/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses that servers had when their names were last resolved: what to
 * dial while the name service does not answer, which in many a domain goes down
 * with the domain controller.  Who answers there must prove its name anyway.
 *
 * Shared by threads; reference counted.
 */
#ifndef PROXY_ADDRESSBOOK_H
#define PROXY_ADDRESSBOOK_H

#include <stddef.h>

#include "base/error.h"
#include "base/socket.h"

enum {
    ADDRESSBOOK_ENTRIES_MAX = 64, /* the oldest goes */
    ADDRESSBOOK_ADDRESSES_MAX = 4 /* of one server */
};

struct addressbook;

MUST_CHECK struct addressbook *addressbook_new(void); /* NULL: out of memory */
struct addressbook *addressbook_hold(struct addressbook *book);
void addressbook_release(struct addressbook *book); /* NULL is fine */

/* Keeps the first ADDRESSBOOK_ADDRESSES_MAX of them. */
void addressbook_note(struct addressbook *book, const struct endpoint *server,
                      const struct address *addresses, size_t count);

/* How many were put into addresses, which has room for
 * ADDRESSBOOK_ADDRESSES_MAX; 0: none is known. */
size_t addressbook_recall(struct addressbook *book,
                          const struct endpoint *server,
                          struct address *addresses);

#endif
