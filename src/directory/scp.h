/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service connection point as it was read: what it says of itself, checked for
 * form only.  Pure; judge.h says whether to believe it.
 */
#ifndef DIRECTORY_SCP_H
#define DIRECTORY_SCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/entry.h"
#include "directory/guid.h"
#include "directory/host.h"

enum scp_type {
    SCP_TYPE_A,   /* dns_name is a host */
    SCP_TYPE_SRV, /* dns_name is the name of SRV records */
};

enum {

    SCP_BINDINGS_MAX = 16,
    SCP_CLASS_SIZE = 64
};

/* One value of serviceBindingInformation. */
struct scp_binding {
    uint16_t port; /* 0: problem says why it cannot be used */
    char problem[128];
};

struct scp {
    char *dn;        /* owned; as the server wrote it */
    char *canonical; /* owned; dn.h */
    struct guid guid;
    bool has_guid;
    enum scp_type type;
    char service_class[SCP_CLASS_SIZE];
    char dns_name[HOST_SIZE];
    struct scp_binding bindings[SCP_BINDINGS_MAX]; /* none for SRV */
    size_t binding_count;
};

/* The attributes to ask for, NULL at the end. */
extern const char *const scp_attributes[];

/*
 * Refuses an entry that cannot be dialled whatever the rules are; the sentence
 * is its verdict ("its serviceDNSName is missing").  To be cleared in either
 * case; dn is set unless memory was short.
 */
MUST_CHECK bool scp_parse(const struct entry *entry, struct scp *scp_out,
                          struct error *err);
void scp_clear(struct scp *scp);

#endif
