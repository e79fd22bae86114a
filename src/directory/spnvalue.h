/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service principal names as a directory stores them in servicePrincipalName:
 * CLASS/HOST[:PORT][/SERVICE], without the escapes of Kerberos text (spn.h).
 * By the rules of DsMakeSpn, DsGetSpn and DsCrackSpn (MS-ADTS 2.2.21).  Pure.
 */
#ifndef DIRECTORY_SPNVALUE_H
#define DIRECTORY_SPNVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/guid.h"
#include "directory/spn.h"

/* What DsMakeSpn takes.  NULL: not given. */
struct spn_parts {
    const char *service_class;
    const char *service_name; /* a host, unless there is an instance */
    const char *instance;     /* the host that offers service_name */
    uint16_t port;            /* 0: none */
    const char *referrer;     /* used only when service_name is an IP address */
};

/* CLASS/SERVICE[:PORT], CLASS/INSTANCE[:PORT]/SERVICE or, referred by another
 * host, CLASS/ADDRESS[:PORT]/REFERRER.  No part may hold a '/'. */
MUST_CHECK bool spnvalue_make(const struct spn_parts *parts,
                              char value[SPN_SIZE], struct error *err);

/* What DsGetSpn names a service by. */
enum spn_name_type {
    SPN_DNS_HOST,  /* the host alone; service_name must be NULL */
    SPN_NB_HOST,   /* likewise, by its NetBIOS name */
    SPN_DN_HOST,   /* likewise, by its distinguished name */
    SPN_DOMAIN,    /* a DNS domain: its DNS name is service_name */
    SPN_NB_DOMAIN, /* likewise, by NetBIOS names */
    SPN_SERVICE,   /* service_name: the DN of an SCP, a DNS or SRV name */
};

struct spn_instance {
    const char *host;
    uint16_t port; /* 0: none */
};

struct spn_composition {
    enum spn_name_type type;
    const char *service_class;
    const char *service_name;
    const struct guid *guid; /* stands in for a DN with a '/'; or NULL */
    /* One name each; with count 0 one for this host, by this_host, or by its
     * first label for the NetBIOS types. */
    const struct spn_instance *instances;
    size_t count;
    const char *this_host;
};

/* values has room for count names, at least one; *made_out of them are set. */
MUST_CHECK bool spnvalue_compose(const struct spn_composition *composition,
                                 char (*values)[SPN_SIZE], size_t *made_out,
                                 struct error *err);

/* What DsCrackSpn tells of a name. */
struct spn_cracked {
    char service_class[SPN_SIZE];
    char host[SPN_SIZE];
    uint16_t port;               /* 0: none */
    char label[SPN_SIZE];        /* behind the colon when no port; or "" */
    char service_name[SPN_SIZE]; /* host when there is no third part */
    size_t part_count;           /* 2 or 3 */
};
MUST_CHECK bool spnvalue_crack(const char *value, struct spn_cracked *out,
                               struct error *err);

/* From Kerberos text, realm dropped.  A component with a '/' in it is refused:
 * a directory would split there. */
MUST_CHECK bool spnvalue_from_text(const char *text, char value[SPN_SIZE],
                                   struct error *err);

/* Names are compared ignoring the case of ASCII letters. */
bool spnvalue_equal(const char *a, const char *b);

#endif
