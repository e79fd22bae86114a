/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects, writes, reads to the end. */
#include "cli/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "base/text.h"

enum {
    ANSWER_MS = 10000,
    ANSWER_MAX = 64 * 1024 * 1024,
    READ_SIZE = 65536,
    REQUEST_SIZE = 4096
};

static bool
wait_for(int fd, short events, struct error *err)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int n = poll(&wait, 1, ANSWER_MS);

    if (n > 0)
        return true;
    if (n == 0)
        error_set(err, "no answer within %d seconds", ANSWER_MS / 1000);
    else
        error_set_errno(err, errno, "cannot wait for the answer");
    return false;
}

static bool
send_request(int fd, const char *path, const char *body, struct error *err)
{
    char request[REQUEST_SIZE];
    int size = snprintf(request, sizeof request,
                        "%s %s HTTP/1.0\r\nHost: localhost\r\n"
                        "Kerbwrap-Action: ask\r\nContent-Length: %zu\r\n\r\n"
                        "%s",
                        body != NULL ? "POST" : "GET", path,
                        body != NULL ? strlen(body) : 0,
                        body != NULL ? body : "");

    if (size >= (int)sizeof request) {
        error_set(err, "cannot ask: the question is too long");
        return false;
    }
    if (!wait_for(fd, POLLOUT, err))
        return false;
    int number = socket_connect_result(fd);
    if (number == 0 && write(fd, request, (size_t)size) == size)
        return true;
    error_set_errno(err, number != 0 ? number : errno, "cannot ask");
    return false;
}

static bool
make_room(struct answer *answer, struct error *err)
{
    if (answer->room - answer->size > READ_SIZE)
        return true;
    size_t room = (answer->room + READ_SIZE) * 2;
    char *text = room <= ANSWER_MAX ? realloc(answer->text, room) : NULL;
    if (text == NULL) {
        error_set(err, "cannot read the answer: too large");
        return false;
    }
    answer->text = text;
    answer->room = room;
    return true;
}

static bool
receive(int fd, struct answer *answer, struct error *err)
{
    for (;;) {
        if (!make_room(answer, err) || !wait_for(fd, POLLIN, err))
            return false;
        ssize_t n = read(fd, answer->text + answer->size, READ_SIZE);
        if (n > 0)
            answer->size += (size_t)n;
        else if (n == 0)
            break;
        else if (errno != EAGAIN && errno != EINTR) {
            error_set_errno(err, errno, "cannot read the answer");
            return false;
        }
    }
    answer->text[answer->size] = '\0';
    return true;
}

/* Finds the body; of anything but a 200 it is the sentence that says why. */
static bool
split(struct answer *answer, struct error *err)
{
    char *body = strstr(answer->text, "\r\n\r\n");
    char sentence[256];

    if (body == NULL || strncmp(answer->text, "HTTP/1.", 7) != 0) {
        error_set(err, "the status socket answers something else; is it "
                       "kerbwrap's?");
        return false;
    }
    answer->body = body + 4;
    if (strncmp(answer->text + 8, " 200", 4) == 0)
        return true;
    text_sanitize(answer->body, strcspn(answer->body, "\n"), sentence,
                  sizeof sentence);
    error_set(err, "kerbwrap answers: %s", sentence);
    return false;
}

static bool
fetch(const struct endpoint *endpoint, const char *path, const char *body,
      struct answer *answer, struct error *err)
{
    struct address address;
    size_t count;

    /* As the daemon does, who listens on the first. */
    if (!endpoint_resolve(endpoint, &address, 1, &count, err))
        return false;
    int fd = socket_connect_start(&address, SOCKET_ENDS_CLEANLY, err);
    if (fd < 0)
        return false;
    bool done = send_request(fd, path, body, err) && receive(fd, answer, err);
    close(fd);
    return done;
}

bool
ask(const struct config *config, const char *path, const char *body,
    struct answer *answer_out, struct error *err)
{
    const struct global_settings *global = &config->global;
    struct answer answer = {.size = 0};
    char where[ADDRESS_TEXT_SIZE];
    bool done = false;

    endpoint_format(&global->status, where, sizeof where);
    if (!global->status_enabled)
        error_set(err, "cannot ask for the status: `status = none` in %s",
                  config->path);
    else if (!fetch(&global->status, path, body, &answer, err))
        error_prefix(err, "cannot ask kerbwrap at %s (does it run?)", where);
    else
        done = split(&answer, err);
    if (done)
        *answer_out = answer;
    else
        free(answer.text);
    return done;
}
