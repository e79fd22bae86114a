/* SPDX-License-Identifier: BSD-2-Clause */
/* The test's thread only gives orders; the loop's thread has the relay. */
#include "relay_fixture.h"

#include <string.h>
#include <unistd.h>
#include <check.h>

#include "base/text.h"
#include "latch.h"

int application;
struct relay_settings relay_plan;

static struct relay *relay;
static struct fake_channel *channel;
static struct relay_result result;
static struct latch ended, opened;
static bool frees_at_end;
static size_t lanes;

static void
on_opened(void *arg)
{
    (void)arg;
    ck_assert(!latch_was_told(&opened) && !latch_was_told(&ended));
    latch_tell(&opened);
}

static enum relay_app_end judged;

static enum relay_app_end
on_app_end(struct error *err, void *arg)
{
    (void)arg;
    error_set(err, "it failed");
    return judged;
}

void
relay_judge_app_end(enum relay_app_end judgement)
{
    judged = judgement;
    relay_plan.on_app_end = on_app_end;
}

static void
look(void *arg)
{
    (void)arg;
    relay_look_again(relay);
}

void
relay_look(void)
{
    loop_do(look, NULL);
}

static void
on_ended(const struct relay_result *how, void *arg)
{
    (void)arg;
    ck_assert(!latch_was_told(&ended));
    result = *how;
    if (frees_at_end) {
        relay_free(relay);
        relay = NULL;
    }
    latch_tell(&ended);
}

static void
close_pair(void)
{
    if (application >= 0)
        close(application);
    if (relay_plan.app_fd >= 0)
        close(relay_plan.app_fd);
    if (relay_plan.tunnel_fd >= 0)
        close(relay_plan.tunnel_fd);
    peer_clear();
}

static void
open_pairs(void (*app_pair)(int pair[2]), void (*tunnel_pair)(int pair[2]))
{
    int app[2], tunnel[2];

    app_pair(app);
    tunnel_pair(tunnel);
    application = app[1];
    relay_plan.app_fd = app[0];
    relay_plan.tunnel_fd = tunnel[0];
    peer_init(tunnel[1], ROLE_SERVER, PROTECTION_SEAL);
}

void
relay_set_up(void)
{
    loop_set_up();
    ended = opened = (struct latch)LATCH_INITIALIZER;
    relay_plan = (struct relay_settings){
        .loop = test_loop,
        .opening = RELAY_OPEN,
        .protection = PROTECTION_SEAL,
        .peer_max_plaintext = PLAINTEXT_MAX,
        .heartbeat = DURATION_OFF,
        .idle_timeout = DURATION_OFF,
        .on_opened = on_opened,
        .on_ended = on_ended,
    };
    open_pairs(sockets_pair, sockets_pair);
}

void
relay_tear_down(void)
{
    relay_quit();
    close_pair();
    loop_tear_down();
}

void
relay_over_tcp(void)
{
    close_pair();
    open_pairs(sockets_tcp_pair, sockets_tcp_pair);
}

void
relay_of_tcp_application(void)
{
    close_pair();
    open_pairs(sockets_tcp_pair, sockets_pair);
}

void
relay_of_server(void)
{
    relay_plan.opening = RELAY_SENDS_READY;
    peer.channel->role = ROLE_CLIENT;
}

size_t
relay_clog_tunnel(void)
{
    return sockets_fill(relay_plan.tunnel_fd);
}

void
relay_of_lanes(size_t count)
{
    lanes = count;
}

void
relay_free_at_end(void)
{
    frees_at_end = true;
}

static void
start(void *arg)
{
    (void)arg;
    relay = relay_start(&relay_plan, &channel->channel);
    ck_assert_ptr_nonnull(relay);
    ck_assert(!latch_was_told(&ended));
}

void
relay_begin(void)
{
    relay_plan.store = test_store;
    peer.seals = relay_plan.protection == PROTECTION_SEAL;
    channel = fake_channel_new(peer.channel->role == ROLE_SERVER ? ROLE_CLIENT
                                                                 : ROLE_SERVER);
    channel->ops.lanes = lanes;
    loop_do(start, NULL);
}

static void
quit(void *arg)
{
    (void)arg;
    relay_free(relay);
    relay = NULL;
}

void
relay_quit(void)
{
    loop_do(quit, NULL);
}

const struct relay_result *
relay_await_end(void)
{
    latch_wait(&ended, 1);
    return &result;
}

void
relay_expect_end(enum relay_end end, enum reset_code reset, const char *text)
{
    relay_await_end();
    ck_assert_str_eq(result.error.text, text);
    ck_assert_int_eq((int)result.end, (int)end);
    ck_assert_int_eq((int)result.reset, (int)reset);
}

bool
relay_has_ended(void)
{
    return latch_was_told(&ended);
}

void
relay_await_opened(void)
{
    latch_wait(&opened, 1);
}

struct words {
    enum reset_code code;
    const char *sentence;
    struct bytes bytes;
};

static void
ask_words(void *arg)
{
    struct words *words = arg;

    relay_last_words(relay, words->code, words->sentence, &words->bytes);
}

struct bytes
relay_words(enum reset_code code, const char *sentence)
{
    struct words words = {.code = code, .sentence = sentence};

    loop_do(ask_words, &words);
    return words.bytes;
}

static void
ask_counts(void *arg)
{
    *(struct relay_progress *)arg = relay_progress(relay);
}

struct relay_progress
relay_counts(void)
{
    struct relay_progress counts;

    loop_do(ask_counts, &counts);
    return counts;
}

static void
ask_most_sealed(void *arg)
{
    *(size_t *)arg = channel->most_sealed;
}

size_t
relay_most_sealed(void)
{
    size_t most;

    loop_do(ask_most_sealed, &most);
    return most;
}

static void
ask_most_unsealed(void *arg)
{
    *(size_t *)arg = channel->most_unsealed;
}

size_t
relay_most_unsealed(void)
{
    size_t most;

    loop_do(ask_most_unsealed, &most);
    return most;
}

static void
limit_seals(void *arg)
{
    channel->seals_left = *(unsigned *)arg;
}

void
relay_limit_seals(unsigned count)
{
    loop_do(limit_seals, &count);
}
