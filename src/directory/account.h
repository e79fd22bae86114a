/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts of a directory: finding one, and who holds a name. */
#ifndef DIRECTORY_ACCOUNT_H
#define DIRECTORY_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/registry.h"

struct account {
    /* owned */
    char *dn;
    char *canonical;     /* dn.h */
    char *name;          /* sAMAccountName; the DN when it has none */
    char *dns_host_name; /* NULL when it has none */
    /* plain */
    bool computer;
    uint32_t kvno; /* of its key; 0 when the directory does not tell */
};

/*
 * Called name: a sAMAccountName, for a computer with or without its "$", or a
 * DN.  To be cleared when ANSWERED; nobody of that name is REFUSED.
 */
MUST_CHECK enum directory_status account_find(struct registry *registry,
                                              const char *name,
                                              struct account *account_out,
                                              struct error *err);
/* The computer whose dNSHostName this is. */
MUST_CHECK enum directory_status account_of_host(struct registry *registry,
                                                 const char *host,
                                                 struct account *account_out,
                                                 struct error *err);
void account_clear(struct account *account);

struct holders {
    struct account *items; /* owned; of dn, canonical and name */
    size_t count;
};

/* Who holds the SPN, anywhere in the forest; each once. */
MUST_CHECK enum directory_status holders_find(struct registry *registry,
                                              const char *value,
                                              struct holders *holders_out,
                                              struct error *err);
void holders_clear(struct holders *holders);

enum spn_verdict {
    SPN_HELD,      /* by the account, and nobody else */
    SPN_MISSING,   /* by nobody */
    SPN_ELSEWHERE, /* by another account, perhaps besides */
};

/* Unless HELD, why has a sentence. */
MUST_CHECK enum directory_status account_holds(struct registry *registry,
                                               const struct account *account,
                                               const char *value,
                                               enum spn_verdict *verdict_out,
                                               struct error *why);

#endif
