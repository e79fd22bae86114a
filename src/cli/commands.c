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

#define CCACHE_NOTE                                                            \
    "The account of the keytab is used, unless --ccache names a cache with\n"  \
    "somebody's ticket; `default` is the one that kinit fills.\n"

#define ACCOUNT_NOTE                                                           \
    "ACCOUNT is a sAMAccountName (WEB1$ for a computer) or a DN; without it\n" \
    "the one that asks.\n\n"

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
        .name = "connect",
        .synopsis = "[-c FILE] [--ccache CACHE] [--keytab FILE] "
                    "[--principal NAME] [--spn SPN] NAME|CLASS/HOST:PORT",
        .summary = "one connection, on standard input and output",
        .details =
            "To the server of [client NAME]; or, without a file, to the "
            "sidecar at HOST:PORT,\nwhich must prove the name CLASS/HOST, or "
            "SPN. Then the credential is named here:\n--ccache default is the "
            "one that kinit fills, or --keytab and --principal.\n\nThe exit "
            "status is 0 when both directions came to their "
            "end.\n\n" DEFAULT_FILE_NOTE,
        .takes = TAKES_NAME | TAKES_CCACHE | TAKES_KEYTAB,
        .run = command_connect,
    },
    {
        .name = "publish",
        .synopsis = "[-c FILE] [--ccache CACHE] [--dry-run] NAME",
        .summary = "publish [server NAME] in the directory",
        .details =
            "Registers its service principal names and creates or updates its "
            "service\nconnection point, all or nothing. --dry-run shows what "
            "would be changed.\n\n" CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_NAME | TAKES_CCACHE | TAKES_DRY_RUN,
        .run = command_publish,
    },
    {
        .name = "unpublish",
        .synopsis = "[-c FILE] [--ccache CACHE] [--dry-run] [--force] NAME",
        .summary = "take back what publish put there",
        .details =
            "Deletes what `kerbwrap publish` created for [server NAME], "
            "according "
            "to its record\nin state_dir. --force deletes also what was there "
            "before, by the names of FILE.\n\n" CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_NAME | TAKES_CCACHE | TAKES_DRY_RUN | TAKES_FORCE,
        .run = command_unpublish,
    },
    {
        .name = "spn make",
        .synopsis = "[--instance HOST] [--port PORT] [--referrer HOST] "
                    "CLASS SERVICE",
        .summary = "compose a service principal name",
        .details =
            "By the rules of DsMakeSpn: CLASS/SERVICE[:PORT] for a host, "
            "CLASS/HOST[:PORT]/SERVICE\nfor a service that an instance offers. "
            "A referrer counts only when SERVICE is an\nIP address.\n",
        .takes = TAKES_PARTS | TAKES_MORE,
        .run = command_spn_make,
    },
    {
        .name = "spn crack",
        .synopsis = "SPN",
        .summary = "show the parts of a service principal name",
        .details = "One part a line, as DsCrackSpn tells them.\n",
        .takes = TAKES_MORE,
        .run = command_spn_crack,
    },
    {
        .name = "spn list",
        .synopsis = "[-c FILE] [--ccache CACHE] [ACCOUNT]",
        .summary = "show the names of an account",
        .details = ACCOUNT_NOTE CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_CCACHE | TAKES_MORE,
        .run = command_spn_list,
    },
    {
        .name = "spn add",
        .synopsis = "[-c FILE] [--ccache CACHE] SPN ... [ACCOUNT]",
        .summary = "register names on an account",
        .details =
            "A name that is there already is fine; one that stands on another "
            "account, on any\ndirectory server, is refused.\n\n" ACCOUNT_NOTE
                CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_CCACHE | TAKES_MORE,
        .run = command_spn_add,
    },
    {
        .name = "spn delete",
        .synopsis = "[-c FILE] [--ccache CACHE] SPN ... [ACCOUNT]",
        .summary = "delete names from an account",
        .details = "A name that is gone already is fine.\n\n" ACCOUNT_NOTE
            CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_CCACHE | TAKES_MORE,
        .run = command_spn_delete,
    },
    {
        .name = "spn check",
        .synopsis = "[-c FILE] [--ccache CACHE] NAME",
        .summary = "compare names, keytab and directory of [server NAME]",
        .details =
            "Is each name registered on the account and on no other, is there "
            "an AES key for\nit, and is the key's number (kvno) the "
            "directory's?\n\n" CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_NAME | TAKES_CCACHE,
        .run = command_spn_check,
    },
    {
        .name = "spn find-duplicates",
        .synopsis = "[-c FILE] [--ccache CACHE]",
        .summary = "show names that stand on several accounts",
        .details = "Asks every directory server. The exit status is 1 when "
                   "there is one.\n\n" CCACHE_NOTE DEFAULT_FILE_NOTE,
        .takes = TAKES_CCACHE,
        .run = command_spn_find_duplicates,
    },
    {
        .name = "status",
        .synopsis = "[-c FILE] [--json] [--watch] [--close ID|PRINCIPAL]",
        .summary = "print what the running daemon says of itself",
        .details =
            "Asks the process that was started with FILE, at its `status` "
            "address. --json prints\nall that it answers, --watch prints anew "
            "every two seconds. --close ends a\nconnection, or all of a "
            "principal.\n\n" DEFAULT_FILE_NOTE,
        .takes = TAKES_JSON | TAKES_WATCH,
        .run = command_status,
    },
    {
        .name = "doctor",
        .synopsis = "[-c FILE] [--ccache CACHE] [--principal PRINCIPAL] "
                    "[--json] [NAME]",
        .summary = "say why it does not work",
        .details =
            "Tries everything that a connection of the service NAME, or of "
            "all, needs: keys,\nclock, KDC, names, directory, rules, and a "
            "handshake that ends before the\napplication is dialled. Says of "
            "each what was seen, and what to do. --principal\nasks whether "
            "the servers' rules let that one in; --ccache names a cache to "
            "ask KDC\nand directory with for a server. The exit status is 0 "
            "when nothing failed, else 1.\n\n" DEFAULT_FILE_NOTE,
        .takes = TAKES_MORE | TAKES_JSON | TAKES_CCACHE | TAKES_PRINCIPAL,
        .run = command_doctor,
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
    if (*name == '-')
        cli_complain("unknown option \"%s\" before a command: see kerbwrap "
                     "--help",
                     shown);
    else if (nearest != NULL)
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
        printf("    %-20s %s\n", commands[i].name, commands[i].summary);
    printf("\n%sSee kerbwrap(8).\n", DEFAULT_FILE_NOTE);
}

void
cli_version(void)
{
    printf("kerbwrap %s\n", KERBWRAP_VERSION);
}
