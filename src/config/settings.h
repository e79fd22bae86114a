/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sections of a file say, as plain data: [kerbwrap], [directory], and
 * each [server NAME] or [client NAME].  The table in options.c is the one truth
 * about keys, kinds and defaults.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/socket.h"
#include "directory/spn.h"
#include "gss/access.h"
#include "gss/engine.h"
#include "wire/message.h"

enum {
    SERVICE_NAME_MAX = 40
};

enum role {
    ROLE_SERVER, /* GSS acceptor: sealed in, plaintext out */
    ROLE_CLIENT, /* GSS initiator: plaintext in, sealed out */
};

enum selection {
    SELECT_RANDOM,
    SELECT_LISTED
};
enum verify_spn {
    VERIFY_SPN_AUTO,
    VERIFY_SPN_REQUIRE,
    VERIFY_SPN_WARN,
    VERIFY_SPN_OFF
};
enum expiry_action {
    EXPIRY_KEEP,
    EXPIRY_CLOSE
};
enum dns_name_type {
    DNS_NAME_A,
    DNS_NAME_SRV
};
enum proxy_protocol {
    PROXY_OFF,
    PROXY_V2
};

struct text_list {
    char **items; /* owned */
    size_t count;
};

struct endpoint_list {
    struct endpoint *items; /* owned */
    size_t count;
};

enum {
    THREADS_MAX = 256
};

/* [kerbwrap].  Texts are owned, "" when empty; times in ms, sizes in bytes. */
struct global_settings {
    unsigned threads; /* 0: auto */
    unsigned pool_threads;
    unsigned max_connections;
    unsigned max_handshakes;
    unsigned max_handshakes_per_source;
    uint64_t buffer_memory;
    enum engine_choice engine;
    enum log_level log_level;
    enum log_format log_format;
    char *log_target;
    bool status_enabled;
    struct endpoint status;
    char *state_dir;
    char *runtime_dir;
    uint64_t drain_timeout;
    bool reload_enforces;
    char *user; /* "": stay as started */
    unsigned user_line;
    char *group;
};

/* [directory] */
struct directory_settings {
    bool present;
    char *domain;
    struct text_list uri;
    struct text_list gc_uri;
    char *base;
    char *keytab;
    char *principal;
    uint64_t timeout;
    uint64_t refresh;
    uint64_t max_stale;
};

/* [server NAME] or [client NAME]; what the other role has stays empty. */
struct service_settings {
    enum role role;
    char *name;
    unsigned line;        /* of the section */
    unsigned accept_line; /* of its `accept` */

    /* both */
    struct endpoint accept;
    struct endpoint_list connect;
    char *service_class;
    enum protection protection;
    uint64_t connect_timeout, handshake_timeout, close_timeout;
    uint64_t idle_timeout, max_lifetime, heartbeat;
    unsigned max_connections; /* 0: only the global limit */
    mode_t socket_mode;
    char *socket_owner;
    bool allow_remote_plaintext;
    enum expiry_action on_ticket_expiry;
    char *tunnel;
    char *keytab;

    /* server */
    struct text_list spn;  /* client: at most one */
    struct text_list exec; /* a program and its arguments, instead of connect */
    struct access_rules access;
    enum proxy_protocol proxy_protocol;
    bool replay_cache;
    bool publish;
    struct text_list keywords; /* client: to find by */
    char *dns_name;
    enum dns_name_type dns_name_type;
    unsigned port; /* 0: the accept port */
    char *scp_name;
    char *account;
    enum verify_spn verify_spn;

    /* client */
    struct text_list accept_user;
    char *scp;
    enum spn_format spn_format;
    struct text_list allow_host;
    char *allow_group;
    char *scp_base;
    enum selection selection;
    char *principal;
    char *ccache;
};

const char *role_name(enum role role); /* "server", "client" */

#endif
