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
    {"ccache", required_argument, NULL, 'C'},
    {"dry-run", no_argument, NULL, 'n'},
    {"force", no_argument, NULL, 'f'},
    {"keytab", required_argument, NULL, 'k'},
    {"principal", required_argument, NULL, 'P'},
    {"spn", required_argument, NULL, 's'},
    {"watch", no_argument, NULL, 'w'},
    {"close", required_argument, NULL, 'x'},
    {"instance", required_argument, NULL, 'I'},
    {"port", required_argument, NULL, 'p'},
    {"referrer", required_argument, NULL, 'R'},
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

/* The options that only some commands take: a flag, or where its value goes. */
static bool
take_special(int letter, char **argv, struct cli_options *options)
{
    const struct {
        int letter;
        unsigned takes;
        bool *flag;
        const char **value;
    } special[] = {
        {'j', TAKES_JSON, &options->json, NULL},
        {'n', TAKES_DRY_RUN, &options->dry_run, NULL},
        {'f', TAKES_FORCE, &options->force, NULL},
        {'w', TAKES_WATCH, &options->watch, NULL},
        {'x', TAKES_WATCH, NULL, &options->close},
        {'C', TAKES_CCACHE, NULL, &options->ccache},
        {'k', TAKES_KEYTAB, NULL, &options->keytab},
        {'P', TAKES_KEYTAB | TAKES_PRINCIPAL, NULL, &options->principal},
        {'s', TAKES_KEYTAB, NULL, &options->spn},
        {'I', TAKES_PARTS, NULL, &options->instance},
        {'p', TAKES_PARTS, NULL, &options->port},
        {'R', TAKES_PARTS, NULL, &options->referrer},
    };
    unsigned takes = cli_find(argv[0])->takes;

    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        if (special[i].letter != letter || (takes & special[i].takes) == 0)
            continue;
        if (special[i].flag != NULL)
            *special[i].flag = true;
        else
            *special[i].value = optarg;
        return true;
    }
    return refuse("unknown option", argv[optind - 1], argv[0]);
}

/* One option; false: it was the last to look at. */
static bool
take_option(int letter, char **argv, struct cli_options *options,
            int *status_out)
{
    switch (letter) {
    case 'c':
        options->config = optarg;
        return true;
    case 'h':
        cli_help(cli_find(argv[0]));
        *status_out = CLI_DONE;
        return false;
    case 'V':
        cli_version();
        *status_out = CLI_DONE;
        return false;
    case ':':
        cli_complain("%s needs a %s: see kerbwrap %s --help", argv[optind - 1],
                     optopt == 'c' ? "FILE" : "value", argv[0]);
        return false;
    default:
        return take_special(letter, argv, options);
    }
}

bool
cli_parse(int argc, char **argv, struct cli_options *options_out,
          int *status_out)
{
    struct cli_options options = {.config = default_file};
    unsigned takes = cli_find(argv[0])->takes;
    bool takes_name = (takes & TAKES_NAME) != 0;
    int letter;

    *status_out = CLI_USAGE;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":c:hV", long_options, NULL)) !=
           -1)
        if (!take_option(letter, argv, &options, status_out))
            return false;
    if (takes_name && optind < argc)
        options.name = argv[optind++];
    options.more = argv + optind;
    options.more_count = argc - optind;
    if (optind < argc && (takes & TAKES_MORE) == 0)
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

const struct service_settings *
cli_find_client(const struct config *config, const char *name)
{
    const struct service_settings *service = config_find(config, name);
    char shown[64];

    if (service == NULL)
        cli_complain("no [client %s] in %s",
                     text_sanitize(name, strlen(name), shown, sizeof shown),
                     config->path);
    else if (service->role == ROLE_CLIENT)
        return service;
    else
        cli_complain("[server %s] looks for nobody: name a [client]", name);
    return NULL;
}
