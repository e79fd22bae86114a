/* SPDX-License-Identifier: BSD-2-Clause */
/* The main thread's part is played by the loop itself. */
#include "connection_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>

#include "base/container.h"
#include "config_text.h"
#include "proxy/handshake_check.h"
#include "proxy/worker.h"

#define TARGET "orders/db1.example.test"

int application;
int listeners[LISTENERS];
uint16_t listener_ports[LISTENERS];
struct fake_script script;
struct latch proved, closed;

static int fillers[2] = {-1, -1}; /* of a queue */
static struct worker worker;
static struct config_text *config;
static struct credential *credential;
static struct counters *counters;
static struct arrival *arrival;

/* Found here before src/gss is searched. */

struct context *
context_new_acceptor(struct credential *ignored, struct error *err)
{
    (void)ignored;
    (void)err;
    return fake_context_new(ROLE_SERVER, &script);
}

struct context *
context_new_initiator(struct credential *ignored, const char *target,
                      struct error *err)
{
    (void)ignored;
    (void)err;
    ck_assert_str_eq(target, TARGET);
    return fake_context_new(ROLE_CLIENT, &script);
}

void
connection_set_up(void)
{
    const struct initiator_settings settings = {.ccache = "MEMORY:none"};

    loop_set_up();
    proved = closed = (struct latch)LATCH_INITIALIZER;
    worker = (struct worker){
        .loop = test_loop,
        .store = test_store,
        .pool = test_pool,
    };
    application = -1;
    peer_init(-1, ROLE_CLIENT, PROTECTION_SEAL);
    for (int i = 0; i < LISTENERS; i++)
        listeners[i] = sockets_listen(5, &listener_ports[i]);
    ck_assert(credential_new_initiator(&settings, 1, &credential, NULL));
    counters = counters_new();
    ck_assert_ptr_nonnull(counters);
}

void
connection_tear_down(void)
{
    connection_lose();
    /* A mail that is under way still needs its arrival. */
    loop_settle();
    worker_rule_by(&worker, NULL);
    if (application >= 0)
        close(application);
    peer_clear();
    for (int i = 0; i < LISTENERS; i++)
        connection_refuse_callers(i);
    for (int i = 0; i < 2; i++) {
        if (fillers[i] >= 0)
            close(fillers[i]);
        fillers[i] = -1;
    }
    snapshot_release(arrival->snapshot);
    free(arrival);
    config_text_free(config);
    counters_release(counters);
    credential_release(credential);
    loop_tear_down();
}

static struct config_text *
read_section(enum role role, unsigned count, const char *keys)
{
    char ini[2048];
    size_t used;

    used = (size_t)snprintf(ini, sizeof ini,
                            "[%s db]\naccept = 127.0.0.1:1\nconnect =",
                            role == ROLE_SERVER ? "server" : "client");
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(ini + used, sizeof ini - used, " 127.0.0.1:%u",
                                 listener_ports[i]);
    snprintf(ini + used, sizeof ini - used, "\nservice_class = orders\n%s%s\n",
             role == ROLE_SERVER
                 ? "keytab = /k\nspn = " TARGET "\n"
                 : "ccache = default\nselect = listed\nspn = " TARGET "\n",
             keys);
    struct config_text *read = config_text_read(ini);
    ck_assert_msg(read->config != NULL, "%s", read->findings);
    return read;
}

static void
on_proved(struct mail *mail)
{
    (void)mail;
    latch_tell(&proved);
}

static void
on_closed(struct mail *mail)
{
    (void)mail;
    ck_assert(!latch_was_told(&closed));
    latch_tell(&closed);
}

static void
open_it(void *arg)
{
    connection_open(arg);
}

void
connection_begin(enum role role, unsigned count, const char *keys)
{
    int pair[2];

    config = read_section(role, count, keys);
    const struct snapshot_parts parts = {
        .config = config->config,
        .service = &config->config->services[0],
        .credential = credential,
        .counters = counters,
    };
    sockets_tcp_pair(pair);
    arrival = calloc(1, sizeof *arrival);
    ck_assert_ptr_nonnull(arrival);
    arrival->snapshot = snapshot_new(&parts, NULL);
    ck_assert_ptr_nonnull(arrival->snapshot);
    arrival->fd = pair[0];
    arrival->worker = &worker;
    arrival->main_loop = test_loop;
    arrival->id = 17;
    arrival->proved.deliver = on_proved;
    arrival->closed.deliver = on_closed;
    if (role == ROLE_SERVER)
        peer.fd = pair[1];
    else
        application = pair[1];
    loop_do(open_it, arrival);
}

static int
accept_caller(int which)
{
    int fd = accept4(listeners[which], NULL, NULL, SOCK_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    sockets_set_patience(fd);
    return fd;
}

void
connection_accept_application(int which)
{
    application = accept_caller(which);
}

void
connection_accept_peer(int which)
{
    peer_clear();
    peer_init(accept_caller(which), ROLE_SERVER, PROTECTION_SEAL);
}

void
connection_refuse_callers(int which)
{
    if (listeners[which] >= 0)
        close(listeners[which]);
    listeners[which] = -1;
}

void
connection_swallow_callers(int which)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(listener_ports[which]),
    };

    ck_assert_int_eq(listen(listeners[which], 0), 0);
    for (int i = 0; i < 2; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
}

void
peer_add_known_hello(struct bytes *flight)
{
    const struct service_settings *service = arrival->snapshot->service;
    struct hello hello;

    hello_fill(&hello, service, service->role == ROLE_SERVER ? TARGET : "", 42);
    peer_add_hello(flight, &hello);
}

void
peer_open_as_client(void)
{
    struct bytes flight = {0};
    struct hello hello;

    peer_add_token(&flight, FAKE_AP_REQ);
    peer_send(&flight);
    peer_expect_token(FAKE_AP_REP);
    peer_expect_hello(&hello);
}

void
peer_open_as_server(void)
{
    struct bytes flight = {0};
    struct hello hello;

    peer_expect_token(FAKE_AP_REQ);
    peer_add_token(&flight, FAKE_AP_REP);
    peer_add_known_hello(&flight);
    peer_send(&flight);
    peer_expect_hello(&hello);
    ck_assert_str_eq(hello.target, TARGET);
}

void
peer_say_hello(void)
{
    struct bytes flight = {0};

    peer_add_known_hello(&flight);
    peer_send(&flight);
}

void
application_expect_reset(void)
{
    char byte;

    ck_assert_int_eq(recv(application, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, ECONNRESET);
}

struct order {
    enum reset_code code;
    const char *reason;
};

static void
end_it(void *arg)
{
    const struct order *order = arg;

    if (worker.connections != NULL)
        connection_close(worker.connections, order->code, order->reason);
}

void
connection_end_it(enum reset_code code, const char *reason)
{
    struct order order = {code, reason};

    loop_do(end_it, &order);
}

static void
enforce(void *arg)
{
    worker_rule_by(&worker, arg);
    connection_enforce(worker.connections, arg);
}

void
connection_apply(const char *keys)
{
    const struct service_settings *service = arrival->snapshot->service;
    struct config_text *next = read_section(service->role, 1, keys);

    next->config->generation = 1;
    loop_do(enforce, next->config);
    config_text_free(next);
}

static void
lose(void *arg)
{
    (void)arg;
    while (worker.connections != NULL)
        connection_drop(worker.connections);
}

void
connection_lose(void)
{
    loop_do(lose, NULL);
}

const struct counters *
connection_counters(void)
{
    return counters;
}

unsigned
connection_first(void)
{
    uint8_t order[DESTINATIONS_MAX];

    snapshot_order(arrival->snapshot, order);
    return order[0];
}
