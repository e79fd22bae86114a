/* SPDX-License-Identifier: BSD-2-Clause */
/* `kerbwrap doctor`: findings as lines for a person, while they come, or as one
 * JSON list. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "directory/directory.h"
#include "doctor/doctor.h"

static const char *const verdicts[] = {
    [VERDICT_OK] = "ok",
    [VERDICT_WARN] = "warn",
    [VERDICT_FAIL] = "FAIL",
    [VERDICT_SKIP] = "skip",
};

static void
print(const struct finding *finding, void *arg)
{
    (void)arg;
    printf("%-4s  [%s] %s: %s\n", verdicts[finding->verdict], finding->section,
           finding->check, finding->text);
    if (finding->advice[0] != '\0')
        printf("      do: %s\n", finding->advice);
    fflush(stdout);
}

static void
collect(const struct finding *finding, void *arg)
{
    struct evbuffer *out = arg;

    json_open(out, '{');
    json_text(out, "verdict", verdicts[finding->verdict]);
    json_text(out, "section", finding->section);
    json_text(out, "check", finding->check);
    json_text(out, "text", finding->text);
    json_text(out, "do", finding->advice);
    json_close(out, '}');
}

static void
print_summary(const struct doctor_result *result)
{
    const size_t *count = result->count;

    printf("\n%zu ok, %zu to look at, %zu failed, %zu not tried\n",
           count[VERDICT_OK], count[VERDICT_WARN], count[VERDICT_FAIL],
           count[VERDICT_SKIP]);
}

static int
print_list(struct evbuffer *out)
{
    json_close(out, ']');
    evbuffer_add(out, "\n", 1);
    size_t size = evbuffer_get_length(out);
    const unsigned char *text = evbuffer_pullup(out, -1);
    bool whole = text != NULL && fwrite(text, 1, size, stdout) == size;

    return whole ? CLI_DONE : CLI_FAILED;
}

static int
examine(struct doctor_settings *settings, bool json)
{
    struct doctor_result result = {.stuck = false};
    struct evbuffer *out = json ? evbuffer_new() : NULL;
    struct error error = {.text = "out of memory"};
    int status = CLI_FAILED;

    settings->tell = json ? collect : print;
    settings->arg = out;
    if (out != NULL)
        json_open(out, '[');
    if ((json && out == NULL) || !directory_init(&error) ||
        !doctor_examine(settings, &result, &error))
        cli_complain("%s", error.text);
    else if (result.count[VERDICT_FAIL] == 0)
        status = CLI_DONE;
    if (!json)
        print_summary(&result);
    else if (out != NULL && print_list(out) != CLI_DONE)
        status = CLI_FAILED;
    if (result.stuck)
        _Exit(fflush(stdout) == 0 ? status : CLI_FAILED);
    if (out != NULL)
        evbuffer_free(out);
    return status;
}

/* NULL: all.  False: there is none of that name, which was told. */
static bool
find_service(const struct config *config, const char *name,
             const struct service_settings **service_out)
{
    char shown[64];

    *service_out = name != NULL ? config_find(config, name) : NULL;
    if (name == NULL || *service_out != NULL)
        return true;
    cli_complain("no service %s in %s",
                 text_sanitize(name, strlen(name), shown, sizeof shown),
                 config->path);
    return false;
}

static int
examine_file(const struct cli_options *options,
             const struct principal *principal)
{
    struct doctor_settings settings = {
        .principal = principal,
        .principal_text = options->principal,
        .ccache = options->ccache,
    };
    const char *name = options->more_count > 0 ? options->more[0] : NULL;
    int status = CLI_USAGE;

    settings.config = config_load(options->config, cli_report_errors, NULL);
    if (settings.config == NULL)
        return CLI_USAGE;
    if (find_service(settings.config, name, &settings.service))
        status = examine(&settings, options->json);
    config_release(settings.config);
    return status;
}

int
command_doctor(int argc, char **argv)
{
    struct principal principal = {.count = 0};
    struct cli_options options;
    struct error error;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    if (options.more_count > 1) {
        cli_complain("name one service only, or none for all");
        return CLI_USAGE;
    }
    if (options.principal != NULL &&
        !principal_parse(options.principal, &principal, &error)) {
        cli_complain("%s", error.text);
        return CLI_USAGE;
    }
    status = examine_file(&options,
                          options.principal != NULL ? &principal : NULL);
    principal_clear(&principal);
    return status;
}
