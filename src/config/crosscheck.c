/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function a rule.  A rule looks at what was given rather than at values,
 * so that a wrong value, which was reported already, is not missed as well.
 */
#include "config/draft.h"

#include <stdio.h>
#include <string.h>

/* One section and all that its rules may look at. */
struct scope {
    const struct config *config;
    const struct service_settings *service; /* NULL for [directory] */
    const struct section_keys *keys;
    enum section section;
    struct findings *findings;
};

static const struct key_state *
state_of(const struct scope *scope, const char *key)
{
    return &scope->keys
                ->states[options_index(options_find(scope->section, key))];
}

static bool
given(const struct scope *scope, const char *key)
{
    return state_of(scope, key)->given;
}

/* Where to point for key: at it, or at the section that lacks it. */
static unsigned
line_of(const struct scope *scope, const char *key)
{
    unsigned line = state_of(scope, key)->line;

    return line != 0 ? line : scope->keys->line;
}

#define refuse(scope, key, ...)                                                \
    findings_add((scope)->findings, SEVERITY_ERROR, line_of((scope), (key)),   \
                 __VA_ARGS__)
#define warn(scope, key, ...)                                                  \
    findings_add((scope)->findings, SEVERITY_WARNING, line_of((scope), (key)), \
                 __VA_ARGS__)

/* "[server NAME]" */
static struct shown
title(const struct scope *scope)
{
    const char *name = scope->service->name;
    char text[128];

    snprintf(text, sizeof text, "[%s%s%s]", role_name(scope->service->role),
             *name != '\0' ? " " : "", name);
    return finding_show(text);
}

static void
check_required(const struct scope *scope)
{
    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        if ((option->sections & scope->section) != 0 && option->required &&
            !scope->keys->states[i].given)
            refuse(scope, option->name, "%s lacks `%s`: %s", title(scope).text,
                   option->name, option->help);
    }
}

static void
check_class_or_spn(const struct scope *scope)
{
    if (!given(scope, "service_class") && !given(scope, "spn"))
        refuse(scope, "service_class", "%s lacks `service_class` or `spn`",
               title(scope).text);
}

static const char *
later_of(const struct scope *scope, const char *a, const char *b)
{
    return line_of(scope, a) > line_of(scope, b) ? a : b;
}

/* What stands behind a server: exactly one of two. */
static void
check_application(const struct scope *scope)
{
    const struct text_list *exec = &scope->service->exec;

    if (!given(scope, "connect") && !given(scope, "exec"))
        refuse(scope, "connect", "%s lacks one of `connect` and `exec`",
               title(scope).text);
    if (given(scope, "connect") && given(scope, "exec"))
        refuse(scope, later_of(scope, "connect", "exec"),
               "`connect` and `exec` exclude each other: is the legacy server "
               "connected to or started?");
    if (exec->count > 0 && exec->items[0][0] != '/')
        refuse(scope, "exec",
               "`exec`: cannot use \"%s\": write the program's absolute path",
               finding_show(exec->items[0]).text);
    if (exec->count > 0 && scope->service->proxy_protocol != PROXY_OFF)
        refuse(scope, "proxy_protocol",
               "`proxy_protocol` goes with `connect` only: a program finds who "
               "connects in its environment");
}

/* Where the server is to be found: exactly one way. */
static void
check_target(const struct scope *scope)
{
    static const char *const ways[] = {"keywords", "scp", "connect"};
    const char *way = NULL;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (!given(scope, ways[i]))
            continue;
        if (way != NULL)
            refuse(scope, later_of(scope, way, ways[i]),
                   "`%s` and `%s` exclude each other: keep one of `keywords`, "
                   "`scp` and `connect`",
                   way, ways[i]);
        way = ways[i];
    }
    if (way == NULL)
        refuse(scope, "connect",
               "%s lacks one of `keywords`, `scp` and `connect`",
               title(scope).text);
}

static void
check_client_spn(const struct scope *scope)
{
    const struct service_settings *service = scope->service;

    if (service->spn.count > 1)
        refuse(scope, "spn", "`spn` of a client is one name");
    if (given(scope, "spn") && !given(scope, "connect"))
        refuse(scope, "spn",
               "`spn` goes with `connect` only: in the directory the name "
               "follows from `service_class` and `spn_format`");
    if (given(scope, "connect") && (service->spn_format == SPN_FORMAT_SCP ||
                                    service->spn_format == SPN_FORMAT_GUID))
        refuse(scope, "spn_format",
               "`spn_format = scp` and `guid` need `keywords` or `scp`: with "
               "`connect` there is no service connection point");
    for (size_t i = 0; i < service->connect.count; i++) {
        if (service->connect.items[i].kind == ENDPOINT_UNIX &&
            !given(scope, "spn"))
            refuse(scope, "connect",
                   "a Unix socket has no host to make the service principal "
                   "name of: set `spn`");
    }
}

/* What reads as a restriction but restricts nothing. */
static void
warn_of_idle_anchors(const struct scope *scope)
{
    static const char *const anchors[] = {"allow_host", "allow_group",
                                          "scp_base"};

    for (size_t i = 0; i < sizeof anchors / sizeof anchors[0]; i++) {
        if (given(scope, anchors[i]) && given(scope, "connect"))
            warn(scope, anchors[i], "`%s` has no effect with `connect`",
                 anchors[i]);
    }
}

/* Who may be believed, and who is asked. */
static void
check_discovery(const struct scope *scope)
{
    if (given(scope, "keywords") && !given(scope, "allow_host") &&
        !given(scope, "allow_group") && !given(scope, "scp_base"))
        refuse(scope, "keywords",
               "`keywords` needs at least one of `allow_host`, `allow_group` "
               "and `scp_base`: any computer can publish any keywords");
    for (size_t i = 0; i < scope->service->allow_host.count; i++) {
        const char *host = scope->service->allow_host.items[i];
        if (strchr(host, '*') != NULL)
            warn(scope, "allow_host",
                 "any computer whose name matches `%s` can offer this service",
                 finding_show(host).text);
    }
    warn_of_idle_anchors(scope);
    if (scope->config->directory.present)
        return;
    if (given(scope, "keywords"))
        refuse(scope, "keywords", "`keywords` needs a [directory] section");
    if (given(scope, "scp"))
        refuse(scope, "scp", "`scp` needs a [directory] section");
}

static void
check_publishing(const struct scope *scope)
{
    const struct service_settings *service = scope->service;

    if (service->dns_name_type == DNS_NAME_SRV && !given(scope, "dns_name"))
        refuse(scope, "dns_name_type",
               "`dns_name_type = SRV` needs `dns_name`: the name of the SRV "
               "records");
    if (service->publish && !given(scope, "service_class"))
        refuse(scope, "publish", "`publish = yes` needs `service_class`");
    if (service->publish && service->accept.kind != ENDPOINT_TCP &&
        !given(scope, "port"))
        refuse(scope, "publish",
               "`publish = yes` needs `port`: `accept` has none");
    if (scope->config->directory.present)
        return;
    if (service->publish)
        refuse(scope, "publish", "`publish = yes` needs a [directory] section");
    if (service->verify_spn == VERIFY_SPN_REQUIRE ||
        service->verify_spn == VERIFY_SPN_WARN)
        refuse(scope, "verify_spn",
               "`verify_spn` needs a [directory] section unless it is auto or "
               "off");
}

static void
check_client_credential(const struct scope *scope)
{
    bool keytab = given(scope, "keytab");
    bool principal = given(scope, "principal");
    bool ccache = given(scope, "ccache");

    if (ccache && (keytab || principal))
        refuse(scope, "ccache",
               "`ccache` excludes `keytab` and `principal`: tickets come from "
               "one of the two");
    else if (keytab && !principal)
        refuse(scope, "keytab",
               "`keytab` needs `principal`: whose keys to use");
    else if (principal && !keytab)
        refuse(scope, "principal",
               "`principal` needs `keytab`: where its keys are");
    else if (!keytab && !ccache)
        refuse(scope, "keytab",
               "%s lacks a credential: set `keytab` and `principal`, "
               "or `ccache`",
               title(scope).text);
}

/* One address of the side that is not sealed. */
static void
check_plaintext(const struct scope *scope, const char *key,
                const struct endpoint *endpoint)
{
    char text[ENDPOINT_TEXT_SIZE];

    if (endpoint->host[0] == '\0' && endpoint->path[0] == '\0')
        return; /* none, or a wrong one */
    endpoint_format(endpoint, text, sizeof text);
    if (endpoint->kind == ENDPOINT_UNIX)
        warn(scope, key,
             "`%s = %s`: a Unix socket cannot be reset, so the application "
             "sees a truncated stream as a clean end",
             key, finding_show(text).text);
    if (!endpoint_is_local(endpoint) && !scope->service->allow_remote_plaintext)
        refuse(scope, key,
               "`%s = %s` would let plaintext leave this machine: use a "
               "loopback address or unix:PATH, or set "
               "`allow_remote_plaintext = yes`",
               key, finding_show(text).text);
}

static void
check_socket(const struct scope *scope)
{
    if (given(scope, "socket_owner") && given(scope, "accept") &&
        scope->service->accept.kind != ENDPOINT_UNIX)
        warn(scope, "socket_owner",
             "`socket_owner` has no effect: `accept` is not unix:PATH");
}

static void
check_server_plaintext(const struct scope *scope)
{
    for (size_t i = 0; i < scope->service->connect.count; i++)
        check_plaintext(scope, "connect", &scope->service->connect.items[i]);
}

/* Whoever reaches the application's socket can claim to be anyone. */
static void
check_proxy_protocol(const struct scope *scope)
{
    const struct endpoint_list *connect = &scope->service->connect;
    char text[ENDPOINT_TEXT_SIZE];

    for (size_t i = 0; i < connect->count; i++) {
        if (scope->service->proxy_protocol == PROXY_OFF ||
            connect->items[i].kind != ENDPOINT_TCP)
            continue;
        endpoint_format(&connect->items[i], text, sizeof text);
        warn(scope, "proxy_protocol",
             "`proxy_protocol = v2` to %s: whoever can connect there, as every "
             "local user can to a loopback address, can send such a header and "
             "be anyone; use unix:PATH with permissions",
             finding_show(text).text);
    }
}

static void
check_client_plaintext(const struct scope *scope)
{
    check_plaintext(scope, "accept", &scope->service->accept);
}

typedef void rule(const struct scope *scope);

static rule *const server_rules[] = {
    check_required,         check_class_or_spn,   check_publishing,
    check_server_plaintext, check_proxy_protocol, check_socket,
    check_application,
};

static rule *const client_rules[] = {
    check_required,         check_class_or_spn, check_target,
    check_client_spn,       check_discovery,    check_client_credential,
    check_client_plaintext, check_socket,
};

static void
check_service(struct draft *draft, size_t index)
{
    const struct service_settings *service = &draft->config->services[index];
    bool server = service->role == ROLE_SERVER;
    struct scope scope = {
        .config = draft->config,
        .service = service,
        .keys = &draft->services[index],
        .section = server ? SECTION_SERVER : SECTION_CLIENT,
        .findings = &draft->findings,
    };

    if (server) {
        for (size_t i = 0; i < sizeof server_rules / sizeof *server_rules; i++)
            server_rules[i](&scope);
    } else {
        for (size_t i = 0; i < sizeof client_rules / sizeof *client_rules; i++)
            client_rules[i](&scope);
    }
}

static void
check_directory(struct draft *draft)
{
    const struct scope scope = {
        .config = draft->config,
        .keys = &draft->directory,
        .section = SECTION_DIRECTORY,
        .findings = &draft->findings,
    };

    if (!draft->config->directory.present)
        return;
    if (!given(&scope, "domain") && !given(&scope, "uri"))
        refuse(&scope, "domain", "[directory] lacks `domain` or `uri`");
    if (given(&scope, "keytab") && !given(&scope, "principal"))
        refuse(&scope, "keytab",
               "`keytab` needs `principal`: whose keys to "
               "use");
    if (given(&scope, "principal") && !given(&scope, "keytab"))
        refuse(&scope, "principal",
               "`principal` needs `keytab`: where its keys are");
}

static void
check_process(struct draft *draft)
{
    const struct scope scope = {
        .config = draft->config,
        .keys = &draft->kerbwrap,
        .section = SECTION_KERBWRAP,
        .findings = &draft->findings,
    };

    if (given(&scope, "group") && !given(&scope, "user"))
        refuse(&scope, "group", "`group` needs `user`: who to become");
}

void
crosscheck(struct draft *draft)
{
    if (draft->config->service_count == 0) {
        findings_add(&draft->findings, SEVERITY_ERROR, 0,
                     "at least one [server NAME] or [client NAME] is needed");
        return;
    }
    check_process(draft);
    check_directory(draft);
    for (size_t i = 0; i < draft->config->service_count; i++)
        check_service(draft, i);
    check_unique(draft);
}
