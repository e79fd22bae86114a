/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows, and looking them up.  Everything else about a key follows from its
 * row: to add one, add a row, its member in config.h, its lines in
 * conf/kerbwrap.ini and docs/kerbwrap.ini.5; the tests say what was forgotten.
 */
#include "config/options.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "config/checks.h"
#include "config/config.h"

/* Words for VALUE_WORD go into members that are enums. */
static_assert(sizeof(enum protection) == sizeof(unsigned) &&
                  sizeof(enum log_level) == sizeof(unsigned),
              "the compiler keeps enums in another size");

static const struct option_word yes_or_no[] = {
    {"yes", 1},
    {"no", 0},
    {NULL, 0},
};
static const struct option_word engines[] = {
    {"auto", ENGINE_AUTO},
    {"gssapi", ENGINE_GSSAPI},
    {"openssl", ENGINE_OPENSSL},
    {"multibuffer", ENGINE_MULTIBUFFER},
    {NULL, 0},
};
static const struct option_word log_levels[] = {
    {"error", LOG_LEVEL_ERROR},
    {"warning", LOG_LEVEL_WARNING},
    {"info", LOG_LEVEL_INFO},
    {"debug", LOG_LEVEL_DEBUG},
    {NULL, 0},
};
static const struct option_word log_formats[] = {
    {"text", LOG_FORMAT_TEXT},
    {"json", LOG_FORMAT_JSON},
    {NULL, 0},
};
static const struct option_word protections[] = {
    {"seal", PROTECTION_SEAL},
    {"sign", PROTECTION_SIGN},
    {NULL, 0},
};
static const struct option_word proxy_protocols[] = {
    {"off", PROXY_OFF},
    {"v2", PROXY_V2},
    {NULL, 0},
};
static const struct option_word dns_name_types[] = {
    {"A", DNS_NAME_A},
    {"SRV", DNS_NAME_SRV},
    {NULL, 0},
};
static const struct option_word verifications[] = {
    {"auto", VERIFY_SPN_AUTO},
    {"require", VERIFY_SPN_REQUIRE},
    {"warn", VERIFY_SPN_WARN},
    {"off", VERIFY_SPN_OFF},
    {NULL, 0},
};
static const struct option_word spn_formats[] = {
    {"host", SPN_FORMAT_HOST},
    {"port", SPN_FORMAT_PORT},
    {"scp", SPN_FORMAT_SCP},
    {"guid", SPN_FORMAT_GUID},
    {NULL, 0},
};
static const struct option_word selections[] = {
    {"random", SELECT_RANDOM},
    {"listed", SELECT_LISTED},
    {NULL, 0},
};
static const struct option_word expiry_actions[] = {
    {"keep", EXPIRY_KEEP},
    {"close", EXPIRY_CLOSE},
    {NULL, 0},
};

/* Milliseconds. */
#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
#define KIB (UINT64_C(1) << 10)
#define TIB (UINT64_C(1) << 40)

#define MILLION 1000000

/* Shorter, for the rows. */
#define KERBWRAP SECTION_KERBWRAP
#define DIRECTORY SECTION_DIRECTORY
#define SERVER SECTION_SERVER
#define CLIENT SECTION_CLIENT
#define BOTH (SECTION_SERVER | SECTION_CLIENT)

#define IN_GLOBAL(member) offsetof(struct global_settings, member)
#define IN_DIRECTORY(member) offsetof(struct directory_settings, member)
#define IN_SERVICE(member) offsetof(struct service_settings, member)

/* clang-format off */
static const struct option options[] = {
    {"threads",                   KERBWRAP,  VALUE_THREADS,   IN_GLOBAL(threads),                   "auto",                           .low = 1, .high = THREADS_MAX,
     .help = "event loops; auto: the processors this process may use"},
    {"pool_threads",              KERBWRAP,  VALUE_NUMBER,    IN_GLOBAL(pool_threads),              "32",                             .low = 4, .high = 1024,
     .help = "threads for what can block: Kerberos, name resolution"},
    {"max_connections",           KERBWRAP,  VALUE_NUMBER,    IN_GLOBAL(max_connections),           "10000",                          .low = 1, .high = MILLION,
     .help = "at the limit accepting pauses"},
    {"max_handshakes",            KERBWRAP,  VALUE_NUMBER,    IN_GLOBAL(max_handshakes),            "500",                            .low = 1, .high = MILLION,
     .help = "connections that are not authenticated yet, in total"},
    {"max_handshakes_per_source", KERBWRAP,  VALUE_NUMBER,    IN_GLOBAL(max_handshakes_per_source), "50",                             .low = 1, .high = MILLION,
     .help = "... and from one address"},
    {"buffer_memory",             KERBWRAP,  VALUE_SIZE,      IN_GLOBAL(buffer_memory),             "256m",                           .low = 64 * KIB, .high = TIB,
     .help = "for all buffers together; at the limit connections take turns"},
    {"engine",                    KERBWRAP,  VALUE_WORD,      IN_GLOBAL(engine),                    "auto",                           .words = engines, .check = check_engine,
     .help = "what seals: auto | gssapi | openssl | multibuffer"},
    {"log_level",                 KERBWRAP,  VALUE_WORD,      IN_GLOBAL(log_level),                 "info",                           .words = log_levels,
     .help = "error | warning | info | debug"},
    {"log_format",                KERBWRAP,  VALUE_WORD,      IN_GLOBAL(log_format),                "text",                           .words = log_formats,
     .help = "text | json"},
    {"log_target",                KERBWRAP,  VALUE_TEXT,      IN_GLOBAL(log_target),                "stderr",                         .check = check_log_target,
     .help = "stderr | syslog | file:PATH (SIGUSR1 reopens it)"},
    {"status",                    KERBWRAP,  VALUE_STATUS,    0,                                    "unix:/run/kerbwrap/status.sock", .check = check_status,
     .help = "where `kerbwrap status` asks: unix:PATH | 127.0.0.1:PORT | none"},
    {"state_dir",                 KERBWRAP,  VALUE_TEXT,      IN_GLOBAL(state_dir),                 "/var/lib/kerbwrap",
     .help = "the last good answers of the directory, published objects"},
    {"runtime_dir",               KERBWRAP,  VALUE_TEXT,      IN_GLOBAL(runtime_dir),               "/run/kerbwrap",
     .help = "replay caches and sockets"},
    {"drain_timeout",             KERBWRAP,  VALUE_DURATION,  IN_GLOBAL(drain_timeout),             "25s",                            .low = 0, .high = DAY,
     .help = "SIGTERM: how long connections may go on before they are reset"},
    {"reload_enforces",           KERBWRAP,  VALUE_FLAG,      IN_GLOBAL(reload_enforces),           "yes",                            .words = yes_or_no,
     .help = "reload ends connections that the new rules forbid: yes | no"},
    {"user",                      KERBWRAP,  VALUE_TEXT,      IN_GLOBAL(user),                      "",
     .help = "user to become after start; empty: stay as started"},
    {"group",                     KERBWRAP,  VALUE_TEXT,      IN_GLOBAL(group),                     "",
     .help = "group to become; empty: that of user"},

    {"domain",                    DIRECTORY, VALUE_TEXT,      IN_DIRECTORY(domain),                 "",                               .check = check_host,
     .help = "DNS name of the domain; base and realm follow from it"},
    {"uri",                       DIRECTORY, VALUE_TEXTS,     IN_DIRECTORY(uri),                    "",                               .check = check_uri,
     .help = "ldap://HOST[:PORT] ...; empty: the SRV records of the domain"},
    {"gc_uri",                    DIRECTORY, VALUE_TEXTS,     IN_DIRECTORY(gc_uri),                 "",                               .check = check_uri,
     .help = "likewise for the global catalog"},
    {"base",                      DIRECTORY, VALUE_TEXT,      IN_DIRECTORY(base),                   "",                               .check = check_dn,
     .help = "where to search; empty: the default naming context"},
    {"keytab",                    DIRECTORY, VALUE_TEXT,      IN_DIRECTORY(keytab),                 "",
     .help = "keys to look up with; empty: the service's own"},
    {"principal",                 DIRECTORY, VALUE_TEXT,      IN_DIRECTORY(principal),              "",
     .help = "principal of that keytab"},
    {"timeout",                   DIRECTORY, VALUE_DURATION,  IN_DIRECTORY(timeout),                "5s",                             .low = 100, .high = 10 * MINUTE,
     .help = "for one answer of a directory server"},
    {"refresh",                   DIRECTORY, VALUE_DURATION,  IN_DIRECTORY(refresh),                "5m",                             .low = SECOND, .high = 7 * DAY,
     .help = "how often the directory is asked anew"},
    {"max_stale",                 DIRECTORY, VALUE_DURATION,  IN_DIRECTORY(max_stale),              "24h",                            .low = 0, .high = YEAR,
     .help = "how long the last good answer serves when the directory does not answer"},

    {"accept",                    BOTH,      VALUE_ENDPOINT,  IN_SERVICE(accept),                   "",                               .required = true,
     .help = "ADDRESS:PORT | unix:PATH | fd:NAME; port 0 picks one and logs it"},
    {"accept_user",               CLIENT,    VALUE_TEXTS,     IN_SERVICE(accept_user),              "",
     .help = "local users who may connect, a list; empty: any"},
    {"connect",                   SERVER,    VALUE_ENDPOINTS, IN_SERVICE(connect),                  "",                               .check = check_connect,
     .help = "the legacy server: HOST:PORT or unix:PATH, a list in order"},
    {"exec",                      SERVER,    VALUE_TEXTS,     IN_SERVICE(exec),                     "",
     .help = "... or PROGRAM ARGUMENTS, started for each connection"},
    {"connect",                   CLIENT,    VALUE_ENDPOINTS, IN_SERVICE(connect),                  "",                               .check = check_connect,
     .help = "the sidecar of the server: HOST:PORT, a list"},
    {"keywords",                  CLIENT,    VALUE_TEXTS,     IN_SERVICE(keywords),                 "",
     .help = "... or find its service connection point by all of these, a list"},
    {"scp",                       CLIENT,    VALUE_TEXT,      IN_SERVICE(scp),                      "",                               .check = check_scp,
     .help = "... or name it: DN or objectGUID"},
    {"service_class",             BOTH,      VALUE_TEXT,      IN_SERVICE(service_class),            "",                               .check = check_class,
     .help = "first part of the service principal name, as orders in orders/db.corp"},
    {"keytab",                    SERVER,    VALUE_TEXT,      IN_SERVICE(keytab),                   "",                               .required = true,
     .help = "file with the keys of the service"},
    {"spn",                       SERVER,    VALUE_TEXTS,     IN_SERVICE(spn),                      "",                               .check = check_spn,
     .help = "names a client may ask for; empty: any of service_class"},
    {"allow",                     SERVER,    VALUE_ALLOW,     IN_SERVICE(access),                   "",                               .required = true,
     .help = "who may connect: PRINCIPAL@REALM with *, or group:NAME; a list"},
    {"deny",                      SERVER,    VALUE_DENY,      IN_SERVICE(access),                   "",
     .help = "who may not, whatever allow says; a list"},
    {"proxy_protocol",            SERVER,    VALUE_WORD,      IN_SERVICE(proxy_protocol),           "off",                            .words = proxy_protocols,
     .help = "tell the legacy server who connects: off | v2"},
    {"replay_cache",              SERVER,    VALUE_FLAG,      IN_SERVICE(replay_cache),             "yes",                            .words = yes_or_no,
     .help = "refuse a repeated first message at once: yes | no"},
    {"publish",                   SERVER,    VALUE_FLAG,      IN_SERVICE(publish),                  "no",                             .words = yes_or_no,
     .help = "keep the service connection point up to date: yes | no"},
    {"keywords",                  SERVER,    VALUE_TEXTS,     IN_SERVICE(keywords),                 "",
     .help = "keywords of the service connection point, a list"},
    {"dns_name",                  SERVER,    VALUE_TEXT,      IN_SERVICE(dns_name),                 "",                               .check = check_host,
     .help = "host to publish; empty: the name of this host"},
    {"dns_name_type",             SERVER,    VALUE_WORD,      IN_SERVICE(dns_name_type),            "A",                              .words = dns_name_types,
     .help = "what dns_name is: A | SRV"},
    {"port",                      SERVER,    VALUE_NUMBER,    IN_SERVICE(port),                     "",                               .low = 1, .high = 65535,
     .help = "port to publish; empty: that of accept"},
    {"scp_name",                  SERVER,    VALUE_TEXT,      IN_SERVICE(scp_name),                 "",
     .help = "name of the service connection point; empty: NAME"},
    {"account",                   SERVER,    VALUE_TEXT,      IN_SERVICE(account),                  "",
     .help = "account that holds the names; empty: that of this machine"},
    {"verify_spn",                SERVER,    VALUE_WORD,      IN_SERVICE(verify_spn),               "auto",                           .words = verifications,
     .help = "check the names in the directory at start: auto | require | warn | off"},
    {"spn_format",                CLIENT,    VALUE_WORD,      IN_SERVICE(spn_format),               "host",                           .words = spn_formats,
     .help = "service principal name: host | port | scp | guid"},
    {"spn",                       CLIENT,    VALUE_TEXTS,     IN_SERVICE(spn),                      "",                               .check = check_spn,
     .help = "... or the name itself, with connect"},
    {"allow_host",                CLIENT,    VALUE_TEXTS,     IN_SERVICE(allow_host),               "",                               .check = check_host_pattern,
     .help = "hosts that may offer the service, with *; a list"},
    {"allow_group",               CLIENT,    VALUE_TEXT,      IN_SERVICE(allow_group),              "",
     .help = "group whose computers may offer the service"},
    {"scp_base",                  CLIENT,    VALUE_TEXT,      IN_SERVICE(scp_base),                 "",                               .check = check_dn,
     .help = "container below which service connection points are trusted"},
    {"select",                    CLIENT,    VALUE_WORD,      IN_SERVICE(selection),                "random",                         .words = selections,
     .help = "order of trying several servers: random | listed"},
    {"keytab",                    CLIENT,    VALUE_TEXT,      IN_SERVICE(keytab),                   "",
     .help = "file with the keys of principal, to get tickets with"},
    {"principal",                 CLIENT,    VALUE_TEXT,      IN_SERVICE(principal),                "",
     .help = "who connects"},
    {"ccache",                    CLIENT,    VALUE_TEXT,      IN_SERVICE(ccache),                   "",
     .help = "... or somebody else's credential cache, only read"},
    {"protection",                BOTH,      VALUE_WORD,      IN_SERVICE(protection),               "seal",                           .words = protections,
     .help = "seal | sign; both ends must say the same"},
    {"tunnel",                    BOTH,      VALUE_TEXT,      IN_SERVICE(tunnel),                   "",                               .check = check_label,
     .help = "label that both ends must agree on"},
    {"connect_timeout",           BOTH,      VALUE_DURATION,  IN_SERVICE(connect_timeout),          "10s",                            .low = 10, .high = HOUR,
     .help = "for reaching the other side, all addresses together"},
    {"handshake_timeout",         BOTH,      VALUE_DURATION,  IN_SERVICE(handshake_timeout),        "10s",                            .low = 10, .high = HOUR,
     .help = "until both sides are authenticated"},
    {"close_timeout",             BOTH,      VALUE_DURATION,  IN_SERVICE(close_timeout),            "60s",                            .low = 10, .high = DAY,
     .help = "for the last bytes once a connection ends"},
    {"idle_timeout",              BOTH,      VALUE_DURATION,  IN_SERVICE(idle_timeout),             "off",                            .low = 10, .high = YEAR, .may_be_off = true,
     .help = "ends connections that carried nothing for so long"},
    {"max_lifetime",              BOTH,      VALUE_DURATION,  IN_SERVICE(max_lifetime),             "off",                            .low = 10, .high = YEAR, .may_be_off = true,
     .help = "ends connections that are so old"},
    {"heartbeat",                 BOTH,      VALUE_DURATION,  IN_SERVICE(heartbeat),                "30s",                            .low = 100, .high = HOUR, .may_be_off = true,
     .help = "asks a silent peer whether it lives"},
    {"on_ticket_expiry",          BOTH,      VALUE_WORD,      IN_SERVICE(on_ticket_expiry),         "keep",                           .words = expiry_actions,
     .help = "at the end of the ticket: keep | close"},
    {"max_connections",           BOTH,      VALUE_NUMBER,    IN_SERVICE(max_connections),          "",                               .low = 1, .high = MILLION,
     .help = "of this service; empty: only the limit of [kerbwrap]"},
    {"socket_mode",               BOTH,      VALUE_MODE,      IN_SERVICE(socket_mode),              "0600",
     .help = "permissions of an accept = unix:PATH"},
    {"socket_owner",              BOTH,      VALUE_TEXT,      IN_SERVICE(socket_owner),             "",                               .check = check_owner,
     .help = "... and its owner, USER or USER:GROUP; empty: as created"},
    {"allow_remote_plaintext",    BOTH,      VALUE_FLAG,      IN_SERVICE(allow_remote_plaintext),   "no",                             .words = yes_or_no,
     .help = "lets the unprotected side leave this machine: yes | no"},
};
/* clang-format on */

enum {
    OPTION_COUNT = sizeof options / sizeof options[0]
};
static_assert((int)OPTION_COUNT <= (int)OPTIONS_MAX, "raise OPTIONS_MAX");

size_t
options_count(void)
{
    return OPTION_COUNT;
}

const struct option *
options_at(size_t index)
{
    return &options[index];
}

size_t
options_index(const struct option *option)
{
    return (size_t)(option - options);
}

const struct option *
options_find(enum section section, const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((options[i].sections & section) != 0 &&
            strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

const char *
options_nearest(enum section section, const char *name)
{
    const char *names[OPTION_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((options[i].sections & section) != 0)
            names[count++] = options[i].name;
    }
    return nearest_word(name, names, count);
}
