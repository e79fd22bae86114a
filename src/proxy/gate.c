/* SPDX-License-Identifier: BSD-2-Clause */
/* What of it the file can not say is found out here: owners, and what systemd
 * handed over. */
#include "proxy/gate.h"

static bool
is_fit(const struct service_settings *settings, const struct listener *listener,
       struct error *err)
{
    if (settings->role == ROLE_SERVER || settings->allow_remote_plaintext ||
        settings->accept.kind != ENDPOINT_FD || listener_is_local(listener))
        return true;
    error_set(err,
              "`accept = fd:%s` listens on %s, which would let plaintext leave "
              "this machine: hand over a loopback address or a Unix socket, "
              "or set `allow_remote_plaintext = yes`",
              settings->accept.path, listener_address(listener));
    return false;
}

bool
gate_owner(const struct service_settings *settings, const struct owner *owner,
           struct owner *owner_out, struct error *err)
{
    if (settings->accept.kind != ENDPOINT_UNIX ||
        settings->socket_owner[0] == '\0') {
        *owner_out = *owner;
        return true;
    }
    if (users_find_owner(settings->socket_owner, owner_out, err))
        return true;
    error_prefix(err, "`socket_owner`");
    return false;
}

struct listener *
gate_open(const struct service_settings *settings,
          const struct endpoint *accept, const struct owner *owner,
          const struct listener *predecessor, struct error *err)
{
    const struct socket_permissions permissions = {
        .mode = settings->socket_mode,
        .owner = *owner,
    };

    struct listener *listener = listener_new(accept, &permissions, predecessor,
                                             err);
    if (listener != NULL && settings->role == ROLE_CLIENT)
        listener_arm_reset(listener);
    if (listener == NULL || is_fit(settings, listener, err))
        return listener;
    listener_free(listener);
    return NULL;
}
