/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to a name server that is a thread here, in namespaces of the test's
 * own: /etc/resolv.conf cannot be chosen otherwise.  Where those are not to be
 * had, the suite says so and ends with 77.
 */
#include "directory/locate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "check_main.h"

enum {
    SKIPPED = 77
};

static bool
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool sound = fd >= 0 &&
                 write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return sound;
}

static bool
raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool sound = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

    if (fd >= 0)
        close(fd);
    return sound;
}

/* Only 127.0.0.1 is left of the network, and is the name server. */
static bool
isolate(void)
{
    char map[64], conf[] = "/tmp/test_locate.XXXXXX";
    unsigned user = getuid(), group = getgid();
    int fd = mkstemp(conf);

    if (fd >= 0)
        close(fd);
    bool sound = fd >= 0 &&
                 unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0 &&
                 write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    sound = sound && write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", group);
    sound = sound && write_file("/proc/self/gid_map", map) &&
            write_file(conf, "nameserver 127.0.0.1\n") &&
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
            mount(conf, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 &&
            raise_loopback();
    unlink(conf);
    return sound;
}

/* Answers each question with its own header and name, these flags and records. */
struct server {
    pthread_t thread;
    int fd;
    const char *flags;   /* two bytes */
    const char *records; /* one, or none */
    size_t size;
    bool silent;
};

static void *
serve(void *arg)
{
    struct server *server = arg;
    uint8_t message[1024];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t length;

    while ((length = recvfrom(server->fd, message, 512, 0,
                              (struct sockaddr *)&from, &size)) > 0) {
        if (server->silent)
            continue;
        memcpy(message + 2, server->flags, 2);
        message[7] = server->size != 0;
        message[11] = 0;
        if (server->size != 0)
            memcpy(message + length, server->records, server->size);
        (void)!sendto(server->fd, message, (size_t)length + server->size, 0,
                      (struct sockaddr *)&from, size);
    }
    return NULL;
}

static void
start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(53),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    server->fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(
        bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    pthread_create(&server->thread, NULL, serve, server);
}

static void
stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

static struct srv_list list;
static struct error err;

static enum srv_status
ask(struct server *server)
{
    start(server);
    enum srv_status status = locate_srv("_orders._tcp.corp.test", 1000, &list,
                                        &err);
    stop(server);
    return status;
}

START_TEST(a_record_is_found)
{
    static const char record[] =
        "\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x0b"
        "\x00\x01\x00\x02\x1b\x58\x02w1\xc0\x19";
    struct server server = {
        .flags = "\x81\x80", .records = record, .size = sizeof record - 1};

    ck_assert_msg(ask(&server) == SRV_FOUND, "%s", err.text);
    ck_assert_str_eq(list.records[0].target, "w1.corp.test");
    ck_assert_uint_eq(list.records[0].port, 7000);
}
END_TEST

START_TEST(no_such_name_is_none)
{
    struct server server = {.flags = "\x81\x83"};

    ck_assert_int_eq(ask(&server), SRV_NONE);
}
END_TEST

START_TEST(a_name_without_records_is_none)
{
    struct server server = {.flags = "\x81\x80"};

    ck_assert_int_eq(ask(&server), SRV_NONE);
}
END_TEST

START_TEST(a_server_that_fails_is_no_answer)
{
    struct server server = {.flags = "\x81\x82"};

    ck_assert_int_eq(ask(&server), SRV_FAILED);
    ck_assert_str_eq(err.text, "cannot look up the SRV records of "
                               "'_orders._tcp.corp.test': no name server "
                               "answered");
}
END_TEST

START_TEST(a_silent_server_costs_no_more_than_was_allowed)
{
    struct server server = {.silent = true};
    uint64_t begun = loop_now_ms();

    ck_assert_int_eq(ask(&server), SRV_FAILED);
    ck_assert_uint_lt(loop_now_ms() - begun, 4000);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_no_answer)
{
    char name[400];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(locate_srv(name, 1000, &list, &err), SRV_FAILED);
}
END_TEST

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        a_record_is_found,
        no_such_name_is_none,
        a_name_without_records_is_none,
        a_server_that_fails_is_no_answer,
        a_silent_server_costs_no_more_than_was_allowed,
        a_name_that_is_too_long_is_no_answer,
    };
    Suite *suite = suite_create("locate");
    TCase *questions = tcase_create("questions");

    tcase_set_timeout(questions, 30);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(questions, tests[i]);
    suite_add_tcase(suite, questions);
    return suite;
}

int
main(void)
{
    if (!isolate()) {
        printf("skipped: namespaces of the test's own are not to be had: %s\n",
               strerror(errno));
        return SKIPPED;
    }
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
