/* SPDX-License-Identifier: BSD-2-Clause */
/* The test's thread only gives orders; the loop's thread has the handshake. */
#include "handshake_fixture.h"

#include <string.h>
#include <unistd.h>
#include <check.h>

#include "latch.h"
#include "proxy/handshake_check.h"

struct hello peer_hello;
int tunnel_fd;
struct handshake_settings handshake_plan;
struct service_settings service;
struct fake_script script;

static struct handshake *handshake;
static struct handshake_result result;
static struct latch done;
static bool takes_nothing;

static char no_label[] = "", our_class[] = "orders";

static void
set_up(enum role role)
{
    enum role other = role == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT;
    int pair[2];

    loop_set_up();
    sockets_pair(pair);
    tunnel_fd = pair[0];
    peer_init(pair[1], other, PROTECTION_SEAL);
    done = (struct latch)LATCH_INITIALIZER;
    service = (struct service_settings){
        .role = role,
        .service_class = our_class,
        .protection = PROTECTION_SEAL,
        .tunnel = no_label,
    };
    handshake_plan = (struct handshake_settings){
        .loop = test_loop,
        .pool = test_pool,
        .service = &service,
        .target = OUR_TARGET,
        .fd = tunnel_fd,
        .connection_id = 17,
    };
    hello_fill(&peer_hello, &service, role == ROLE_SERVER ? OUR_TARGET : "",
               42);
}

void
client_set_up(void)
{
    set_up(ROLE_CLIENT);
}

void
server_set_up(void)
{
    set_up(ROLE_SERVER);
}

void
handshake_tear_down(void)
{
    handshake_quit();
    channel_free(result.channel);
    context_free(result.context);
    bytes_clear(&result.farewell);
    close(tunnel_fd);
    peer_clear();
    loop_tear_down();
}

static void
on_done(struct handshake_result *how, void *arg)
{
    (void)arg;
    ck_assert(!latch_was_told(&done));
    handshake = NULL;
    result = *how;
    if (takes_nothing) {
        result.channel = NULL;
        result.context = NULL;
        result.farewell = (struct bytes){0};
    } else {
        how->channel = NULL;
        how->context = NULL;
        how->farewell = (struct bytes){0};
    }
    latch_tell(&done);
}

static void
start(void *arg)
{
    handshake = handshake_start(&handshake_plan, arg, on_done, NULL);
    ck_assert_ptr_nonnull(handshake);
    ck_assert(!latch_was_told(&done));
}

void
handshake_begin(void)
{
    loop_do(start, fake_context_new(service.role, &script));
}

void
client_reach_hello(void)
{
    struct bytes flight = {0};
    struct hello hello;

    handshake_begin();
    peer_add_token(&flight, FAKE_AP_REQ);
    peer_send(&flight);
    peer_expect_token(FAKE_AP_REP);
    peer_expect_hello(&hello);
}

void
client_say_hello(void)
{
    struct bytes flight = {0};

    peer_add_hello(&flight, &peer_hello);
    peer_send(&flight);
}

static void
quit(void *arg)
{
    (void)arg;
    handshake_cancel(handshake);
    handshake = NULL;
}

void
handshake_quit(void)
{
    loop_do(quit, NULL);
}

static void
ask_stage(void *arg)
{
    *(const char **)arg = handshake == NULL ? "over"
                                            : handshake_stage(handshake);
}

const char *
handshake_asked_stage(void)
{
    const char *stage;

    loop_do(ask_stage, &stage);
    return stage;
}

void
handshake_await_stage(const char *stage)
{
    const char *now = handshake_asked_stage();

    for (int i = 0; i < LATCH_PATIENCE_MS && strcmp(now, stage) != 0; i++) {
        latch_pause();
        now = handshake_asked_stage();
    }
    ck_assert_str_eq(now, stage);
}

struct words {
    const char *sentence;
    struct bytes bytes;
};

static void
ask_words(void *arg)
{
    struct words *words = arg;

    handshake_last_words(handshake, words->sentence, &words->bytes);
}

struct bytes
handshake_words(const char *sentence)
{
    struct words words = {.sentence = sentence};

    loop_do(ask_words, &words);
    return words.bytes;
}

struct handshake_result *
handshake_await(void)
{
    latch_wait(&done, 1);
    return &result;
}

void
handshake_expect(enum handshake_outcome outcome, const char *text)
{
    handshake_await();
    ck_assert_str_eq(result.error.text, text);
    ck_assert_int_eq((int)result.outcome, (int)outcome);
}

void
handshake_expect_refusal(enum reset_code code, const char *text)
{
    handshake_expect(HANDSHAKE_REFUSED, text);
    ck_assert_ptr_nonnull(result.context);
    ck_assert_ptr_null(result.channel);
    peer_open_reset(&result.farewell, code, text);
}

bool
handshake_is_done(void)
{
    return latch_was_told(&done);
}

void
handshake_take_nothing(void)
{
    takes_nothing = true;
}
