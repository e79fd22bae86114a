/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kerbwrap connect`: one connection on standard input and output, by a
 * [client NAME] of the file, or by arguments, which are made into such a section
 * so that they are checked by the same rules.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "directory/directory.h"
#include "proxy/single.h"

enum {
    SECTION_SIZE = 4096,
    LOG_CLOSE_MS = 1000,
};

/* What cannot be said on one line of a file without changing its meaning. */
static bool
is_plain(const char *value)
{
    if (*value == ';' || *value == '#')
        return false;
    for (; *value != '\0'; value++)
        if (isspace((unsigned char)*value) || iscntrl((unsigned char)*value))
            return false;
    return true;
}

struct section {
    char text[SECTION_SIZE];
    size_t used;
    bool good;
};

static void
add(struct section *section, const char *key, const char *value)
{
    char shown[64];

    if (value == NULL || !section->good)
        return;
    int n = snprintf(section->text + section->used,
                     SECTION_SIZE - section->used, "%s = %s\n", key, value);
    section->used += n > 0 ? (size_t)n : 0;
    section->good = is_plain(value) && section->used < SECTION_SIZE;
    if (!section->good)
        cli_complain("cannot use \"%s\" as %s: it is too long, or holds a "
                     "blank, a control character, or a comment",
                     text_sanitize(value, strlen(value), shown, sizeof shown),
                     key);
}

/* Only what is more than a warning: this is no check of a file. */
static void
report(enum severity severity, const char *text, void *arg)
{
    if (severity != SEVERITY_WARNING)
        cli_report_errors(severity, text, arg);
}

static struct config *
config_of(struct section *section)
{
    FILE *file = fmemopen(section->text, section->used, "r");

    if (file == NULL) {
        cli_complain("out of memory");
        return NULL;
    }
    struct config *config = config_read(file, "arguments", report, NULL);
    fclose(file);
    return config;
}

/* CLASS/HOST:PORT. */
static struct config *
config_of_arguments(const struct cli_options *options)
{
    struct section section = {.good = true};
    const char *slash = strchr(options->name, '/');
    char *class = strndup(options->name, (size_t)(slash - options->name));
    struct config *config = NULL;

    if (options->ccache == NULL && options->keytab == NULL) {
        cli_complain("no credential is named: give --ccache default for the "
                     "tickets of kinit, or --keytab and --principal");
    } else if (class != NULL) {
        section.used = (size_t)snprintf(section.text, SECTION_SIZE,
                                        "[client connect]\n");
        add(&section, "accept", "unix:/nowhere");
        add(&section, "connect", slash + 1);
        add(&section, "service_class", class);
        add(&section, "spn", options->spn);
        add(&section, "ccache", options->ccache);
        add(&section, "keytab", options->keytab);
        add(&section, "principal", options->principal);
        if (section.good)
            config = config_of(&section);
    }
    free(class);
    return config;
}

static struct config *
config_of_file(const struct cli_options *options)
{
    if (options->ccache != NULL || options->keytab != NULL ||
        options->principal != NULL || options->spn != NULL) {
        cli_complain("--ccache, --keytab, --principal and --spn go with "
                     "CLASS/HOST:PORT: [client NAME] has its own");
        return NULL;
    }
    return config_load(options->config, report, NULL);
}

/* The log would stand between the words of others on standard error. */
static bool
hush(struct error *err)
{
    const struct log_settings settings = {
        .level = LOG_LEVEL_ERROR,
        .format = LOG_FORMAT_TEXT,
        .target = "stderr",
    };

    return log_open(&settings, err);
}

static int
carry(struct config *config, const struct service_settings *service)
{
    const struct single_settings settings = {
        .config = config,
        .service = service,
        .input = STDIN_FILENO,
        .output = STDOUT_FILENO,
    };
    int status = CLI_FAILED;
    bool idle = true;
    struct error error;

    if (directory_init(&error) && hush(&error) &&
        single_run(&settings, &idle, &error) == SINGLE_FINISHED)
        status = CLI_DONE;
    log_close(LOG_CLOSE_MS);
    if (status != CLI_DONE)
        cli_complain("%s", error.text);
    if (!idle)
        _Exit(status);
    return status;
}

int
command_connect(int argc, char **argv)
{
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    bool named = strchr(options.name, '/') == NULL;
    struct config *config = named ? config_of_file(&options)
                                  : config_of_arguments(&options);
    const struct service_settings *service = NULL;
    if (config != NULL)
        service = cli_find_client(config, named ? options.name : "connect");
    status = service != NULL ? carry(config, service) : CLI_USAGE;
    config_release(config);
    return status;
}
