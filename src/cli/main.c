/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the command that was asked for; the commands do the work. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

static int
help(int argc, char **argv)
{
    const struct command *command = argc > 0 ? command_find(argv[0]) : NULL;

    if (argc > 0 && command == NULL)
        return command_unknown(argv[0]);
    help_print(command);
    return STATUS_DONE;
}

static int
dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (name == NULL) {
        complain("no command given: see kerbwrap --help");
        return STATUS_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(0, NULL);
    if (strcmp(name, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        version_print();
        return STATUS_DONE;
    }
    const struct command *command = command_find(name);
    if (command == NULL)
        return command_unknown(name);
    return command->run(argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
    int status = dispatch(argc, argv);

    /* A full disk must not pass for a result. */
    if (fflush(stdout) != 0) {
        complain("cannot write to standard output: %s", strerror(errno));
        return STATUS_FAILED;
    }
    return status;
}
