/* SPDX-License-Identifier: BSD-2-Clause */
/* publish, unpublish, and `spn check`: what becomes of a [server NAME] in the
 * directory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/cli.h"
#include "directory/publish.h"
#include "proxy/registrar.h"

/* Results on standard output, what went wrong on standard error. */
static void
tell(enum publish_news news, const char *text, void *arg)
{
    const struct cli_options *options = arg;

    switch (news) {
    case PUBLISH_STEP:
        printf("%s%s\n", options->dry_run ? "would " : "done: ", text);
        break;
    case PUBLISH_RESULT:
        printf("%s\n", text);
        break;
    case PUBLISH_UNDONE:
        cli_complain("taken back: %s", text);
        break;
    case PUBLISH_WARNING:
        cli_complain("%s", text);
        break;
    case PUBLISH_COMMAND:
        cli_complain("an administrator can run: %s", text);
        break;
    }
    fflush(stdout);
}

static const struct service_settings *
find_server(const struct config *config, const char *name)
{
    const struct service_settings *service = config_find(config, name);
    char shown[64];

    if (service != NULL && service->role == ROLE_SERVER)
        return service;
    cli_complain("no [server %s] in %s",
                 text_sanitize(name, strlen(name), shown, sizeof shown),
                 config->path);
    return NULL;
}

/* What an SCP cannot do without. */
static bool
can_be_published(const struct service_settings *service)
{
    if (*service->service_class == '\0') {
        cli_complain("cannot publish %s: set `service_class`", service->name);
        return false;
    }
    if (service->port == 0 && service->dns_name_type == DNS_NAME_A &&
        (service->accept.kind != ENDPOINT_TCP || service->accept.port == 0)) {
        cli_complain("cannot publish %s: `accept` has no port that can be "
                     "known; set `port`",
                     service->name);
        return false;
    }
    return true;
}

static bool
make_state_dir(const struct config *config)
{
    const char *path = config->global.state_dir;

    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    cli_complain("cannot make the directory %s: %s; create it or set "
                 "`state_dir`",
                 path, strerror(errno));
    return false;
}

typedef enum publish_status publishing_work(struct registrar *registrar,
                                            struct error *err);

static enum publish_status
do_publish(struct registrar *registrar, struct error *err)
{
    return publish(&registrar->settings, err);
}

static enum publish_status
do_unpublish(struct registrar *registrar, struct error *err)
{
    return unpublish(&registrar->settings, err);
}

static enum publish_status
do_check(struct registrar *registrar, struct error *err)
{
    return publish_check(&registrar->settings, &registrar->keys, err);
}

static int
work_on(struct config *config, const struct service_settings *service,
        struct cli_options *options, publishing_work *work)
{
    struct error error;
    struct registrar *registrar = NULL;
    int status = CLI_FAILED;

    if (directory_init(&error))
        registrar = registrar_new(config, service, options->ccache, 1, &error);
    if (registrar != NULL) {
        registrar->settings.tell = tell;
        registrar->settings.arg = options;
        registrar->settings.flags =
            (options->dry_run ? (unsigned)PUBLISH_DRY_RUN : 0) |
            (options->force ? (unsigned)PUBLISH_FORCE : 0);
        if (work(registrar, &error) == PUBLISH_DONE)
            status = CLI_DONE;
    }
    if (status != CLI_DONE)
        cli_complain("%s", error.text);
    registrar_free(registrar);
    return status;
}

static int
command(int argc, char **argv, publishing_work *work)
{
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    struct config *config = config_load(options.config, cli_report_errors,
                                        NULL);
    if (config == NULL)
        return CLI_USAGE;
    const struct service_settings *service = find_server(config, options.name);
    if (service == NULL || !can_be_published(service))
        status = CLI_USAGE;
    else if (work != do_check && !options.dry_run && !make_state_dir(config))
        status = CLI_FAILED;
    else
        status = work_on(config, service, &options, work);
    config_release(config);
    return status;
}

int
command_publish(int argc, char **argv)
{
    return command(argc, argv, do_publish);
}

int
command_unpublish(int argc, char **argv)
{
    return command(argc, argv, do_unpublish);
}

int
command_spn_check(int argc, char **argv)
{
    return command(argc, argv, do_check);
}
