/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `kerbwrap status`: asks the running daemon for /status.json and prints it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "cli/cli.h"
#include "config/config.h"

enum {
    ANSWER_MS = 10000,
    ANSWER_MAX = 64 * 1024 * 1024,
    READ_SIZE = 65536
};

struct answer {
    char *text; /* owned; terminated */
    size_t size, room;
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
send_request(int fd, struct error *err)
{
    static const char request[] =
        "GET /status.json HTTP/1.0\r\nHost: localhost\r\n\r\n";

    if (!wait_for(fd, POLLOUT, err))
        return false;
    int number = socket_connect_result(fd);
    if (number == 0 &&
        write(fd, request, sizeof request - 1) == (ssize_t)sizeof request - 1)
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

/* The body of a 200; else NULL. */
static const char *
body_of(const struct answer *answer, struct error *err)
{
    const char *body = strstr(answer->text, "\r\n\r\n");

    if (body != NULL && strncmp(answer->text, "HTTP/1.", 7) == 0 &&
        strncmp(answer->text + 8, " 200", 4) == 0)
        return body + 4;
    error_set(err, "the status socket answers something else; is it "
                   "kerbwrap's?");
    return NULL;
}

static bool
fetch(const struct endpoint *endpoint, struct answer *answer, struct error *err)
{
    struct address address;
    size_t count;

    /* As the daemon does, who listens on the first. */
    if (!endpoint_resolve(endpoint, &address, 1, &count, err))
        return false;
    int fd = socket_connect_start(&address, SOCKET_ENDS_CLEANLY, err);
    if (fd < 0)
        return false;
    bool done = send_request(fd, err) && receive(fd, answer, err);
    close(fd);
    return done;
}

static int
print_status(const struct config *config)
{
    const struct global_settings *global = &config->global;
    struct answer answer = {0};
    struct error error;
    char where[ADDRESS_TEXT_SIZE];
    int status = CLI_FAILED;
    const char *body = NULL;

    endpoint_format(&global->status, where, sizeof where);
    if (!global->status_enabled)
        error_set(&error, "cannot ask for the status: `status = none` in %s",
                  config->path);
    else if (!fetch(&global->status, &answer, &error))
        error_prefix(&error, "cannot ask kerbwrap at %s (does it run?)", where);
    else
        body = body_of(&answer, &error);
    if (body != NULL && fputs(body, stdout) >= 0 && fflush(stdout) == 0)
        status = CLI_DONE;
    else if (body == NULL)
        cli_complain("%s", error.text);
    free(answer.text);
    return status;
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
    status = print_status(config);
    config_release(config);
    return status;
}
