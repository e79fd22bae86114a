/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A caller asks, waits, takes the answer, and lingers until he has closed, for
 * to close first with bytes of his unread would take the answer from him.
 */
#include "proxy/http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/peer.h"
#include "base/socket.h"
#include "base/timer.h"
#include "base/watch.h"
#include "proxy/listener.h"

enum {
    SOCKET_MODE = 0600,
    ANSWER_MS = 5000, /* to make one */
    LINGER_MS = 1000,
};

enum caller_state {
    CALLER_FREE,
    CALLER_ASKING,
    CALLER_WAITING,
    CALLER_TAKING,
    CALLER_LINGERING,
};

/* How long a caller may be in a state, whatever he does. */
static const uint64_t state_ms[] = {
    [CALLER_ASKING] = 5000,
    [CALLER_WAITING] = ANSWER_MS,
    [CALLER_TAKING] = 10000,
    [CALLER_LINGERING] = LINGER_MS,
};

struct caller {
    /* owned */
    int fd;
    struct watch watch;
    struct timer limit;
    struct evbuffer *out;
    /* borrowed */
    struct http *http;
    /* plain */
    enum caller_state state;
    uint64_t id;
    bool head_only;
    size_t size;
    uint8_t bytes[REQUEST_MAX];
};

struct http {
    /* owned */
    struct listener *listener;
    struct caller callers[HTTP_CALLERS_MAX];
    /* borrowed */
    struct loop *loop;
    void *arg;
    /* plain */
    http_called *on_called;
    bool is_unix;
    uint64_t next_id;
};

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {431, "Request Header Fields Too Large"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

static const char *
reason_of(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

/* The states. */

static void
enter(struct caller *caller, enum caller_state state)
{
    caller->state = state;
    timer_start(&caller->limit, state_ms[state]);
}

static void
caller_close(struct caller *caller)
{
    if (caller->state == CALLER_FREE)
        return;
    watch_clear(&caller->watch);
    timer_stop(&caller->limit);
    close(caller->fd);
    if (caller->out != NULL)
        evbuffer_free(caller->out);
    caller->out = NULL;
    caller->state = CALLER_FREE;
}

/* False: he is gone. */
static bool
receive(struct caller *caller)
{
    while (caller->size < sizeof caller->bytes) {
        ssize_t n = read(caller->fd, caller->bytes + caller->size,
                         sizeof caller->bytes - caller->size);
        if (n > 0)
            caller->size += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
    return true;
}

static bool
may_call(const struct caller *caller, const struct request *request)
{
    return caller->http->is_unix || request->host[0] == '\0' ||
           request_host_is_local(request->host);
}

static void
serve(struct caller *caller, const struct request *request)
{
    struct http *http = caller->http;
    struct http_call call = {.id = caller->id, .request = request};
    struct error ignored;

    call.local_user = http->is_unix &&
                      peer_user(caller->fd, &call.user, &ignored);
    if (request->method == REQUEST_OTHER)
        http_say(http, caller->id, 405, "only GET, HEAD and POST are known");
    else if (!may_call(caller, request))
        http_say(http, caller->id, 403,
                 "Host names another machine: use localhost");
    else
        http->on_called(&call, http->arg);
}

static void
ask(struct caller *caller)
{
    struct request request;
    bool there = receive(caller);
    int status = request_parse(caller->bytes, caller->size, &request);

    if (status == 0) {
        if (!there)
            caller_close(caller);
        return;
    }
    enter(caller, CALLER_WAITING);
    caller->head_only = status == 200 && request.method == REQUEST_HEAD;
    if (status == 200)
        serve(caller, &request);
    else
        http_say(caller->http, caller->id, status, "%s", reason_of(status));
}

static void
linger(struct caller *caller)
{
    char nothing[4096];
    ssize_t n;

    do
        n = read(caller->fd, nothing, sizeof nothing);
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        caller_close(caller);
}

static void
take(struct caller *caller)
{
    while (evbuffer_get_length(caller->out) > 0) {
        if (evbuffer_write(caller->out, caller->fd) > 0)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            caller_close(caller);
        return;
    }
    (void)shutdown(caller->fd, SHUT_WR);
    enter(caller, CALLER_LINGERING);
    linger(caller);
}

static void
on_ready(void *arg)
{
    struct caller *caller = arg;

    if (caller->state == CALLER_ASKING)
        ask(caller);
    else if (caller->state == CALLER_TAKING)
        take(caller);
    else if (caller->state == CALLER_LINGERING)
        linger(caller);
}

static void
on_limit(void *arg)
{
    struct caller *caller = arg;

    if (caller->state == CALLER_WAITING)
        http_say(caller->http, caller->id, 503,
                 "an event loop does not answer within %d seconds",
                 ANSWER_MS / 1000);
    else
        caller_close(caller);
}

/* Coming. */

/* A free place; or that of whoever has been silent for longest. */
static struct caller *
find_place(struct http *http)
{
    struct caller *place = NULL;

    for (size_t i = 0; i < HTTP_CALLERS_MAX; i++) {
        struct caller *caller = &http->callers[i];
        if (caller->state == CALLER_FREE)
            return caller;
        if ((caller->state == CALLER_ASKING ||
             caller->state == CALLER_LINGERING) &&
            (place == NULL || caller->id < place->id))
            place = caller;
    }
    if (place != NULL)
        caller_close(place);
    return place;
}

static void
turn_away(int fd)
{
    static const char full[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Connection: close\r\n\r\n";

    (void)send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void
on_accepted(int fd, const struct address *peer, void *arg)
{
    struct http *http = arg;
    struct caller *caller = find_place(http);

    (void)peer;
    if (caller == NULL) {
        turn_away(fd);
        return;
    }
    *caller = (struct caller){.fd = fd, .http = http, .id = ++http->next_id};
    caller->out = evbuffer_new();
    timer_init(&caller->limit, http->loop, on_limit, caller);
    enter(caller, CALLER_ASKING);
    if (caller->out == NULL ||
        !watch_init(&caller->watch, http->loop, fd, on_ready, caller))
        caller_close(caller);
}

static const char *
why_full(void *arg)
{
    (void)arg;
    return NULL;
}

static void
on_pause(const char *reason, void *arg)
{
    (void)arg;
    if (reason != NULL)
        log_event(EVENT_ACCEPT_PAUSED, LOG_TEXT("service", "status"),
                  LOG_TEXT("reason", reason));
    else
        log_event(EVENT_ACCEPT_RESUMED, LOG_TEXT("service", "status"));
}

struct http *
http_new(struct loop *loop, const struct endpoint *endpoint,
         http_called *on_called, void *arg, struct error *err)
{
    const struct socket_permissions permissions = {SOCKET_MODE, OWNER_AS_IS};
    struct http *http = calloc(1, sizeof *http);
    const struct listener_handler handler = {
        .why_full = why_full,
        .on_accepted = on_accepted,
        .on_pause = on_pause,
        .arg = http,
    };

    if (http == NULL) {
        error_set(err, "cannot offer the status: out of memory");
        return NULL;
    }
    http->loop = loop;
    http->on_called = on_called;
    http->arg = arg;
    http->is_unix = endpoint->kind == ENDPOINT_UNIX;
    http->listener = listener_new(endpoint, &permissions, NULL, err);
    if (http->listener == NULL ||
        !listener_start(http->listener, loop, &handler, err)) {
        http_free(http);
        return NULL;
    }
    return http;
}

void
http_free(struct http *http)
{
    if (http == NULL)
        return;
    listener_free(http->listener);
    for (size_t i = 0; i < HTTP_CALLERS_MAX; i++)
        caller_close(&http->callers[i]);
    free(http);
}

/* Answering. */

static struct caller *
find_waiting(struct http *http, uint64_t id)
{
    for (size_t i = 0; i < HTTP_CALLERS_MAX; i++)
        if (http->callers[i].state == CALLER_WAITING &&
            http->callers[i].id == id)
            return &http->callers[i];
    return NULL;
}

void
http_reply(struct http *http, uint64_t id, const struct http_answer *answer)
{
    struct caller *caller = find_waiting(http, id);

    if (caller == NULL)
        return;
    evbuffer_add_printf(
        caller->out,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
        "Connection: close\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\n"
        "Content-Security-Policy: %s; frame-ancestors 'none'\r\n\r\n",
        answer->status, reason_of(answer->status), answer->type,
        evbuffer_get_length(answer->body),
        answer->policy != NULL ? answer->policy : "default-src 'none'");
    if (!caller->head_only)
        evbuffer_add_buffer(caller->out, answer->body);
    enter(caller, CALLER_TAKING);
    watch_again(&caller->watch);
}

void
http_say(struct http *http, uint64_t id, int status, const char *format, ...)
{
    struct http_answer answer = {
        .status = status,
        .type = "text/plain; charset=utf-8",
        .body = evbuffer_new(),
    };
    va_list args;

    if (answer.body == NULL)
        return;
    va_start(args, format);
    evbuffer_add_vprintf(answer.body, format, args);
    va_end(args);
    evbuffer_add(answer.body, "\n", 1);
    http_reply(http, id, &answer);
    evbuffer_free(answer.body);
}
