/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the command that was asked for; the commands do the work. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static int
help(int argc, char **argv)
{
    const struct command *command = argc > 0 ? cli_find(argv[0]) : NULL;

    if (argc > 0 && command == NULL)
        return cli_unknown(argv[0]);
    cli_help(command);
    return CLI_DONE;
}

static int
dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (name == NULL) {
        cli_complain("no command given: see kerbwrap --help");
        return CLI_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(0, NULL);
    if (strcmp(name, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        cli_version();
        return CLI_DONE;
    }
    const struct command *command = cli_find(name);
    if (command == NULL)
        return cli_unknown(name);
    return command->run(argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
    int status = dispatch(argc, argv);

    /* A full disk must not pass for a result. */
    if (fflush(stdout) != 0) {
        cli_complain("cannot write to standard output: %s", strerror(errno));
        return CLI_FAILED;
    }
    return status;
}
