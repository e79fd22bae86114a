/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands share: their arguments, and how they complain. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char default_file[] = "/etc/kerbwrap/kerbwrap.ini";

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

void
cli_complain(const char *format, ...)
{
    va_list args;

    fputs("kerbwrap: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
}

static bool
refuse(const char *what, const char *text, const char *command)
{
    char shown[64];

    text_sanitize(text, strlen(text), shown, sizeof shown);
    cli_complain("%s \"%s\": see kerbwrap %s --help", what, shown, command);
    return false;
}

/* One option; false: it was the last to look at. */
static bool
take_option(int letter, char **argv, struct cli_options *options,
            int *status_out)
{
    const struct command *command = cli_find(argv[0]);

    switch (letter) {
    case 'c':
        options->config = optarg;
        return true;
    case 'j':
        options->json = true;
        return (command->takes & TAKES_JSON) != 0 ||
               refuse("unknown option", "--json", argv[0]);
    case 'h':
        cli_help(command);
        *status_out = CLI_DONE;
        return false;
    case 'V':
        cli_version();
        *status_out = CLI_DONE;
        return false;
    case ':':
        cli_complain("-c needs a FILE: see kerbwrap %s --help", argv[0]);
        return false;
    default:
        return refuse("unknown option", argv[optind - 1], argv[0]);
    }
}

bool
cli_parse(int argc, char **argv, struct cli_options *options_out,
          int *status_out)
{
    struct cli_options options = {.config = default_file};
    bool takes_name = (cli_find(argv[0])->takes & TAKES_NAME) != 0;
    int letter;

    *status_out = CLI_USAGE;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":c:hV", long_options, NULL)) !=
           -1)
        if (!take_option(letter, argv, &options, status_out))
            return false;
    if (takes_name && optind < argc)
        options.name = argv[optind++];
    if (optind < argc)
        return refuse("unexpected argument", argv[optind], argv[0]);
    if (takes_name && options.name == NULL) {
        cli_complain("no NAME given: see kerbwrap %s --help", argv[0]);
        return false;
    }
    *options_out = options;
    return true;
}

void
cli_report_errors(enum severity severity, const char *text, void *arg)
{
    (void)severity;
    (void)arg;
    cli_complain("%s", text);
}
