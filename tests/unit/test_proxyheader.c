/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers as HAProxy's proxy-protocol.txt lays them out, byte by byte. */
#include "wire/proxyheader.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "check_main.h"

#define SIGNATURE "0d0a0d0a000d0a515549540a"
#define ALICE "e0 0007 616c696365 4052"

static struct address
address_of(const char *text)
{
    struct endpoint endpoint;
    struct address address;

    ck_assert(endpoint_parse(text, true, &endpoint, NULL));
    ck_assert(endpoint_literal(&endpoint, &address));
    return address;
}

static struct address
unnamed(void)
{
    struct address address = {.length = sizeof(sa_family_t)};

    address.storage.ss_family = AF_UNIX;
    return address;
}

/* expected: digits, blanks between them left out. */
static void
expect(struct address from, struct address to, const char *expected)
{
    uint8_t header[PROXYHEADER_MAX];
    char got[2 * PROXYHEADER_MAX + 1], wanted[2 * PROXYHEADER_MAX + 1];
    size_t size = 0, used = 0;

    ck_assert(proxyheader_encode(&from, &to, "alice@R", header, &size, NULL));
    for (size_t i = 0; i < size; i++)
        snprintf(got + 2 * i, 3, "%02x", header[i]);
    for (; *expected != '\0'; expected++)
        if (*expected != ' ')
            wanted[used++] = *expected;
    wanted[used] = '\0';
    ck_assert_str_eq(got, wanted);
}

START_TEST(ipv4_is_sent_with_both_ports)
{
    expect(address_of("192.0.2.7:50000"), address_of("198.51.100.1:7443"),
           SIGNATURE "21 11 0016 c0000207 c6336401 c350 1d13" ALICE);
}
END_TEST

START_TEST(ipv6_is_sent_with_both_ports)
{
    expect(address_of("[2001:db8::7]:50000"), address_of("[2001:db8::1]:7443"),
           SIGNATURE "21 21 002e 20010db8000000000000000000000007"
                     "20010db8000000000000000000000001 c350 1d13" ALICE);
}
END_TEST

START_TEST(ipv4_inside_ipv6_is_sent_as_ipv4)
{
    expect(address_of("[::ffff:192.0.2.7]:50000"),
           address_of("[::ffff:198.51.100.1]:7443"),
           SIGNATURE "21 11 0016 c0000207 c6336401 c350 1d13" ALICE);
}
END_TEST

START_TEST(unix_paths_are_padded_and_a_nameless_one_is_zeros)
{
    char zeros[2 * 108 + 1], expected[1024];
    const char *path = "2f72756e2f78"; /* /run/x */

    memset(zeros, '0', sizeof zeros - 1);
    zeros[sizeof zeros - 1] = '\0';
    snprintf(expected, sizeof expected, SIGNATURE "21 31 00e2 %s %s%s" ALICE,
             zeros, path, zeros + strlen(path));
    expect(unnamed(), address_of("unix:/run/x"), expected);
}
END_TEST

START_TEST(a_path_that_fills_its_field_has_no_terminator)
{
    struct address full = unnamed();
    struct sockaddr_un *un = (struct sockaddr_un *)&full.storage;
    uint8_t header[PROXYHEADER_MAX];
    size_t size;

    memset(un->sun_path, 'x', sizeof un->sun_path);
    full.length = sizeof *un;
    ck_assert(proxyheader_encode(&full, &full, "", header, &size, NULL));
    ck_assert_uint_eq(size, 16 + 216 + 3);
    ck_assert_mem_eq(header + 16, un->sun_path, 108);
    ck_assert_mem_eq(header + 16 + 108, un->sun_path, 108);
}
END_TEST

START_TEST(unlike_or_unknown_families_are_unspec)
{
    struct address other = {.length = 2};

    other.storage.ss_family = AF_NETLINK;
    expect(address_of("192.0.2.7:1"), address_of("[2001:db8::1]:2"),
           SIGNATURE "21 00 000a" ALICE);
    expect(other, other, SIGNATURE "21 00 000a" ALICE);
}
END_TEST

START_TEST(longest_principal_fits_and_a_longer_one_is_refused)
{
    struct address v4 = address_of("192.0.2.7:1");
    uint8_t header[PROXYHEADER_MAX];
    char principal[PROXYHEADER_PRINCIPAL_MAX + 2];
    struct error err = {.text = ""};
    size_t size = 0;

    memset(principal, 'p', sizeof principal);
    principal[PROXYHEADER_PRINCIPAL_MAX] = '\0';
    ck_assert(proxyheader_encode(&v4, &v4, principal, header, &size, &err));
    ck_assert_uint_eq(size, 16 + 12 + 3 + 1024);
    ck_assert_mem_eq(header + 14, "\x04\x0f", 2);
    ck_assert_mem_eq(header + 28, "\xe0\x04\x00", 3);

    principal[PROXYHEADER_PRINCIPAL_MAX] = 'p';
    principal[PROXYHEADER_PRINCIPAL_MAX + 1] = '\0';
    ck_assert(!proxyheader_encode(&v4, &v4, principal, header, &size, &err));
    ck_assert_str_eq(err.text,
                     "cannot tell the application who connects: the principal "
                     "has 1025 bytes, and 1024 fit in a PROXY header");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("proxyheader");
    TCase *tests = tcase_create("encode");

    tcase_add_test(tests, ipv4_is_sent_with_both_ports);
    tcase_add_test(tests, ipv6_is_sent_with_both_ports);
    tcase_add_test(tests, ipv4_inside_ipv6_is_sent_as_ipv4);
    tcase_add_test(tests, unix_paths_are_padded_and_a_nameless_one_is_zeros);
    tcase_add_test(tests, a_path_that_fills_its_field_has_no_terminator);
    tcase_add_test(tests, unlike_or_unknown_families_are_unspec);
    tcase_add_test(tests, longest_principal_fits_and_a_longer_one_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
