/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/endpoint.c and address.c. */
#include "check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/endpoint.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    enum endpoint_kind kind;
    const char *host;
    uint16_t port;
    const char *path;
    bool local;
} endpoints[] = {
    {"127.0.0.1:80", ENDPOINT_TCP, "127.0.0.1", 80, "", true},
    {"127.9.9.9:80", ENDPOINT_TCP, "127.9.9.9", 80, "", true},
    {"0.0.0.0:80", ENDPOINT_TCP, "0.0.0.0", 80, "", false},
    {"10.0.0.1:65535", ENDPOINT_TCP, "10.0.0.1", 65535, "", false},
    {"[::1]:7443", ENDPOINT_TCP, "::1", 7443, "", true},
    {"[::]:7443", ENDPOINT_TCP, "::", 7443, "", false},
    {"[::ffff:127.0.0.1]:1", ENDPOINT_TCP, "::ffff:127.0.0.1", 1, "", true},
    {"[2001:db8::7]:1", ENDPOINT_TCP, "2001:db8::7", 1, "", false},
    {"localhost:5432", ENDPOINT_TCP, "localhost", 5432, "", true},
    {"LocalHost:5432", ENDPOINT_TCP, "LocalHost", 5432, "", true},
    {"localhost.example.test:1", ENDPOINT_TCP, "localhost.example.test", 1, "",
     false},
    {"db-1.corp_x.test:5432", ENDPOINT_TCP, "db-1.corp_x.test", 5432, "",
     false},
    {"unix:/run/app.sock", ENDPOINT_UNIX, "", 0, "/run/app.sock", true},
    {"unix:/odd:name", ENDPOINT_UNIX, "", 0, "/odd:name", true},
    {"fd:web", ENDPOINT_FD, "", 0, "web", true},
};

START_TEST(endpoint_is_read_and_written_back)
{
    struct endpoint endpoint;
    char text[ENDPOINT_TEXT_SIZE];

    ck_assert(endpoint_parse(endpoints[_i].text, false, &endpoint, NULL));
    endpoint_format(&endpoint, text, sizeof text);

    ck_assert_int_eq(endpoint.kind, endpoints[_i].kind);
    ck_assert_str_eq(endpoint.host, endpoints[_i].host);
    ck_assert_uint_eq(endpoint.port, endpoints[_i].port);
    ck_assert_str_eq(endpoint.path, endpoints[_i].path);
    ck_assert(endpoint_is_local(&endpoint) == endpoints[_i].local);
    ck_assert_str_eq(text, endpoints[_i].text);
}
END_TEST

static const struct {
    const char *text;
    const char *reason;
} malformed[] = {
    {"", "write HOST:PORT, unix:PATH or fd:NAME"},
    {"5432", "write HOST:PORT, unix:PATH or fd:NAME"},
    {":5432", "write HOST:PORT, unix:PATH or fd:NAME"},
    {"host:", "the port must be from 1 to 65535"},
    {"host:0", "the port must be from 1 to 65535"},
    {"host:65536", "the port must be from 1 to 65535"},
    {"host:+1", "the port must be from 1 to 65535"},
    {"host:http", "the port must be from 1 to 65535"},
    {"::1:80", "an IPv6 address is written [ADDRESS]:PORT"},
    {"[::1]", "an IPv6 address is written [ADDRESS]:PORT"},
    {"[::1:80", "an IPv6 address is written [ADDRESS]:PORT"},
    {"[]:80", "write HOST:PORT, unix:PATH or fd:NAME"},
    {"[127.0.0.1]:80", "no IPv6 address is in the brackets"},
    {"[::1%nosuchinterface]:80", "no IPv6 address is in the brackets"},
    {"127.1:80", "the host is not a whole IPv4 address"},
    {"127.0.0.256:80", "the host is not a whole IPv4 address"},
    {"2130706433:80", "the host is not a whole IPv4 address"},
    {"a b:80", "the host is neither a name nor an address"},
    {"-host:80", "the host is neither a name nor an address"},
    {"/tmp/x:80", "the host is neither a name nor an address"},
    {"unix:", "a path must follow unix:"},
    {"fd:", "a name of letters, digits, '.', '_' and '-' must follow fd:"},
    {"fd:a:b", "a name of letters, digits, '.', '_' and '-' must follow fd:"},
};

START_TEST(malformed_endpoint_is_refused)
{
    struct endpoint endpoint;
    struct error err;
    char expected[160];

    ck_assert(!endpoint_parse(malformed[_i].text, false, &endpoint, &err));

    snprintf(expected, sizeof expected, "cannot read \"%s\" as an address: %s",
             malformed[_i].text, malformed[_i].reason);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

START_TEST(port_zero_is_taken_where_it_is_allowed)
{
    struct endpoint endpoint;
    struct error err;

    ck_assert(endpoint_parse("127.0.0.1:0", true, &endpoint, NULL));
    ck_assert(!endpoint_parse("127.0.0.1:x", true, &endpoint, &err));

    ck_assert_str_eq(err.text, "cannot read \"127.0.0.1:x\" as an address: "
                               "the port must be from 0 to 65535");
}
END_TEST

START_TEST(longest_path_fits_and_the_next_does_not)
{
    struct endpoint endpoint;
    struct error err;
    char text[5 + 108 + 1] = "unix:";
    memset(text + 5, 'p', 108);

    ck_assert(!endpoint_parse(text, false, &endpoint, &err));
    ck_assert_ptr_nonnull(strstr(err.text, ": the path is over 107 bytes"));
    text[5 + 107] = '\0';
    ck_assert(endpoint_parse(text, false, &endpoint, NULL));
}
END_TEST

START_TEST(host_name_of_256_bytes_is_refused)
{
    struct endpoint endpoint;
    char text[256 + 3 + 1];
    memset(text, 'h', 256);
    memcpy(text + 256, ":80", 4);

    ck_assert(!endpoint_parse(text, false, &endpoint, NULL));
}
END_TEST

static void
address_of(const char *text, struct address *address)
{
    struct endpoint endpoint;

    ck_assert(endpoint_parse(text, true, &endpoint, NULL));
    ck_assert(endpoint_literal(&endpoint, address));
}

static const struct {
    const char *endpoint;
    const char *address;
} shown[] = {
    {"127.0.0.1:80", "127.0.0.1:80"},
    {"[::1]:7443", "[::1]:7443"},
    {"[2001:0db8:0::0007]:1", "[2001:db8::7]:1"},
    {"[::ffff:10.1.2.3]:9", "10.1.2.3:9"},
    {"unix:/run/x", "unix:/run/x"},
};

START_TEST(literal_needs_no_resolver_and_is_shown)
{
    struct address address;
    char text[ADDRESS_TEXT_SIZE];

    address_of(shown[_i].endpoint, &address);
    address_format(&address, text, sizeof text);

    ck_assert_str_eq(text, shown[_i].address);
}
END_TEST

START_TEST(names_and_passed_descriptors_are_no_literals)
{
    struct endpoint endpoint;
    struct address address;

    ck_assert(endpoint_parse("localhost:1", false, &endpoint, NULL));
    ck_assert(!endpoint_literal(&endpoint, &address));
    ck_assert(endpoint_parse("fd:web", false, &endpoint, NULL));
    ck_assert(!endpoint_literal(&endpoint, &address));
}
END_TEST

START_TEST(unix_addresses_of_any_length_are_shown)
{
    struct address address = {.storage.ss_family = AF_UNIX};
    struct sockaddr_un *local = (void *)&address.storage;
    char text[ADDRESS_TEXT_SIZE];

    address.length = sizeof(sa_family_t);
    address_format(&address, text, sizeof text);
    ck_assert_str_eq(text, "unix");

    memcpy(local->sun_path, "\0abc", 4);
    address.length = sizeof(sa_family_t) + 4;
    address_format(&address, text, sizeof text);
    ck_assert_str_eq(text, "unix:@abc");

    memset(local->sun_path, 'p', sizeof local->sun_path);
    address.length = sizeof *local;
    address_format(&address, text, sizeof text);
    ck_assert_uint_eq(strlen(text), 5 + 108);
}
END_TEST

static const struct {
    const char *a, *b;
    bool same;
} hosts[] = {
    {"127.0.0.1:1", "127.0.0.1:2", true},
    {"127.0.0.1:1", "127.0.0.2:1", false},
    {"[::1]:1", "[::1]:2", true},
    {"[::1]:1", "[::2]:1", false},
    {"10.0.0.1:1", "[::ffff:10.0.0.1]:1", true},
    {"10.0.0.1:1", "[::ffff:10.0.0.2]:1", false},
    {"127.0.0.1:1", "[::1]:1", false},
    {"unix:/a", "unix:/b", true},
    {"unix:/a", "127.0.0.1:1", false},
};

START_TEST(same_host_ignores_port_and_path)
{
    struct address a, b;
    address_of(hosts[_i].a, &a);
    address_of(hosts[_i].b, &b);

    ck_assert(address_same_host(&a, &b) == hosts[_i].same);
    ck_assert(address_same_host(&b, &a) == hosts[_i].same);
}
END_TEST

START_TEST(localhost_resolves_to_loopback)
{
    struct endpoint endpoint;
    struct address addresses[4];
    char text[ADDRESS_TEXT_SIZE];
    size_t count = 0;
    ck_assert(endpoint_parse("localhost:5432", false, &endpoint, NULL));

    ck_assert(endpoint_resolve(&endpoint, addresses, 4, &count, NULL));

    ck_assert_uint_ge(count, 1);
    address_format(&addresses[0], text, sizeof text);
    ck_assert(strcmp(text, "127.0.0.1:5432") == 0 ||
              strcmp(text, "[::1]:5432") == 0);
}
END_TEST

START_TEST(passed_descriptor_cannot_be_connected_to)
{
    struct endpoint endpoint;
    struct address address;
    size_t count;
    struct error err;
    ck_assert(endpoint_parse("fd:web", false, &endpoint, NULL));

    ck_assert(!endpoint_resolve(&endpoint, &address, 1, &count, &err));

    ck_assert_str_eq(err.text,
                     "cannot connect to fd:web: it can only be listened on");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("endpoint");
    TCase *texts = tcase_create("texts");
    TCase *addresses = tcase_create("addresses");

    tcase_add_loop_test(texts, endpoint_is_read_and_written_back, 0,
                        COUNT(endpoints));
    tcase_add_loop_test(texts, malformed_endpoint_is_refused, 0,
                        COUNT(malformed));
    tcase_add_test(texts, port_zero_is_taken_where_it_is_allowed);
    tcase_add_test(texts, longest_path_fits_and_the_next_does_not);
    tcase_add_test(texts, host_name_of_256_bytes_is_refused);
    suite_add_tcase(suite, texts);

    tcase_add_loop_test(addresses, literal_needs_no_resolver_and_is_shown, 0,
                        COUNT(shown));
    tcase_add_test(addresses, names_and_passed_descriptors_are_no_literals);
    tcase_add_test(addresses, unix_addresses_of_any_length_are_shown);
    tcase_add_loop_test(addresses, same_host_ignores_port_and_path, 0,
                        COUNT(hosts));
    tcase_add_test(addresses, localhost_resolves_to_loopback);
    tcase_add_test(addresses, passed_descriptor_cannot_be_connected_to);
    suite_add_tcase(suite, addresses);
    return suite;
}

CHECK_MAIN(make_suite)
