/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a snapshot: made from a file, held, released. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/draft.h"
#include "config/values.h"

static void
clear_section(unsigned sections, void *settings)
{
    for (size_t i = 0; i < options_count(); i++) {
        if ((options_at(i)->sections & sections) != 0)
            value_clear(options_at(i), settings);
    }
}

static void
config_free(struct config *config)
{
    if (config == NULL)
        return;
    clear_section(SECTION_KERBWRAP, &config->global);
    clear_section(SECTION_DIRECTORY, &config->directory);
    for (size_t i = 0; i < config->service_count; i++) {
        clear_section(SECTION_SERVER | SECTION_CLIENT, &config->services[i]);
        free(config->services[i].name);
    }
    free(config->services);
    free(config->path);
    free(config);
}

static struct config *
config_new(const char *path)
{
    struct config *config = calloc(1, sizeof *config);

    if (config == NULL)
        return NULL;
    config->path = strdup(path);
    if (config->path == NULL) {
        free(config);
        return NULL;
    }
    atomic_init(&config->references, 1);
    return config;
}

/* Defaults that the file itself gives.  Those of the machine stay open. */
static bool
complete(struct service_settings *service)
{
    if (service->role != ROLE_SERVER)
        return true;
    if (service->port == 0 && service->accept.kind == ENDPOINT_TCP)
        service->port = service->accept.port;
    if (*service->scp_name == '\0') {
        char *name = strdup(service->name);
        if (name == NULL)
            return false;
        free(service->scp_name);
        service->scp_name = name;
    }
    return true;
}

static bool
complete_all(struct config *config)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (!complete(&config->services[i]))
            return false;
    return true;
}

struct config *
config_read(FILE *file, const char *path, config_report *report, void *arg)
{
    struct draft draft = {.config = config_new(path)};
    struct findings *findings = &draft.findings;

    if (draft.config == NULL)
        findings->exhausted = true;
    else if (parse_file(&draft, file))
        crosscheck(&draft);
    if (findings->errors == 0 && !findings->exhausted &&
        !complete_all(draft.config))
        findings->exhausted = true;
    findings_report(findings, path, report, arg);
    if (findings->errors > 0 || findings->exhausted) {
        config_free(draft.config);
        draft.config = NULL;
    }
    findings_clear(findings);
    free(draft.services);
    return draft.config;
}

struct config *
config_load(const char *path, config_report *report, void *arg)
{
    struct error err;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        error_set_errno(&err, errno, "cannot read %s", path);
        report(SEVERITY_FAILURE, err.text, arg);
        return NULL;
    }
    struct config *config = config_read(file, path, report, arg);
    fclose(file);
    return config;
}

struct config *
config_hold(struct config *config)
{
    atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
    return config;
}

void
config_release(struct config *config)
{
    if (config == NULL)
        return;
    /* The last holder must see what the others did before they let go. */
    if (atomic_fetch_sub_explicit(&config->references, 1,
                                  memory_order_acq_rel) == 1)
        config_free(config);
}

const char *
role_name(enum role role)
{
    return role == ROLE_SERVER ? "server" : "client";
}

const struct service_settings *
config_find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (strcmp(config->services[i].name, name) == 0)
            return &config->services[i];
    return NULL;
}
