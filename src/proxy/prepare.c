/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root is needed for, before `user =` counts: directories, descriptors,
 * sockets.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/directories.h"
#include "proxy/gate.h"
#include "proxy/server_parts.h"

enum {
    PATIENCE_S = 30
};

static bool
bind_all(struct server *server, struct error *err)
{
    const struct config *config = server->config;

    server->host.bound = calloc(config->service_count,
                                sizeof(struct listener *));
    if (server->host.bound == NULL) {
        error_set(err, "cannot listen: out of memory");
        return false;
    }
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *service = &config->services[i];
        struct owner owner;
        if (gate_owner(service, &server->host.owner, &owner, err))
            server->host.bound[i] = gate_open(service, &service->accept, &owner,
                                              NULL, err);
        if (server->host.bound[i] == NULL) {
            error_prefix(err, "[%s %s]", role_name(service->role),
                         service->name);
            return false;
        }
    }
    return true;
}

void
server_forget_bound(struct server *server)
{
    struct listener **bound = server->host.bound;

    for (size_t i = 0; bound != NULL && i < server->config->service_count; i++)
        listener_free(bound[i]);
    free(bound);
    server->host.bound = NULL;
}

static bool
offer_status(struct server *server, struct error *err)
{
    const struct endpoint *endpoint = &server->config->global.status;
    const struct socket_permissions ours = {0600, server->host.owner};

    if (!server->config->global.status_enabled)
        return true;
    server->status = status_new(server, err);
    if (server->status == NULL)
        return false;
    return endpoint->kind != ENDPOINT_UNIX || geteuid() != 0 ||
           socket_set_permissions(endpoint->path, &ours, err);
}

static bool
find_identity(struct server *server, struct identity *identity,
              struct error *err)
{
    const struct global_settings *global = &server->config->global;

    if (!identity_find(global->user, global->group, identity, err)) {
        error_prefix(err, "`user`");
        return false;
    }
    if (!privileges_can_become(identity, err))
        return false;
    if (geteuid() == 0)
        server->host.owner = (struct owner){identity->user, identity->group};
    return true;
}

static void
on_alarm(int number)
{
    static const char text[] =
        "kerbwrap: no answer within 30 s while looking up `user`, `group` or "
        "`socket_owner`, or making directories; see nsswitch.conf(5)\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(EXIT_FAILURE);
}

/* There is no pool yet, nor may there be. */
static bool
prepare(struct server *server, struct identity *identity, struct error *err)
{
    signal(SIGALRM, on_alarm);
    alarm(PATIENCE_S);
    bool done = find_identity(server, identity, err) &&
                directories_make(server->config, &server->host.owner, err) &&
                bind_all(server, err);
    alarm(0);
    signal(SIGALRM, SIG_DFL);
    return done;
}

bool
server_confine(struct server *server, struct error *err)
{
    struct identity identity;

    if (!prepare(server, &identity, err) || !offer_status(server, err))
        return false;
    server_raise_descriptors(server->config);
    server->confinement = confine(server->config, &identity, err);
    return server->confinement != NULL;
}
