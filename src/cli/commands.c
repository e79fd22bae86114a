/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands, and the help that is made of it. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "version.h"

#define DEFAULT_FILE_NOTE                                                      \
    "FILE is /etc/kerbwrap/kerbwrap.ini unless -c names another; see\n"        \
    "kerbwrap.ini(5).\n"

static const struct command commands[] = {
    {
        .name = "run",
        .synopsis = "[-c FILE]",
        .summary = "run the tunnels of FILE",
        .details = "Stays in the foreground. SIGHUP reads FILE again, SIGTERM "
                   "drains and ends,\na second SIGTERM ends at once, SIGUSR1 "
                   "reopens the log.\n\n" DEFAULT_FILE_NOTE,
        .run = command_run,
    },
    {
        .name = "check",
        .synopsis = "[-c FILE]",
        .summary = "print every problem of FILE, start nothing",
        .details = "Problems are lines FILE:LINE: sentence. The exit status is "
                   "0 when there is none\nor only warnings, otherwise "
                   "2.\n\n" DEFAULT_FILE_NOTE,
        .run = command_check,
    },
    {
        .name = "config",
        .synopsis = "[-c FILE]",
        .summary = "print the effective configuration",
        .details =
            "Every key of every section, as kerbwrap takes it, in a form "
            "that it reads.\n\n" DEFAULT_FILE_NOTE,
        .run = command_config,
    },
    {
        .name = "discover",
        .synopsis = "[-c FILE] [--json] NAME",
        .summary = "look for the servers of [client NAME] now",
        .details =
            "Shows what was asked of whom, each candidate with the verdict of "
            "the local rules\nand its service principal name, and the order "
            "of dialling. The exit status is 0\nwhen a server was found, 1 "
            "when there is none or nobody answers.\n\n" DEFAULT_FILE_NOTE,
        .takes = TAKES_NAME | TAKES_JSON,
        .run = command_discover,
    },
    {
        .name = "status",
        .synopsis = "[-c FILE]",
        .summary = "print what the running daemon says of itself",
        .details = "Asks the process that was started with FILE, at its "
                   "`status` address, and prints\nits answer, which is "
                   "JSON.\n\n" DEFAULT_FILE_NOTE,
        .run = command_status,
    },
};

enum {
    COMMAND_COUNT = sizeof commands / sizeof commands[0]
};

const struct command *
cli_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

int
cli_unknown(const char *name)
{
    const char *names[COMMAND_COUNT];
    char shown[64];

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_word(name, names, COMMAND_COUNT);
    text_sanitize(name, strlen(name), shown, sizeof shown);
    if (nearest != NULL)
        cli_complain("unknown command \"%s\": did you mean %s?", shown,
                     nearest);
    else
        cli_complain("unknown command \"%s\": see kerbwrap --help", shown);
    return CLI_USAGE;
}

void
cli_help(const struct command *command)
{
    if (command != NULL) {
        printf("usage: kerbwrap %s %s\n\n%c%s.\n%s", command->name,
               command->synopsis, command->summary[0] - 'a' + 'A',
               command->summary + 1, command->details);
        return;
    }
    printf("usage: kerbwrap COMMAND [-c FILE]\n"
           "       kerbwrap COMMAND --help\n"
           "       kerbwrap --version\n\n"
           "Wraps plain TCP services in Kerberos.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("    %-8s %s\n", commands[i].name, commands[i].summary);
    printf("\n%sSee kerbwrap(8).\n", DEFAULT_FILE_NOTE);
}

void
cli_version(void)
{
    printf("kerbwrap %s\n", KERBWRAP_VERSION);
}
