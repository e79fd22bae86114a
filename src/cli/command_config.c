/* SPDX-License-Identifier: BSD-2-Clause */
/* config: what kerbwrap makes of a file. */
#include "cli/cli.h"

int
command_config(int argc, char **argv)
{
    struct arguments arguments;
    int status;

    if (!arguments_parse(argc, argv, &arguments, &status))
        return status;
    struct config *config = load_or_complain(arguments.file);
    if (config == NULL)
        return STATUS_USAGE;
    config_print(config, stdout);
    config_release(config);
    return STATUS_DONE;
}
