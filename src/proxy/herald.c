/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer of the main loop; a letter to each worker, which its loop sends back.
 * While one is out no other is sent, so a loop that hangs costs nothing but the
 * sign of life.
 */
#include "proxy/herald.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/container.h"
#include "base/log.h"
#include "base/timer.h"
#include "proxy/server_parts.h"

enum {
    STATUS_MS = 10000,
    /* A tick that comes too late must not be the only one in time. */
    TICKS_PER_WATCHDOG = 3,
    STATUS_SIZE = 160
};

struct letter {
    struct mail mail;
    struct herald *herald; /* borrowed */
    struct worker *worker; /* borrowed */
    bool out;
};

struct herald {
    /* owned */
    struct letter *letters; /* one a worker */
    struct timer timer;
    /* borrowed */
    struct server *server;
    const struct notifier *notifier;
    /* plain */
    uint64_t tick_ms;
    size_t unanswered;
    bool complained; /* of a loop that does not answer */
    char status[STATUS_SIZE];
};

static void
compose_status(const struct herald *herald, char text[STATUS_SIZE])
{
    const struct server *server = herald->server;
    unsigned connections = admission_status(server->admission).connections;
    size_t serving = 0;

    for (size_t i = 0; i < server->service_count; i++)
        serving += service_is_serving(server->services[i]);
    if (server->stopping > 0)
        snprintf(text, STATUS_SIZE, "draining, connections: %u", connections);
    else
        snprintf(text, STATUS_SIZE, "serving %zu of %zu, connections: %u",
                 serving, server->service_count, connections);
}

/* state: lines to go with it, each with its end. */
static void
tell(struct herald *herald, const char *state)
{
    char text[STATUS_SIZE];

    compose_status(herald, text);
    if (*state == '\0' && strcmp(text, herald->status) == 0)
        return;
    memcpy(herald->status, text, sizeof text);
    notifier_send(herald->notifier, "%sSTATUS=%s\n", state, text);
}

static void
on_answer(struct mail *mail)
{
    struct letter *letter = container_of(mail, struct letter, mail);
    struct herald *herald = letter->herald;

    letter->out = false;
    if (--herald->unanswered > 0)
        return;
    herald->complained = false;
    notifier_send(herald->notifier, "WATCHDOG=1\n");
}

/* In the worker's thread. */
static void
on_letter(struct mail *mail)
{
    struct letter *letter = container_of(mail, struct letter, mail);

    mail->deliver = on_answer;
    loop_post(letter->herald->server->loop, mail);
}

static void
send_letters(struct herald *herald)
{
    struct server *server = herald->server;

    herald->unanswered = server->worker_count;
    for (size_t i = 0; i < server->worker_count; i++) {
        herald->letters[i].out = true;
        herald->letters[i].mail.deliver = on_letter;
        loop_post(server->workers[i]->loop, &herald->letters[i].mail);
    }
}

static void
complain(struct herald *herald)
{
    char text[STATUS_SIZE];

    if (herald->complained)
        return;
    herald->complained = true;
    for (size_t i = 0; i < herald->server->worker_count; i++) {
        const struct letter *letter = &herald->letters[i];
        if (!letter->out)
            continue;
        snprintf(
            text, sizeof text,
            "%s does not answer: the watchdog is not told that all is well",
            loop_name(letter->worker->loop));
        log_event(EVENT_ERROR, LOG_TEXT("reason", text));
    }
}

static void
on_tick(void *arg)
{
    struct herald *herald = arg;

    timer_start(&herald->timer, herald->tick_ms);
    tell(herald, "");
    if (herald->notifier->watchdog_ms == 0)
        return;
    if (herald->unanswered > 0)
        complain(herald);
    else
        send_letters(herald);
}

struct herald *
herald_new(struct server *server, const struct notifier *notifier,
           struct error *err)
{
    struct herald *herald = calloc(1, sizeof *herald);

    if (herald != NULL)
        herald->letters = calloc(server->worker_count, sizeof(struct letter));
    if (herald == NULL || herald->letters == NULL) {
        error_set(err, "cannot talk to the service manager: out of memory");
        free(herald);
        return NULL;
    }
    herald->server = server;
    herald->notifier = notifier;
    for (size_t i = 0; i < server->worker_count; i++)
        herald->letters[i] = (struct letter){.herald = herald,
                                             .worker = server->workers[i]};
    herald->tick_ms = STATUS_MS;
    uint64_t often = notifier->watchdog_ms / TICKS_PER_WATCHDOG;
    if (often > 0 && often < herald->tick_ms)
        herald->tick_ms = often;
    timer_init(&herald->timer, server->loop, on_tick, herald);
    return herald;
}

void
herald_free(struct herald *herald)
{
    if (herald == NULL)
        return;
    timer_stop(&herald->timer);
    free(herald->letters);
    free(herald);
}

void
herald_ready(struct herald *herald)
{
    if (herald == NULL)
        return;
    tell(herald, "READY=1\n");
    if (herald->notifier->fd >= 0)
        timer_start(&herald->timer, herald->tick_ms);
}

void
herald_reloading(struct herald *herald)
{
    struct timespec now;
    char state[96];

    if (herald == NULL)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    tell(herald, state);
}

void
herald_stopping(struct herald *herald)
{
    if (herald != NULL)
        tell(herald, "STOPPING=1\n");
}
