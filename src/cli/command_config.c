/* SPDX-License-Identifier: BSD-2-Clause */
/* config: what kerbwrap makes of a file. */
#include <stdio.h>

#include "cli/cli.h"

int
command_config(int argc, char **argv)
{
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    struct config *config = config_load(options.config, cli_report_errors,
                                        NULL);
    if (config == NULL)
        return CLI_USAGE;
    config_print(config, stdout);
    config_release(config);
    return CLI_DONE;
}
