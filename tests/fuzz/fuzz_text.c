/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: one letter that says which of the small texts follows.  What parses is
 * written as a text that parses to the same; what is shown is safe to show.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/text.h"
#include "directory/guid.h"
#include "directory/host.h"
#include "directory/ldapclient.h"

enum {
    TEXT_MAX = 4096
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
must(bool truth)
{
    if (!truth)
        abort();
}

static void
try_duration(const char *text)
{
    uint64_t ms, again;
    char out[64];
    struct error err;

    if (!duration_parse(text, &ms, &err))
        return;
    duration_format(ms, out, sizeof out);
    must(duration_parse(out, &again, NULL) && again == ms);
}

static void
try_size(const char *text)
{
    uint64_t size, again;
    char out[64];
    struct error err;

    if (!size_parse(text, &size, &err))
        return;
    size_format(size, out, sizeof out);
    must(size_parse(out, &again, NULL) && again == size);
}

static void
try_endpoint(const char *text)
{
    struct endpoint endpoint, again;
    char out[ENDPOINT_TEXT_SIZE];
    struct error err;

    if (!endpoint_parse(text, true, &endpoint, &err))
        return;
    endpoint_format(&endpoint, out, sizeof out);
    must(endpoint_parse(out, true, &again, NULL));
    must(endpoint_equal(&endpoint, &again));
}

static void
try_uri(const char *text)
{
    char host[HOST_SIZE];
    struct error err;

    if (ldapclient_uri_host(text, host, sizeof host, &err))
        must(host_is_valid(host));
}

static void
try_guid(const char *text)
{
    struct guid guid, again;
    char out[GUID_TEXT_SIZE];

    if (!guid_parse(text, &guid))
        return;
    guid_format(&guid, out);
    must(guid_parse(out, &again) && guid_equal(&guid, &again));
}

/* "PATTERN TEXT" and the words of the same. */
static void
try_words(char *text)
{
    const char *words[] = {"connect", "accept", text};
    char *blank = strchr(text, ' ');

    if (blank == NULL)
        return;
    *blank = '\0';
    (void)glob_match(text, blank + 1, "/@");
    must(glob_match("*", blank + 1, ""));
    (void)nearest_word(blank + 1, words, 3);
}

static void
try_showing(const uint8_t *bytes, size_t size)
{
    char safe[TEXT_MAX], json[TEXT_MAX];

    text_sanitize(bytes, size, safe, sizeof safe);
    must(strlen(safe) < sizeof safe);
    for (const char *c = safe; *c != '\0'; c++)
        must((uint8_t)*c >= ' ' && *c != '"' && *c != '\x7f');
    (void)text_json_escape(bytes, size, json, sizeof json);
    for (const char *c = json; *c != '\0'; c++) {
        must((uint8_t)*c >= ' ' && *c != '"');
        if (*c == '\\')
            must(*++c != '\0');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char text[TEXT_MAX];

    if (size < 1 || size > sizeof text)
        return 0;
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    switch (bytes[0]) {
    case 'd':
        try_duration(text);
        break;
    case 's':
        try_size(text);
        break;
    case 'e':
        try_endpoint(text);
        break;
    case 'g':
        try_guid(text);
        break;
    case 'u':
        try_uri(text);
        break;
    case 'w':
        try_words(text);
        break;
    default:
        try_showing(bytes + 1, size - 1);
    }
    return 0;
}
