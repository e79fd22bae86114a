/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line by line through the head, once it is there as a whole.
 */
#include "wire/request.h"

#include <string.h>
#include <strings.h>

/* Part of the head; not terminated. */
struct span {
    const char *at;
    size_t length;
};

static bool
span_is(struct span span, const char *text)
{
    return span.length == strlen(text) &&
           strncasecmp(span.at, text, span.length) == 0;
}

/* What is before the first stop goes, with it; all when there is none. */
static struct span
cut(struct span *rest, char stop)
{
    const char *found = memchr(rest->at, stop, rest->length);
    struct span part = *rest;

    if (found == NULL) {
        rest->at += rest->length;
        rest->length = 0;
        return part;
    }
    part.length = (size_t)(found - part.at);
    rest->at = found + 1;
    rest->length -= part.length + 1;
    return part;
}

static struct span
cut_line(struct span *rest)
{
    struct span line = cut(rest, '\n');

    if (line.length > 0 && line.at[line.length - 1] == '\r')
        line.length--;
    return line;
}

static struct span
trim(struct span span)
{
    while (span.length > 0 && (*span.at == ' ' || *span.at == '\t')) {
        span.at++;
        span.length--;
    }
    while (span.length > 0 && (span.at[span.length - 1] == ' ' ||
                               span.at[span.length - 1] == '\t'))
        span.length--;
    return span;
}

/* False: it does not fit. */
static bool
copy(struct span span, char *out, size_t size)
{
    if (span.length >= size)
        return false;
    memcpy(out, span.at, span.length);
    out[span.length] = '\0';
    return true;
}

static bool
is_plain(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (span.at[i] <= ' ' || span.at[i] == 0x7f)
            return false;
    return true;
}

static int
take_request_line(struct span line, struct request *request)
{
    static const char *const methods[] = {"GET", "HEAD", "POST"};
    struct span method = cut(&line, ' ');
    struct span target = cut(&line, ' ');
    struct span path = cut(&target, '?');

    if (method.length == 0 || path.length == 0 || *path.at != '/' ||
        !is_plain(path) || line.length != 8 ||
        memcmp(line.at, "HTTP/1.", 7) != 0)
        return 400;
    request->method = REQUEST_OTHER;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (method.length == strlen(methods[i]) &&
            memcmp(method.at, methods[i], method.length) == 0)
            request->method = (enum request_method)i;
    return copy(path, request->path, sizeof request->path) ? 200 : 414;
}

static int
take_length(struct span value, size_t *size_out)
{
    size_t size = 0;

    if (value.length == 0)
        return 400;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return 400;
        size = size * 10 + (size_t)(value.at[i] - '0');
        if (size > REQUEST_BODY_MAX)
            return 413;
    }
    *size_out = size;
    return 200;
}

/* Twice the same header that counts is a trick. */
static int
take_header(struct span line, struct request *request, bool *has_length)
{
    struct span name = cut(&line, ':');
    struct span value = trim(line);

    if (name.length == 0 || !is_plain(name))
        return 400;
    if (span_is(name, "Transfer-Encoding"))
        return 501;
    if (span_is(name, "Kerbwrap-Action"))
        request->marked = true;
    if (span_is(name, "Host")) {
        if (request->host[0] != '\0' || value.length == 0 || !is_plain(value) ||
            !copy(value, request->host, sizeof request->host))
            return 400;
    } else if (span_is(name, "Content-Length")) {
        if (*has_length)
            return 400;
        *has_length = true;
        return take_length(value, &request->body_size);
    }
    return 200;
}

/* The bytes up to and with the empty line; 0: it is not there. */
static size_t
head_size(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes;

    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\n')
            continue;
        if (i + 1 < length && text[i + 1] == '\n')
            return i + 2;
        if (i + 2 < length && text[i + 1] == '\r' && text[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

int
request_parse(const uint8_t *bytes, size_t length, struct request *request_out)
{
    struct request request = {.body_size = 0};
    size_t limit = length < REQUEST_HEAD_MAX ? length : REQUEST_HEAD_MAX;
    size_t head = head_size(bytes, limit);
    bool has_length = false;

    if (head == 0)
        return length < REQUEST_HEAD_MAX ? 0 : 431;
    struct span rest = {(const char *)bytes, head};
    int status = take_request_line(cut_line(&rest), &request);
    while (status == 200) {
        struct span line = cut_line(&rest);
        if (line.length == 0)
            break;
        status = take_header(line, &request, &has_length);
    }
    if (status != 200)
        return status;
    if (length - head < request.body_size)
        return 0;
    request.body = bytes + head;
    *request_out = request;
    return 200;
}

bool
request_host_is_local(const char *host)
{
    static const char *const names[] = {"localhost", "[::1]"};
    size_t length = 0;

    /* An address is nobody's name: whoever calls by it knows where he calls. */
    if (strncmp(host, "127.", 4) == 0)
        length = strspn(host, "0123456789.");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncasecmp(host, names[i], strlen(names[i])) == 0)
            length = strlen(names[i]);
    return length > 0 && (host[length] == '\0' || host[length] == ':');
}
