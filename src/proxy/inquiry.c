/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the option table's words to the lookup's.
 */
#include "proxy/inquiry.h"

#include <stdlib.h>

#include "directory/question.h"

bool
inquiry_is_wanted(const struct service_settings *service)
{
    return service->role == ROLE_CLIENT && service->connect.count == 0;
}

static const char *
or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

struct credential *
service_credential(const struct service_settings *service, unsigned workers,
                   struct error *err)
{
    struct credential *credential = NULL;
    const struct initiator_settings settings = {
        .principal = or_null(service->principal),
        .keytab = or_null(service->keytab),
        .ccache = or_null(service->ccache),
    };

    return credential_new_initiator(&settings, workers, &credential, err)
               ? credential
               : NULL;
}

struct credential *
inquiry_credential(const struct config *config,
                   const struct service_settings *service, unsigned workers,
                   struct error *err)
{
    const struct directory_settings *directory = &config->directory;
    struct credential *credential = NULL;
    const struct initiator_settings settings = {
        .principal = or_null(directory->principal),
        .keytab = or_null(directory->keytab),
    };

    if (settings.keytab == NULL)
        return service_credential(service, workers, err);
    if (credential_new_initiator(&settings, workers, &credential, err))
        return credential;
    error_prefix(err, "[directory]");
    return NULL;
}

static void
fill_settings(struct lookup_settings *settings, const struct config *config,
              const struct service_settings *service)
{
    const struct directory_settings *directory = &config->directory;

    *settings = (struct lookup_settings){
        .domain = directory->domain,
        .uris = directory->uri.items,
        .uri_count = directory->uri.count,
        .gc_uris = directory->gc_uri.items,
        .gc_uri_count = directory->gc_uri.count,
        .base = directory->base,
        .service_class = service->service_class,
        .keywords = service->keywords.items,
        .keyword_count = service->keywords.count,
        .scp = service->scp,
        .spn_format = service->spn_format,
        .allow_host = service->allow_host.items,
        .allow_host_count = service->allow_host.count,
        .allow_group = service->allow_group,
        .scp_base = service->scp_base,
        .identity = "",
        .kdc_lane = "",
    };
}

struct inquiry *
inquiry_new(struct config *config, const struct service_settings *service,
            struct credential *credential, struct error *err)
{
    struct inquiry *inquiry = calloc(1, sizeof *inquiry);
    struct lookup_settings *settings;

    if (inquiry == NULL) {
        error_set(err, "cannot look for a server: out of memory");
        return NULL;
    }
    inquiry->config = config_hold(config);
    inquiry->credential = credential_hold(credential);
    inquiry->world.credential = credential;
    inquiry->world.timeout_ms = (unsigned)config->directory.timeout;
    credential_lane(credential, inquiry->lane, sizeof inquiry->lane);
    settings = &inquiry->settings;
    fill_settings(settings, config, service);
    settings->identity = credential_name(credential);
    settings->kdc_lane = inquiry->lane;
    settings->ops = &directory_real;
    settings->world = &inquiry->world;
    inquiry->lookup = lookup_new(settings, err);
    if (inquiry->lookup == NULL) {
        inquiry_free(inquiry);
        return NULL;
    }
    return inquiry;
}

void
inquiry_free(struct inquiry *inquiry)
{
    if (inquiry == NULL)
        return;
    lookup_free(inquiry->lookup);
    credential_release(inquiry->credential);
    config_release(inquiry->config);
    free(inquiry);
}

char *
inquiry_question(const struct config *config,
                 const struct service_settings *service, struct error *err)
{
    struct lookup_settings settings;

    fill_settings(&settings, config, service);
    return question_text(&settings, err);
}
