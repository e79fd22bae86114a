/* SPDX-License-Identifier: BSD-2-Clause */
/* One thing after the other, said before it is tried. */
#include "proxy/provision.h"

#include <stdio.h>
#include <string.h>

#include "gss/credential.h"
#include "proxy/finder.h"
#include "proxy/gate.h"
#include "proxy/guests.h"
#include "proxy/inquiry.h"

static bool
same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Then its tickets go on. */
static bool
same_credential(const struct service_settings *a,
                const struct service_settings *b)
{
    return a->role == ROLE_CLIENT && b->role == ROLE_CLIENT &&
           same_text(a->keytab, b->keytab) && same_text(a->ccache, b->ccache) &&
           same_text(a->principal, b->principal);
}

static struct credential *
load_credential(const struct provision_settings *set, struct error *err)
{
    const struct service_settings *service = set->service;
    struct credential *credential = NULL;
    char replay_cache[4096];
    struct acceptor_settings acceptor = {
        .keytab = service->keytab,
        .service_class = service->service_class,
    };

    if (service->role == ROLE_CLIENT)
        return service_credential(service, set->workers, err);
    snprintf(replay_cache, sizeof replay_cache, "%s/%s.rcache",
             set->config->global.runtime_dir, service->name);
    if (service->replay_cache)
        acceptor.replay_cache = replay_cache;
    return credential_new_acceptor(&acceptor, set->workers, &credential, err)
               ? credential
               : NULL;
}

static bool
get_finder(const struct provision_settings *set, struct provision *provision,
           struct error *err)
{
    if (!inquiry_is_wanted(set->service))
        return true;
    provision->finder = finder_new(set->config, set->service, set->workers,
                                   err);
    return provision->finder != NULL;
}

static bool
get_credential(const struct provision_settings *set,
               struct provision *provision, struct error *err)
{
    if (set->before != NULL && same_credential(set->service, set->before))
        return true;
    provision->credential = load_credential(set, err);
    return provision->credential != NULL;
}

static bool
get_guests(const struct provision_settings *set, struct provision *provision,
           struct error *err)
{
    if (set->service->accept_user.count == 0)
        return true;
    provision->guests = guests_new(set->service, err);
    return provision->guests != NULL;
}

static bool
get_owner(const struct provision_settings *set, struct provision *provision,
          struct error *err)
{
    return gate_owner(set->service, &set->owner, &provision->owner, err);
}

static const struct {
    const char *doing;
    bool (*get)(const struct provision_settings *set,
                struct provision *provision, struct error *err);
} steps[] = {
    {"reading what is kept of the directory", get_finder},
    {"reading the keytab", get_credential},
    {"looking up `accept_user`", get_guests},
    {"looking up `socket_owner`", get_owner},
};

bool
provision_get(const struct provision_settings *settings,
              struct progress *progress, struct provision *provision_out,
              struct error *err)
{
    const struct service_settings *service = settings->service;
    struct provision provision = {
        .config = settings->config,
        .service = service,
    };

    atomic_store(&progress->whose, service);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        atomic_store(&progress->doing, steps[i].doing);
        if (steps[i].get(settings, &provision, err))
            continue;
        error_prefix(err, "[%s %s]", role_name(service->role), service->name);
        provision_clear(&provision);
        return false;
    }
    *provision_out = provision;
    return true;
}

void
provision_clear(struct provision *provision)
{
    credential_release(provision->credential);
    finder_free(provision->finder);
    guests_free(provision->guests);
    *provision = (struct provision){0};
}
