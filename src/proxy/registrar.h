/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Publishing as the configuration asks for it: the settings of a [server NAME]
 * and of [directory], the credential that writes, and all that must live as
 * long.  For the daemon's registration and for the commands.
 */
#ifndef PROXY_REGISTRAR_H
#define PROXY_REGISTRAR_H

#include <limits.h>

#include "base/error.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/publish.h"
#include "gss/credential.h"
#include "gss/keytab.h"

struct registrar {
    /* held */
    struct config *config;
    struct credential *credential;
    /* owned */
    struct keytab_keys keys; /* of the service; none without one */
    /* plain */
    struct directory_world world;
    struct publish_settings settings; /* borrows all of these */
    char journal[PATH_MAX];
    char this_host[HOST_SIZE];
};

/*
 * service NULL: for the accounts alone.  ccache is the cache of an
 * administrator's ticket ("default": the ambient one); NULL: [directory]'s own
 * credential when it has one, else an account in the keytab of the service, or
 * of the first service that has one.  settings.tell is the caller's to set.
 */
MUST_CHECK struct registrar *registrar_new(
    struct config *config, const struct service_settings *service,
    const char *ccache, unsigned workers, struct error *err);
void registrar_free(struct registrar *registrar); /* NULL is fine */

#endif
