/* SPDX-License-Identifier: BSD-2-Clause */
/* From the option table's words to the publisher's. */
#include "proxy/registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/journal.h"
#include "proxy/inquiry.h"

/* The name that the network knows this machine by, without asking it. */
static void
name_this_host(struct registrar *registrar)
{
    const char *domain = registrar->config->directory.domain;
    char name[HOST_SIZE] = "localhost";

    (void)gethostname(name, sizeof name - 1);
    bool whole = strchr(name, '.') != NULL || *domain == '\0';
    int length = snprintf(registrar->this_host, sizeof registrar->this_host,
                          "%s%s%s", name, whole ? "" : ".",
                          whole ? "" : domain);
    if (length < 0 || (size_t)length >= sizeof registrar->this_host)
        registrar->this_host[0] = '\0';
}

/* The account in the keytab that may write: the one configured, or the
 * computer's. */
static const char *
find_account(const struct registrar *registrar,
             const struct service_settings *service)
{
    const char *account = service->account;

    if (*account != '\0' && keytab_has(&registrar->keys, account))
        return account;
    return keytab_machine(&registrar->keys);
}

static bool
use_server(struct registrar *registrar, const struct service_settings *service,
           unsigned workers, struct error *err)
{
    const char *account = find_account(registrar, service);
    const struct initiator_settings settings = {
        .principal = account,
        .keytab = service->keytab,
    };

    if (account != NULL)
        return credential_new_initiator(&settings, workers,
                                        &registrar->credential, err);
    error_set(err,
              "cannot authenticate to the directory: %s has no key of a "
              "computer's account or of `account`; set `keytab` and "
              "`principal` of [directory], or use an administrator's ticket "
              "by --ccache",
              service->keytab);
    return false;
}

/* Whose credential serves when no service was named. */
static const struct service_settings *
first_service(const struct config *config)
{
    for (size_t i = 0; i < config->service_count; i++) {
        if (config->services[i].role == ROLE_SERVER)
            return &config->services[i];
    }
    return config->services;
}

static bool
find_credential(struct registrar *registrar,
                const struct service_settings *service, const char *ccache,
                unsigned workers, struct error *err)
{
    const struct config *config = registrar->config;
    const struct initiator_settings theirs = {.ccache = ccache};

    if (service == NULL)
        service = first_service(config);
    if (ccache != NULL) {
        if (!credential_new_initiator(&theirs, workers, &registrar->credential,
                                      err))
            return false;
    } else if (service->role == ROLE_CLIENT ||
               *config->directory.keytab != '\0') {
        registrar->credential = inquiry_credential(config, service, workers,
                                                   err);
    } else if (!use_server(registrar, service, workers, err)) {
        return false;
    }
    if (registrar->credential != NULL)
        credential_learn_name(registrar->credential);
    return registrar->credential != NULL;
}

static void
fill_registry(struct registrar *registrar)
{
    const struct directory_settings *directory = &registrar->config->directory;

    registrar->world = (struct directory_world){
        .credential = registrar->credential,
        .timeout_ms = (unsigned)directory->timeout,
    };
    registrar->settings.registry = (struct registry_settings){
        .domain = directory->domain,
        .uris = directory->uri.items,
        .uri_count = directory->uri.count,
        .gc_uris = directory->gc_uri.items,
        .gc_uri_count = directory->gc_uri.count,
        .ops = &directory_real,
        .writes = &directory_real_writes,
        .world = &registrar->world,
    };
}

static void
fill_service(struct registrar *registrar,
             const struct service_settings *service)
{
    struct publish_settings *settings = &registrar->settings;
    const char *machine = keytab_machine(&registrar->keys);

    settings->name = service->name;
    settings->journal = registrar->journal;
    settings->service_class = service->service_class;
    settings->spns = service->spn.items;
    settings->spn_count = service->spn.count;
    settings->account = service->account;
    settings->machine = machine != NULL ? machine : "";
    settings->this_host = registrar->this_host;
    settings->dns_name = service->dns_name;
    settings->srv = service->dns_name_type == DNS_NAME_SRV;
    settings->port = (uint16_t)service->port;
    settings->scp_name = service->scp_name;
    settings->keywords = service->keywords.items;
    settings->keyword_count = service->keywords.count;
}

static bool
set_up(struct registrar *registrar, const struct service_settings *service,
       const char *ccache, unsigned workers, struct error *err)
{
    const struct config *config = registrar->config;
    const struct service_settings *owner = service != NULL
                                               ? service
                                               : first_service(config);

    if (!config->directory.present) {
        error_set(err, "cannot ask a directory: %s has no [directory] section",
                  config->path);
        return false;
    }
    /* An administrator may well publish without the keytab. */
    if (owner->role == ROLE_SERVER &&
        !keytab_read(owner->keytab, &registrar->keys, err) && ccache == NULL &&
        *config->directory.keytab == '\0')
        return false;
    name_this_host(registrar);
    if (!find_credential(registrar, service, ccache, workers, err))
        return false;
    registrar->settings.config = config->path;
    registrar->settings.principal = credential_name(registrar->credential);
    fill_registry(registrar);
    if (service == NULL)
        return true;
    if (!journal_path(config->global.state_dir, service->name,
                      registrar->journal, sizeof registrar->journal)) {
        error_set(err, "cannot use `state_dir`: the path is too long");
        return false;
    }
    fill_service(registrar, service);
    return true;
}

struct registrar *
registrar_new(struct config *config, const struct service_settings *service,
              const char *ccache, unsigned workers, struct error *err)
{
    struct registrar *registrar = calloc(1, sizeof *registrar);

    if (registrar == NULL) {
        error_set(err, "cannot ask the directory: out of memory");
        return NULL;
    }
    registrar->config = config_hold(config);
    if (set_up(registrar, service, ccache, workers, err))
        return registrar;
    registrar_free(registrar);
    return NULL;
}

void
registrar_free(struct registrar *registrar)
{
    if (registrar == NULL)
        return;
    keytab_clear(&registrar->keys);
    credential_release(registrar->credential);
    config_release(registrar->config);
    free(registrar);
}
