/* SPDX-License-Identifier: BSD-2-Clause */
/* `spn make` and `spn crack`: names as text; nobody is asked. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "directory/host.h"
#include "directory/spnvalue.h"

static int
wrong_count(const char *name)
{
    cli_complain("wrong number of arguments: see kerbwrap %s --help", name);
    return CLI_USAGE;
}

int
command_spn_make(int argc, char **argv)
{
    struct cli_options options;
    struct spn_parts parts = {.port = 0};
    struct error error;
    char value[SPN_SIZE];
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    if (options.more_count != 2)
        return wrong_count(argv[0]);
    parts.service_class = options.more[0];
    parts.service_name = options.more[1];
    parts.instance = options.instance;
    parts.referrer = options.referrer;
    /* DsMakeSpn's 0 is no port. */
    if (options.port != NULL && strcmp(options.port, "0") != 0 &&
        !port_parse(options.port, strlen(options.port), &parts.port, &error)) {
        cli_complain("%s", error.text);
        return CLI_USAGE;
    }
    if (!spnvalue_make(&parts, value, &error)) {
        cli_complain("%s", error.text);
        return CLI_FAILED;
    }
    printf("%s\n", value);
    return CLI_DONE;
}

int
command_spn_crack(int argc, char **argv)
{
    struct cli_options options;
    struct spn_cracked cracked;
    struct error error;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    if (options.more_count != 1)
        return wrong_count(argv[0]);
    if (!spnvalue_crack(options.more[0], &cracked, &error)) {
        cli_complain("%s", error.text);
        return CLI_FAILED;
    }
    printf("class %s\nhost %s\nport %u\n", cracked.service_class, cracked.host,
           cracked.port);
    if (*cracked.label != '\0')
        printf("label %s\n", cracked.label);
    printf("service %s\n", cracked.service_name);
    return CLI_DONE;
}
