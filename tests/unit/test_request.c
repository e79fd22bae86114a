/* SPDX-License-Identifier: BSD-2-Clause */
/* src/wire/request.c */
#include "wire/request.h"

#include <stdio.h>
#include <string.h>

#include "check_main.h"

static struct request request;

static int
parse(const char *text)
{
    return request_parse((const uint8_t *)text, strlen(text), &request);
}

START_TEST(a_request_is_taken_apart)
{
    ck_assert_int_eq(parse("GET /status.json?x=1 HTTP/1.1\r\n"
                           "host:  localhost:80 \r\n\r\n"),
                     200);
    ck_assert_int_eq(request.method, REQUEST_GET);
    ck_assert_str_eq(request.path, "/status.json");
    ck_assert_str_eq(request.host, "localhost:80");
    ck_assert(!request.marked);
    ck_assert_uint_eq(request.body_size, 0);
}
END_TEST

START_TEST(a_body_is_as_long_as_it_says)
{
    ck_assert_int_eq(parse("POST /close HTTP/1.1\nkerbwrap-action: x\n"
                           "Content-Length: 4\n\nid=12"),
                     200);
    ck_assert_int_eq(request.method, REQUEST_POST);
    ck_assert(request.marked);
    ck_assert_uint_eq(request.body_size, 4);
    ck_assert_mem_eq(request.body, "id=1", 4);
}
END_TEST

START_TEST(no_part_of_a_request_is_taken_for_a_whole)
{
    static const char whole[] = "POST / HTTP/1.1\r\nHost: a\r\n"
                                "Content-Length: 2\r\n\r\nab";

    for (size_t i = 0; i < sizeof whole - 1; i++)
        ck_assert_int_eq(request_parse((const uint8_t *)whole, i, &request), 0);
    ck_assert_int_eq(parse(whole), 200);
}
END_TEST

static const struct {
    const char *text;
    int status;
} refused[] = {
    {"\r\n\r\n", 400},
    {"GET\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET x HTTP/1.1\r\n\r\n", 400},
    {"GET http://a/ HTTP/1.1\r\n\r\n", 400},
    {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/2.0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
    {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
};

START_TEST(what_is_no_request_is_refused)
{
    ck_assert_int_eq(parse(refused[_i].text), refused[_i].status);
}
END_TEST

START_TEST(too_long_a_path_and_head_are_refused)
{
    char text[REQUEST_HEAD_MAX + 100];

    snprintf(text, sizeof text, "GET /%0200d HTTP/1.1\r\n\r\n", 0);
    ck_assert_int_eq(parse(text), 414);
    memset(text, 'a', sizeof text);
    ck_assert_int_eq(
        request_parse((const uint8_t *)text, REQUEST_HEAD_MAX - 1, &request),
        0);
    ck_assert_int_eq(
        request_parse((const uint8_t *)text, REQUEST_HEAD_MAX, &request), 431);
}
END_TEST

START_TEST(only_loopback_names_are_local)
{
    static const char *const local[] = {"localhost",   "LocalHost:80",
                                        "127.0.0.1:9", "127.1.2.3",
                                        "[::1]",       "[::1]:80"};
    static const char *const foreign[] = {"",
                                          "localhost.evil.test",
                                          "127.0.0.1.evil.test",
                                          "evil.test",
                                          "[::2]",
                                          "xlocalhost",
                                          "10.0.0.1"};

    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        ck_assert_msg(request_host_is_local(local[i]), "%s", local[i]);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        ck_assert_msg(!request_host_is_local(foreign[i]), "%s", foreign[i]);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("request");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, a_request_is_taken_apart);
    tcase_add_test(tests, a_body_is_as_long_as_it_says);
    tcase_add_test(tests, no_part_of_a_request_is_taken_for_a_whole);
    tcase_add_loop_test(tests, what_is_no_request_is_refused, 0,
                        sizeof refused / sizeof refused[0]);
    tcase_add_test(tests, too_long_a_path_and_head_are_refused);
    tcase_add_test(tests, only_loopback_names_are_local);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
