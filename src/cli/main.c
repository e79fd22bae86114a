/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the command that was asked for; the commands do the work. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum {
    NAME_SIZE = 64 /* of a command */
};

/*
 * "spn", "add" are one command, called "spn add": the two arguments become one.
 * name has room for both.
 */
static void
join_words(int *argc, char ***argv, char *name, size_t size)
{
    if (*argc < 2 || strcmp((*argv)[0], "spn") != 0 || (*argv)[1][0] == '-')
        return;
    snprintf(name, size, "spn %s", (*argv)[1]);
    ++*argv;
    --*argc;
    (*argv)[0] = name;
}

static int
help(int argc, char **argv)
{
    char both[NAME_SIZE];
    join_words(&argc, &argv, both, sizeof both);
    const struct command *command = argc > 0 ? cli_find(argv[0]) : NULL;

    if (argc > 0 && command == NULL && strcmp(argv[0], "spn") != 0)
        return cli_unknown(argv[0]);
    cli_help(command);
    return CLI_DONE;
}

/* "spn" alone, or before an option: what was asked for is in the option. */
static int
spn_alone(int argc, char **argv)
{
    const char *option = argc > 1 ? argv[1] : "";

    if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
        return help(0, NULL);
    if (strcmp(option, "--version") == 0 || strcmp(option, "-V") == 0) {
        cli_version();
        return CLI_DONE;
    }
    cli_complain("spn lacks what to do: see kerbwrap spn --help");
    return CLI_USAGE;
}

static int
dispatch(int argc, char **argv)
{
    char both[NAME_SIZE];
    char **words = argv + 1;
    int count = argc - 1;

    if (count < 1) {
        cli_complain("no command given: see kerbwrap --help");
        return CLI_USAGE;
    }
    join_words(&count, &words, both, sizeof both);
    const char *name = words[0];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(0, NULL);
    if (strcmp(name, "spn") == 0)
        return spn_alone(count, words);
    if (strcmp(name, "help") == 0)
        return help(count - 1, words + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        cli_version();
        return CLI_DONE;
    }
    const struct command *command = cli_find(name);
    if (command == NULL)
        return cli_unknown(name);
    return command->run(count, words);
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
