/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check: the problems of a file are its result and go to standard output; that
 * the file cannot be read is not one of them.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/trial.h"

struct tally {
    size_t warnings;
    size_t errors; /* of the machine, not the file */
};

static void
on_finding(enum severity severity, const char *text, void *arg)
{
    struct tally *tally = arg;

    if (severity == SEVERITY_FAILURE) {
        cli_complain("%s", text);
        return;
    }
    if (severity == SEVERITY_WARNING)
        tally->warnings++;
    else
        tally->errors++;
    printf("%s\n", text);
}

static const char *
plural(size_t count)
{
    return count == 1 ? "" : "s";
}

int
command_check(int argc, char **argv)
{
    struct tally tally = {0};
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    struct config *config = config_load(options.config, on_finding, &tally);
    if (config == NULL)
        return CLI_USAGE;
    trial_of_user(config, on_finding, &tally);
    if (tally.errors > 0) {
        config_release(config);
        return CLI_USAGE;
    }
    printf("%s is fine: %zu service%s", options.config, config->service_count,
           plural(config->service_count));
    if (tally.warnings > 0)
        printf(", %zu warning%s", tally.warnings, plural(tally.warnings));
    putchar('\n');
    config_release(config);
    return CLI_DONE;
}
