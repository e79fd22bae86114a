/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's own handshake, on a loop and a pool that last as long as it.  The
 * ticket is in the credential already, so no step waits for a KDC.
 */
#include "doctor/trial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/pool.h"
#include "base/text.h"
#include "base/timer.h"
#include "proxy/handshake.h"

enum {
    ADDRESSES_MAX = 8,
    POOL_THREADS = 2,
};

/* --- reaching ------------------------------------------------------------ */

static int
connect_one(const struct address *address, uint64_t ms, struct error *err)
{
    char text[ADDRESS_TEXT_SIZE];
    int fd = socket_connect_start(address, SOCKET_ENDS_CLEANLY, err);

    if (fd < 0)
        return -1;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int ready = poll(&wait, 1, (int)ms);
    int number = ready > 0 ? socket_connect_result(fd) : ETIMEDOUT;
    if (number == 0)
        return fd;
    address_format(address, text, sizeof text);
    error_set_errno(err, number, "cannot connect to %s", text);
    close(fd);
    return -1;
}

int
trial_connect(const struct endpoint *endpoint, uint64_t ms, struct error *err)
{
    struct address addresses[ADDRESSES_MAX];
    size_t count;
    int fd = -1;

    if (!endpoint_resolve(endpoint, addresses, ADDRESSES_MAX, &count, err))
        return -1;
    for (size_t i = 0; i < count && fd < 0; i++)
        fd = connect_one(&addresses[i], ms / count, err);
    return fd;
}

/* --- the handshake ------------------------------------------------------- */

struct trial {
    const struct trial_settings *settings;
    /* owned */
    int fd;
    struct loop *loop;
    struct pool *pool;
    struct handshake *handshake;
    struct timer late;
    /* plain */
    struct service_settings client; /* the service, as a client */
    bool proved;
    char *proof;
    struct error *err;
};

static void
describe(struct trial *trial, const struct handshake_result *result)
{
    const struct context_peer *peer = result->context->ops->peer(
        result->context);
    char name[256], agent[128];

    text_sanitize(peer->display, strlen(peer->display), name, sizeof name);
    text_sanitize(result->hello.agent, strlen(result->hello.agent), agent,
                  sizeof agent);
    snprintf(trial->proof, TRIAL_PROOF_SIZE, "%s proved itself (%s, %s)", name,
             agent, peer->enctype);
}

static void
on_handshake(struct handshake_result *result, void *arg)
{
    struct trial *trial = arg;

    trial->handshake = NULL;
    trial->proved = result->outcome == HANDSHAKE_DONE;
    if (trial->proved)
        describe(trial, result);
    else
        *trial->err = result->error;
    if (result->farewell.size > 0)
        (void)!send(trial->fd, result->farewell.data, result->farewell.size,
                    MSG_NOSIGNAL);
    loop_stop(trial->loop);
}

static void
on_late(void *arg)
{
    struct trial *trial = arg;

    error_set(trial->err, "no answer while waiting for %s",
              handshake_stage(trial->handshake));
    loop_stop(trial->loop);
}

static bool
begin(struct trial *trial, uint64_t ms)
{
    const struct trial_settings *settings = trial->settings;
    struct handshake_settings plan = {
        .loop = trial->loop,
        .pool = trial->pool,
        .service = &trial->client,
        .target = settings->spn,
        .fd = trial->fd,
        .trial = true,
    };
    struct context *context = context_new_initiator(settings->credential,
                                                    settings->spn, trial->err);

    if (context == NULL)
        return false;
    trial->handshake = handshake_start(&plan, context, on_handshake, trial);
    if (trial->handshake == NULL) {
        error_set(trial->err, "cannot begin a handshake: out of memory");
        return false;
    }
    timer_init(&trial->late, trial->loop, on_late, trial);
    timer_start(&trial->late, ms);
    return true;
}

/* False: a job is still at work. */
static bool
trial_clear(struct trial *trial)
{
    timer_stop(&trial->late);
    handshake_cancel(trial->handshake);
    bool idle = pool_free(trial->pool);
    loop_free(trial->loop);
    if (trial->fd >= 0)
        close(trial->fd);
    return idle;
}

bool
trial_handshake(const struct trial_settings *settings,
                char proof_out[TRIAL_PROOF_SIZE], bool *stuck_out,
                struct error *err)
{
    struct trial trial = {
        .settings = settings,
        .client = *settings->service,
        .proof = proof_out,
        .err = err,
    };
    uint64_t began = loop_now_ms(), spent;

    trial.client.role = ROLE_CLIENT;
    trial.fd = trial_connect(settings->endpoint, settings->ms, err);
    if (trial.fd < 0)
        return false;
    socket_tune(trial.fd);
    spent = loop_now_ms() - began;
    if (loop_new("trial", &trial.loop, err) &&
        pool_new(POOL_THREADS, &trial.pool, err) &&
        begin(&trial, settings->ms > spent ? settings->ms - spent : 1))
        loop_run(trial.loop);
    *stuck_out = !trial_clear(&trial);
    return trial.proved;
}
