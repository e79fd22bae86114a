/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands share: their arguments, and how they complain. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

static const char default_file[] = "/etc/kerbwrap/kerbwrap.ini";

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

void
complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("kerbwrap: ", stderr);
    vfprintf(stderr, format, args);
    putc('\n', stderr);
    va_end(args);
}

static bool
refuse(const char *what, const char *text, const char *command)
{
    char shown[64];

    text_sanitize(text, strlen(text), shown, sizeof shown);
    complain("%s \"%s\": see kerbwrap %s --help", what, shown, command);
    return false;
}

bool
arguments_parse(int argc, char **argv, struct arguments *arguments_out,
                int *status_out)
{
    struct arguments arguments = {.file = default_file};
    int letter;

    *status_out = STATUS_USAGE;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":c:hV", long_options, NULL)) !=
           -1) {
        switch (letter) {
        case 'c':
            arguments.file = optarg;
            break;
        case 'h':
            help_print(command_find(argv[0]));
            *status_out = STATUS_DONE;
            return false;
        case 'V':
            version_print();
            *status_out = STATUS_DONE;
            return false;
        case ':':
            complain("-c needs a FILE: see kerbwrap %s --help", argv[0]);
            return false;
        default:
            return refuse("unknown option", argv[optind - 1], argv[0]);
        }
    }
    if (optind < argc)
        return refuse("unexpected argument", argv[optind], argv[0]);
    *arguments_out = arguments;
    return true;
}

static void
on_finding(enum severity severity, const char *text, void *arg)
{
    (void)severity;
    (void)arg;
    complain("%s", text);
}

struct config *
load_or_complain(const char *path)
{
    return config_load(path, on_finding, NULL);
}
