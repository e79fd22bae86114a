/* SPDX-License-Identifier: BSD-2-Clause */
/* SRV answers, honest and hostile, and the order of RFC 2782; host names. */
#include "directory/srv.h"

#include <string.h>

#include "check_main.h"

/* Header: id, flags (answer), 1 question, ANSWERS; question _o._tcp.x SRV IN. */
#define ANSWER(flags, answers)                                                 \
    "\x12\x34\x81" flags "\x00\x01\x00" answers "\x00\x00\x00\x00"             \
    "\x02_o\x04_tcp\x01x\x00\x00\x21\x00\x01"
/* A record for the question's name: type, TTL, length, priority, weight, port */
#define RECORD(type, length, fixed)                                            \
    "\xc0\x0c\x00" type "\x00\x01\x00\x00\x00\x3c\x00" length fixed
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

START_TEST(an_answer_is_read)
{
    struct srv_list list;
    struct error err;
    enum srv_status status = srv_parse(
        BYTES(ANSWER("\x80", "\x02") RECORD(
            "\x21", "\x0b", "\x00\x01\x00\x02\x1b\x58\x02w1\xc0\x14")
                  RECORD("\x21", "\x0b",
                         "\x00\x05\x00\x00\x00\x50\x02w2\xc0\x14")),
        &list, &err);

    ck_assert_int_eq(status, SRV_FOUND);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.records[0].target, "w1.x");
    ck_assert_uint_eq(list.records[0].priority, 1);
    ck_assert_uint_eq(list.records[0].weight, 2);
    ck_assert_uint_eq(list.records[0].port, 7000);
    ck_assert_str_eq(list.records[1].target, "w2.x");
    ck_assert_uint_eq(list.records[1].priority, 5);
}
END_TEST

START_TEST(no_such_name_and_no_record_are_none)
{
    struct srv_list list;
    struct error err;

    ck_assert_int_eq(srv_parse(BYTES(ANSWER("\x83", "\x00")), &list, &err),
                     SRV_NONE);
    ck_assert_int_eq(srv_parse(BYTES(ANSWER("\x80", "\x00")), &list, &err),
                     SRV_NONE);
}
END_TEST

START_TEST(a_single_dot_is_none)
{
    struct srv_list list;
    struct error err;
    enum srv_status status = srv_parse(
        BYTES(ANSWER("\x80", "\x01") RECORD("\x21", "\x07", "\0\0\0\0\0\0\0")),
        &list, &err);

    ck_assert_int_eq(status, SRV_NONE);
}
END_TEST

START_TEST(a_server_failure_is_no_answer)
{
    struct srv_list list;
    struct error err;

    ck_assert_int_eq(srv_parse(BYTES(ANSWER("\x82", "\x00")), &list, &err),
                     SRV_FAILED);
    ck_assert_str_eq(err.text, "the name server failed with code 2");
}
END_TEST

START_TEST(an_unusable_target_is_skipped_and_counted)
{
    struct srv_list list;
    struct error err;
    enum srv_status status = srv_parse(
        BYTES(ANSWER("\x80", "\x03") RECORD("\x21", "\x0b",
                                            "\0\0\0\0\x1b\x58\x02w \xc0\x14")
                  RECORD("\x21", "\x0b", "\0\0\0\0\0\0\x02w1\xc0\x14")
                      RECORD("\x21", "\x0b", "\0\0\0\0\x1b\x58\x02w2\xc0\x14")),
        &list, &err);

    ck_assert_int_eq(status, SRV_FOUND);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_uint_eq(list.skipped, 2);
    ck_assert_str_eq(list.records[0].target, "w2.x");
}
END_TEST

START_TEST(more_records_than_fit_are_counted)
{
    uint8_t answer[4096];
    struct srv_list list;
    struct error err;
    static const char head[] = ANSWER("\x80", "\x64");
    static const char record[] = RECORD("\x21", "\x0b",
                                        "\0\0\0\0\x1b\x58\x02w1\xc0\x14");
    size_t length = sizeof head - 1;

    memcpy(answer, head, length);
    for (int i = 0; i < 100; i++, length += sizeof record - 1)
        memcpy(answer + length, record, sizeof record - 1);
    ck_assert_int_eq(srv_parse(answer, length, &list, &err), SRV_FOUND);
    ck_assert_uint_eq(list.count, SRV_RECORDS_MAX);
    ck_assert_uint_eq(list.skipped, 100 - SRV_RECORDS_MAX);
}
END_TEST

START_TEST(every_truncation_is_refused_or_none)
{
    static const char whole[] = ANSWER("\x80", "\x01")
        RECORD("\x21", "\x0b", "\0\0\0\0\x1b\x58\x02w1\xc0\x14");
    struct srv_list list;
    struct error err;

    for (size_t length = 0; length < sizeof whole - 1; length++) {
        ck_assert_int_eq(srv_parse((const uint8_t *)whole, length, &list, &err),
                         SRV_FAILED);
        ck_assert_str_eq(err.text, "the name server's answer cannot be read");
    }
}
END_TEST

START_TEST(a_name_that_points_to_itself_is_refused)
{
    struct srv_list list;
    struct error err;
    enum srv_status status = srv_parse(
        BYTES(ANSWER("\x80", "\x01")
                  RECORD("\x21", "\x08", "\0\0\0\0\x1b\x58\xc0\x2d")),
        &list, &err);

    ck_assert_int_eq(status, SRV_FAILED);
}
END_TEST

START_TEST(without_a_source_the_order_is_fixed)
{
    struct srv_choice choices[] = {
        {20, 0, 0}, {10, 1, 1}, {10, 5, 2}, {10, 5, 3}};

    srv_order(choices, 4, NULL, NULL);
    ck_assert_uint_eq(choices[0].index, 2);
    ck_assert_uint_eq(choices[1].index, 3);
    ck_assert_uint_eq(choices[2].index, 1);
    ck_assert_uint_eq(choices[3].index, 0);
}
END_TEST

/* A small generator, so that the drawn shares are the same at each run. */
static uint32_t
counted(void *arg)
{
    uint64_t *state = arg;

    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

START_TEST(a_lower_priority_comes_first_whatever_the_weights)
{
    uint64_t state = 1;

    for (int round = 0; round < 200; round++) {
        struct srv_choice choices[] = {{2, 65535, 0}, {1, 0, 1}, {2, 0, 2}};
        srv_order(choices, 3, counted, &state);
        ck_assert_uint_eq(choices[0].index, 1);
    }
}
END_TEST

START_TEST(weights_decide_how_often_one_is_first)
{
    uint64_t state = 1;
    int first[3] = {0, 0, 0};

    for (int round = 0; round < 10000; round++) {
        struct srv_choice choices[] = {{1, 10, 0}, {1, 30, 1}, {1, 60, 2}};
        srv_order(choices, 3, counted, &state);
        first[choices[0].index]++;
    }
    ck_assert_int_lt(abs(first[0] - 1000), 250);
    ck_assert_int_lt(abs(first[1] - 3000), 250);
    ck_assert_int_lt(abs(first[2] - 6000), 250);
}
END_TEST

START_TEST(equal_weights_of_zero_are_drawn_evenly)
{
    uint64_t state = 1;
    int first[4] = {0, 0, 0, 0};

    for (int round = 0; round < 8000; round++) {
        struct srv_choice choices[] = {
            {0, 0, 0}, {0, 0, 1}, {0, 0, 2}, {0, 0, 3}};
        srv_order(choices, 4, counted, &state);
        first[choices[0].index]++;
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_lt(abs(first[i] - 2000), 200);
}
END_TEST

START_TEST(host_names_are_taken_and_others_are_not)
{
    char label[80];

    memset(label, 'a', sizeof label - 1);
    label[64] = '\0';
    ck_assert(!host_is_valid(label));
    label[63] = '\0';
    ck_assert(host_is_valid(label));
    ck_assert(host_is_valid("web1.corp.example.test"));
    ck_assert(host_is_valid("_orders._tcp.corp.test"));
    ck_assert(host_is_valid("localhost"));
    ck_assert(!host_is_valid(""));
    ck_assert(!host_is_valid("web1."));
    ck_assert(!host_is_valid(".web1"));
    ck_assert(!host_is_valid("web1..corp"));
    ck_assert(!host_is_valid("127.0.0.1"));
    ck_assert(!host_is_valid("::1"));
    ck_assert(!host_is_valid("web1/x"));
    ck_assert(!host_is_valid("web1@x"));
    ck_assert(!host_is_valid("web1\n"));
}
END_TEST

START_TEST(a_pattern_matches_ignoring_case)
{
    ck_assert(host_matches("*.Corp.test", "web1.corp.TEST"));
    ck_assert(host_matches("web?.test", "web?.test"));
    ck_assert(!host_matches("*.corp.test", "web1.corp.test.evil.test"));
    ck_assert(!host_matches("*.corp.test", "corp.test"));
    ck_assert(!host_matches("web1.corp.test", "web10.corp.test"));
}
END_TEST

START_TEST(ports_are_plain_numbers)
{
    uint16_t port = 0;
    struct error err;

    ck_assert(port_parse("1", 1, &port, &err));
    ck_assert(port_parse("65535", 5, &port, &err));
    ck_assert_uint_eq(port, 65535);
    static const char *const bad[] = {"",
                                      "0",
                                      "65536",
                                      "-1",
                                      "+1",
                                      " 80",
                                      "80 ",
                                      "80\n",
                                      "0x50",
                                      "http://x",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert(!port_parse(bad[i], strlen(bad[i]), &port, &err));
    ck_assert(!port_parse("80\0", 3, &port, &err));
    ck_assert_str_eq(err.text, "'80\\x00' is not a port from 1 to 65535");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("srv");
    TCase *answers = tcase_create("answers");
    TCase *order = tcase_create("order");
    TCase *hosts = tcase_create("hosts");

    tcase_add_test(answers, an_answer_is_read);
    tcase_add_test(answers, no_such_name_and_no_record_are_none);
    tcase_add_test(answers, a_single_dot_is_none);
    tcase_add_test(answers, a_server_failure_is_no_answer);
    tcase_add_test(answers, an_unusable_target_is_skipped_and_counted);
    tcase_add_test(answers, more_records_than_fit_are_counted);
    tcase_add_test(answers, every_truncation_is_refused_or_none);
    tcase_add_test(answers, a_name_that_points_to_itself_is_refused);
    tcase_add_test(order, without_a_source_the_order_is_fixed);
    tcase_add_test(order, a_lower_priority_comes_first_whatever_the_weights);
    tcase_add_test(order, weights_decide_how_often_one_is_first);
    tcase_add_test(order, equal_weights_of_zero_are_drawn_evenly);
    tcase_add_test(hosts, host_names_are_taken_and_others_are_not);
    tcase_add_test(hosts, a_pattern_matches_ignoring_case);
    tcase_add_test(hosts, ports_are_plain_numbers);
    suite_add_tcase(suite, answers);
    suite_add_tcase(suite, order);
    suite_add_tcase(suite, hosts);
    return suite;
}

CHECK_MAIN(make_suite)
