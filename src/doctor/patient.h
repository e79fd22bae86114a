/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is examined: [kerbwrap] or one service, and what is known of it so far.
 * A row of the table sets members that no other row sets; who reads them needs
 * the fact that it proves.  A row is given a copy.  Private to src/doctor.
 */
#ifndef DOCTOR_PATIENT_H
#define DOCTOR_PATIENT_H

#include <stdint.h>

#include "directory/spn.h"
#include "doctor/doctor.h"
#include "gss/examine.h"
#include "gss/keytab.h"
#include "proxy/registrar.h"

/* What later checks may build on. */
enum fact {
    FACT_KRB5_CONF = 1 << 0,
    FACT_KEYTAB = 1 << 1,    /* keys, realm; a client's credential */
    FACT_NAMES = 1 << 2,     /* a server's names */
    FACT_KDC = 1 << 3,       /* it answers: kdc */
    FACT_CLOCK = 1 << 4,     /* near enough to the KDC's */
    FACT_LOGIN = 1 << 5,     /* credential has tickets */
    FACT_KEYS = 1 << 6,      /* of a server open what clients bring */
    FACT_ACCEPT = 1 << 7,    /* a server's: is_running */
    FACT_DIRECTORY = 1 << 8, /* registrar */
    FACT_SERVERS = 1 << 9,   /* of a client */
    /* of one such server */
    FACT_NAME = 1 << 10,
    FACT_TICKET = 1 << 11,
    FACT_REACH = 1 << 12,
};

/* One that a client dials. */
struct server {
    struct endpoint endpoint;
    char spn[SPN_SIZE];
    unsigned facts;
};

enum {
    NAMES_MAX = 8,
    SERVERS_MAX = 8,
    /* Of a credential: several pools may be at work with it, one of them left
     * behind, whose threads have the same numbers. */
    NO_WORKERS = 0,
};

struct patient {
    /* borrowed */
    const struct doctor_settings *settings;
    const struct service_settings *service; /* NULL: [kerbwrap] */
    const struct patient *previous;         /* NULL: the first, [kerbwrap] */
    /* plain */
    char title[64];
    unsigned facts;
    struct kerberos_settings kerberos; /* of [kerbwrap] */
    char realm[EXAMINE_NAME_SIZE];
    struct kdc_answer kdc;
    char names[NAMES_MAX][SPN_SIZE];
    size_t name_count;
    bool names_are_guessed;
    char sound_name[SPN_SIZE]; /* whose tickets the keytab opens; or "" */
    bool is_running;           /* a kerbwrap has its listener */
    struct server servers[SERVERS_MAX];
    size_t server_count;
    /* owned */
    struct keytab_keys keys;
    struct credential *credential; /* an initiator's, to ask with */
    struct registrar *registrar;
};

/* [kerbwrap], whose facts are everybody's. */
const struct patient *patient_machine(const struct patient *patient);

#endif
