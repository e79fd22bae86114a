/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on this machine: listeners, the application, files, rules.  Nobody is
 * connected to: a connection to a client's listener would go through.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/socket.h"
#include "doctor/checks.h"
#include "doctor/holder.h"
#include "gss/membership.h"

enum {
    HOLDER_SIZE = 80
};

/* --- listeners ----------------------------------------------------------- */

static bool
is_kerbwrap(const struct holder *holder)
{
    return strcmp(holder->program, "kerbwrap") == 0;
}

/* Somebody has the address already. */
static void
tell_holder(struct visit *visit, const char *where,
            const struct address *address)
{
    struct holder holder;
    char who[HOLDER_SIZE];

    if (!holder_find(address, &holder)) {
        visit_fail(visit, NULL, "cannot listen at %s: it is in use", where);
        return;
    }
    holder_format(&holder, who, sizeof who);
    if (is_kerbwrap(&holder) || holder.pid == 0) {
        visit->patient->is_running = true;
        visit_ok(visit, "%s listens at %s", who, where);
    } else {
        visit_fail(visit, NULL, "cannot listen at %s: %s does", where, who);
    }
}

static int
try_bind(const struct address *address)
{
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1, only6 = 1, number = 0;

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->storage.ss_family == AF_INET6) {
        only6 = !IN6_IS_ADDR_UNSPECIFIED(&ipv6->sin6_addr);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6);
    }
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) !=
        0)
        number = errno;
    close(fd);
    return number;
}

static void
check_tcp_listener(struct visit *visit, const char *where,
                   const struct address *address)
{
    struct holder holder;
    int number = try_bind(address);

    /* Who listens with SO_REUSEADDR lets others bind, and no more. */
    if (number == EADDRINUSE || (number == 0 && holder_find(address, &holder)))
        tell_holder(visit, where, address);
    else if (number == EADDRNOTAVAIL)
        visit_fail(visit, "choose one of `ip address`, or [::] for all",
                   "cannot listen at %s: this machine has no such address",
                   where);
    else if (number == EACCES)
        visit_fail(visit,
                   "give kerbwrap CAP_NET_BIND_SERVICE, or choose a port from "
                   "1024 on",
                   "cannot listen at %s: this user may not use a port that low",
                   where);
    else if (number != 0)
        visit_fail(visit, NULL, "cannot listen at %s: %s", where,
                   strerror(number));
    else
        visit_ok(visit, "%s is free, kerbwrap does not run there", where);
}

static void
check_unix_listener(struct visit *visit, const char *where, const char *path,
                    const struct address *address)
{
    struct holder holder;
    char parent[PATH_MAX];
    struct stat found;

    snprintf(parent, sizeof parent, "%s", path);
    const char *folder = dirname(parent);
    if (lstat(path, &found) == 0 && !S_ISSOCK(found.st_mode))
        visit_fail(visit, "move it away, or choose another path",
                   "cannot listen at %s: a file that is not a socket is there",
                   where);
    else if (holder_find(address, &holder))
        tell_holder(visit, where, address);
    else if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
        visit_fail(visit,
                   "create the directory for the user kerbwrap runs as, or "
                   "choose another path",
                   "cannot make the socket %s: %s: %s", path, folder,
                   strerror(errno));
    else
        visit_ok(visit, "%s is free, kerbwrap does not run there", where);
}

static void
check_listener(struct visit *visit, const struct endpoint *endpoint)
{
    char where[ENDPOINT_TEXT_SIZE];
    struct address address;
    struct error error;
    size_t count;

    endpoint_format(endpoint, where, sizeof where);
    if (endpoint->kind == ENDPOINT_FD)
        visit_skip(visit, "%s is handed over when kerbwrap starts", where);
    else if (endpoint->kind == ENDPOINT_TCP && endpoint->port == 0)
        visit_ok(visit, "%s takes a port that is free", where);
    else if (!endpoint_resolve(endpoint, &address, 1, &count, &error))
        visit_fail(visit, "choose an address of this machine", "%s",
                   error.text);
    else if (endpoint->kind == ENDPOINT_UNIX)
        check_unix_listener(visit, where, endpoint->path, &address);
    else
        check_tcp_listener(visit, where, &address);
}

void
examine_accept(struct visit *visit)
{
    check_listener(visit, &visit->patient->service->accept);
}

bool
has_status(const struct patient *patient)
{
    return patient->settings->config->global.status_enabled;
}

void
examine_status(struct visit *visit)
{
    check_listener(visit, &visit->patient->settings->config->global.status);
}

/* --- the application ----------------------------------------------------- */

/* As far as this user goes; the one of `user` is asked about by its own check. */
static bool
may_connect(const struct endpoint *endpoint, const char *where,
            struct error *why)
{
    if (endpoint->kind != ENDPOINT_UNIX ||
        faccessat(AT_FDCWD, endpoint->path, W_OK, AT_EACCESS) == 0 ||
        errno == ENOENT)
        return true;
    error_set_errno(why, errno, "this user may not connect to %s", where);
    return false;
}

/* Is it there?  why: "" when that cannot be seen from here. */
static bool
is_listening(const struct endpoint *endpoint, struct error *why)
{
    char where[ENDPOINT_TEXT_SIZE];
    struct address addresses[4];
    struct holder ignored;
    size_t count;

    endpoint_format(endpoint, where, sizeof where);
    error_set(why, "%s", "");
    if (!endpoint_is_local(endpoint))
        return false;
    if (!endpoint_resolve(endpoint, addresses, 4, &count, why) ||
        !may_connect(endpoint, where, why))
        return false;
    for (size_t i = 0; i < count; i++)
        if (holder_find(&addresses[i], &ignored))
            return true;
    error_set(why, "nothing listens at %s", where);
    return false;
}

static void
check_program(struct visit *visit, const char *program)
{
    if (faccessat(AT_FDCWD, program, X_OK, AT_EACCESS) == 0)
        visit_ok(visit, "%s can be started", program);
    else
        visit_fail(visit, "correct exec, or the program's permissions",
                   "the program %s cannot be started: %s", program,
                   strerror(errno));
}

static void
check_listeners(struct visit *visit, const struct endpoint_list *list)
{
    char where[ENDPOINT_TEXT_SIZE];
    struct error why, first = {.text = ""};
    size_t there = 0, unseen = 0;

    for (size_t i = 0; i < list->count; i++) {
        bool listens = is_listening(&list->items[i], &why);
        there += listens;
        unseen += !listens && why.text[0] == '\0';
        if (!listens && first.text[0] == '\0')
            first = why;
    }
    endpoint_format(&list->items[0], where, sizeof where);
    if (there == list->count)
        visit_ok(visit, "something listens at %s", where);
    else if (there == 0 && unseen == 0)
        visit_fail(visit, NULL, "the application cannot be reached: %s",
                   first.text);
    else if (unseen > 0)
        visit_skip(visit, "not tried, because %s is not on this machine",
                   where);
    else
        visit_warn(visit, NULL, "only %zu of %zu applications listen: %s",
                   there, list->count, first.text);
}

void
examine_application(struct visit *visit)
{
    const struct service_settings *service = visit->patient->service;

    if (service->exec.count > 0)
        check_program(visit, service->exec.items[0]);
    else if (service->connect.count > 0)
        check_listeners(visit, &service->connect);
}

/* --- files and rules ----------------------------------------------------- */

bool
has_replay_cache(const struct patient *patient)
{
    return patient->service->replay_cache;
}

void
examine_replay_cache(struct visit *visit)
{
    const struct patient *patient = visit->patient;
    char path[PATH_MAX];
    struct stat found;

    snprintf(path, sizeof path, "%s/%s.rcache",
             patient->settings->config->global.runtime_dir,
             patient->service->name);
    if (lstat(path, &found) != 0)
        visit_ok(visit, "%s will be made", path);
    else if (!S_ISREG(found.st_mode))
        visit_fail(visit, NULL,
                   "cannot write the replay cache %s: it is no file", path);
    else if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        visit_fail(visit, NULL, "cannot write the replay cache %s: %s", path,
                   strerror(errno));
    else
        visit_ok(visit, "%s can be written", path);
}

bool
has_principal(const struct patient *patient)
{
    return patient->settings->principal != NULL;
}

/* Groups are those of the local user, as the daemon asks for them. */
void
examine_rules(struct visit *visit)
{
    const struct doctor_settings *settings = visit->patient->settings;
    const char *who = settings->principal_text, *rule;
    struct membership membership;
    const struct access_oracle oracle = {membership_of, &membership};

    membership_find(who, &membership);
    switch (access_decide(&visit->patient->service->access, settings->principal,
                          &oracle, &rule)) {
    case ACCESS_ALLOWED:
        visit_ok(visit, "%s is let in by the rule %s", who, rule);
        break;
    case ACCESS_DENIED:
        visit_fail(visit, NULL, "%s is kept out by the rule deny = %s", who,
                   rule);
        break;
    case ACCESS_NO_RULE:
        visit_fail(visit, NULL, "%s is kept out: no rule of allow names it%s%s",
                   who, membership.why.text[0] != '\0' ? "; " : "",
                   membership.why.text);
        break;
    case ACCESS_UNTOLD:
        visit_fail(visit, "see that the name service answers (nsswitch.conf)",
                   "%s is kept out: nobody can tell if the rule deny = %s "
                   "matches: %s",
                   who, rule, membership.why.text);
        break;
    case ACCESS_AMBIGUOUS:
    case ACCESS_ASKS:
    default:
        visit_fail(visit, "let it use another account",
                   "%s is kept out: WELLKNOWN principals and names that hold "
                   "an '@' always are",
                   who);
        break;
    }
    membership_clear(&membership);
}
