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

bool
cli_parse(int argc, char **argv, struct cli_options *options_out,
          int *status_out)
{
    struct cli_options options = {.config = default_file};
    int letter;

    *status_out = CLI_USAGE;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":c:hV", long_options, NULL)) !=
           -1) {
        switch (letter) {
        case 'c':
            options.config = optarg;
            break;
        case 'h':
            cli_help(cli_find(argv[0]));
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
    if (optind < argc)
        return refuse("unexpected argument", argv[optind], argv[0]);
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
