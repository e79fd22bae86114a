/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kerbwrap status`: what the running daemon says of itself, as tables or as
 * the JSON that it answers; and the end of connections.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json_read.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/status_table.h"

enum {
    WATCH_SECONDS = 2,
    BODY_SIZE = 2048
};

static bool
show(const struct config *config, bool json, struct error *err)
{
    struct answer answer;
    bool shown = true;

    if (!ask(config, "/status.json", NULL, &answer, err))
        return false;
    if (json) {
        fputs(answer.body, stdout);
    } else {
        struct json_value *document = json_parse(answer.body, err);
        shown = document != NULL;
        if (shown)
            status_table_print(document);
        else
            error_prefix(err, "cannot read what kerbwrap answers");
        json_free(document);
    }
    free(answer.text);
    if (fflush(stdout) == 0)
        return shown;
    error_set_errno(err, errno, "cannot print the status");
    return false;
}

static int
print_status(const struct config *config, const struct cli_options *options)
{
    const struct timespec pause = {.tv_sec = WATCH_SECONDS};
    bool clears = options->watch && !options->json && isatty(STDOUT_FILENO);
    struct error error;

    do {
        if (clears)
            fputs("\033[H\033[J", stdout);
        if (!show(config, options->json, &error)) {
            cli_complain("%s", error.text);
            return CLI_FAILED;
        }
    } while (options->watch && nanosleep(&pause, NULL) == 0);
    return CLI_DONE;
}

static bool
is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* How many were closed; -1: nobody could be asked. */
static int
count_closed(const struct config *config, const char *body, struct error *err)
{
    struct answer answer;
    int count = 0;

    if (!ask(config, "/close", body, &answer, err))
        return -1;
    struct json_value *document = json_parse(answer.body, err);
    const struct json_value *closed = json_member(document, "closed");
    for (const struct json_value *id = closed != NULL ? closed->first : NULL;
         id != NULL; id = id->next)
        count++;
    if (document == NULL)
        count = -1;
    json_free(document);
    free(answer.text);
    return count;
}

static int
close_connections(const struct config *config, const char *which)
{
    char body[BODY_SIZE];
    struct error error;

    if (snprintf(body, sizeof body, "%s=%s",
                 is_number(which) ? "id" : "principal",
                 which) >= (int)sizeof body) {
        cli_complain("cannot close: the name is too long");
        return CLI_FAILED;
    }
    int count = count_closed(config, body, &error);
    if (count < 0) {
        cli_complain("%s", error.text);
        return CLI_FAILED;
    }
    if (count == 0) {
        cli_complain("no connection %s%s", is_number(which) ? "" : "of ",
                     which);
        return CLI_FAILED;
    }
    printf("%d %s closed\n", count, count == 1 ? "connection" : "connections");
    return CLI_DONE;
}

int
command_status(int argc, char **argv)
{
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    struct config *config = config_load(options.config, cli_report_errors,
                                        NULL);
    if (config == NULL)
        return CLI_USAGE;
    if (options.close != NULL)
        status = close_connections(config, options.close);
    else
        status = print_status(config, &options);
    config_release(config);
    return status;
}
