/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kerbwrap run`: the daemon, in the foreground.
 */
#include "cli/cli.h"
#include "proxy/server.h"

int
command_run(int argc, char **argv)
{
    struct arguments arguments;
    int status;

    if (!arguments_parse(argc, argv, &arguments, &status))
        return status;
    return server_run(arguments.file);
}
