/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kerbwrap run`: the daemon, in the foreground.
 */
#include "cli/cli.h"
#include "proxy/server.h"

int
command_run(int argc, char **argv)
{
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    return server_run(options.config);
}
