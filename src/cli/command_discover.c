/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kerbwrap discover`: asks the directory once, by the steps of the daemon, and
 * shows what it would make of the answer.  Whoever hangs is left behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timer.h"
#include "cli/cli.h"
#include "cli/discover_report.h"
#include "directory/directory.h"
#include "proxy/asking.h"
#include "proxy/snapshot.h"

enum {
    POOL_THREADS = 4,
    /* Of all steps together: several servers may each use up their time. */
    TIMEOUTS = 12,
};

/* One asking, and what it takes to run it to its end. */
struct quest {
    /* owned */
    struct loop *loop;
    struct pool *pool;
    struct credential *credential;
    struct timer late;
    /* held, once there is an answer */
    struct discovery *answer;
    /* plain */
    struct asking *asking; /* while it lasts */
    struct error error;    /* why there is no answer */
};

static void
on_asked(struct discovery *answer, const struct error *err, void *arg)
{
    struct quest *quest = arg;

    quest->asking = NULL;
    if (answer != NULL)
        quest->answer = discovery_hold(answer);
    else
        quest->error = *err;
    loop_stop(quest->loop);
}

static void
on_late(void *arg)
{
    struct quest *quest = arg;

    asking_cancel(quest->asking);
    quest->asking = NULL;
    error_set(&quest->error, "the directory takes too long to answer; raise "
                             "`timeout` of [directory] if it is only slow");
    loop_stop(quest->loop);
}

static bool
quest_start(struct quest *quest, struct config *config,
            const struct service_settings *service, struct error *err)
{
    struct inquiry *inquiry;

    if (!loop_new("main", &quest->loop, err) ||
        !pool_new(POOL_THREADS, &quest->pool, err))
        return false;
    quest->credential = inquiry_credential(config, service,
                                           pool_threads(quest->pool), err);
    if (quest->credential == NULL)
        return false;
    credential_learn_name(quest->credential);
    inquiry = inquiry_new(config, service, quest->credential, err);
    if (inquiry == NULL)
        return false;
    quest->asking = asking_start(inquiry, quest->loop, quest->pool, on_asked,
                                 quest);
    if (quest->asking == NULL) {
        error_set(err, "out of memory");
        return false;
    }
    timer_init(&quest->late, quest->loop, on_late, quest);
    timer_start(&quest->late, config->directory.timeout * TIMEOUTS);
    return true;
}

/* False: a job is stuck in a library and must not see the exit handlers. */
static bool
quest_clear(struct quest *quest)
{
    timer_stop(&quest->late);
    bool idle = pool_free(quest->pool);
    loop_free(quest->loop);
    credential_release(quest->credential);
    discovery_release(quest->answer);
    return idle;
}

static int
show(const struct discover_report *report, bool json)
{
    struct evbuffer *out = evbuffer_new();

    if (out == NULL) {
        cli_complain("cannot show what was found: out of memory");
        return CLI_FAILED;
    }
    if (json)
        discover_report_json(report, out);
    else
        discover_report_text(report, out);
    size_t size = evbuffer_get_length(out);
    const unsigned char *text = evbuffer_pullup(out, -1);
    bool whole = text != NULL && fwrite(text, 1, size, stdout) == size;
    evbuffer_free(out);
    return whole ? CLI_DONE : CLI_FAILED;
}

static int
show_answer(const struct service_settings *service,
            const struct discovery *answer, bool json)
{
    bool random = service->selection == SELECT_RANDOM;
    size_t count = answer->accepted_count;
    size_t *indices = calloc(count + 1, sizeof *indices);
    struct dialled *order = calloc(count + 1, sizeof *order);
    struct discover_report report = {service, answer, order, count};
    int status = CLI_FAILED;

    if (indices == NULL || order == NULL) {
        cli_complain("cannot show what was found: out of memory");
        goto out;
    }
    discovery_order(answer, random ? random_kernel : NULL, NULL, indices);
    for (size_t i = 0; i < count; i++) {
        const struct candidate *candidate = &answer->candidates[indices[i]];
        snprintf(order[i].address, sizeof order[i].address, "%s:%u",
                 candidate->host, candidate->port);
        order[i].spn = candidate->spn;
    }
    status = show(&report, json);
    if (answer->outcome != DISCOVERY_FOUND) {
        cli_complain("%s",
                     answer->reason != NULL ? answer->reason : "no answer");
        status = CLI_FAILED;
    }
out:
    free(order);
    free(indices);
    return status;
}

static int
ask(struct config *config, const struct service_settings *service, bool json)
{
    struct quest quest = {.loop = NULL};
    int status = CLI_FAILED;

    if (!directory_init(&quest.error) ||
        !quest_start(&quest, config, service, &quest.error)) {
        cli_complain("%s", quest.error.text);
    } else {
        loop_run(quest.loop);
        if (quest.answer == NULL)
            cli_complain("%s", quest.error.text);
        else
            status = show_answer(service, quest.answer, json);
    }
    if (!quest_clear(&quest))
        _Exit(fflush(stdout) == 0 ? status : CLI_FAILED);
    return status;
}

/* The servers of `connect =`, which nobody needs to be asked for. */
static int
show_listed(const struct service_settings *service, bool json)
{
    size_t count = service->connect.count;
    struct dialled *order = calloc(count, sizeof *order);
    char(*names)[SPN_SIZE] = calloc(count, sizeof *names);
    struct discover_report report = {service, NULL, order, count};
    struct error error = {.text = "out of memory"};
    bool named = order != NULL && names != NULL;
    int status = CLI_FAILED;

    for (size_t i = 0; i < count && named; i++) {
        const struct endpoint *endpoint = &service->connect.items[i];
        endpoint_format(endpoint, order[i].address, sizeof order[i].address);
        order[i].spn = names[i];
        named = snapshot_spn(service, endpoint, names[i], &error);
    }
    if (named)
        status = show(&report, json);
    else
        cli_complain("%s", error.text);
    free(names);
    free(order);
    return status;
}

int
command_discover(int argc, char **argv)
{
    struct cli_options options;
    int status;

    if (!cli_parse(argc, argv, &options, &status))
        return status;
    struct config *config = config_load(options.config, cli_report_errors,
                                        NULL);
    if (config == NULL)
        return CLI_USAGE;
    const struct service_settings *service = cli_find_client(config,
                                                             options.name);
    if (service == NULL)
        status = CLI_USAGE;
    else if (inquiry_is_wanted(service))
        status = ask(config, service, options.json);
    else
        status = show_listed(service, options.json);
    config_release(config);
    return status;
}
