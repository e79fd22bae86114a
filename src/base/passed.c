/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment says which descriptors, from the third on, are called what.
 * It is left as it is: a reload reads it again.
 */
#include "base/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

enum {
    FIRST_PASSED_FD = 3, /* sd_listen_fds(3) */
};

/* How many were handed over to this process. */
static int
passed_count(void)
{
    const char *owner = getenv("LISTEN_PID");
    const char *number = getenv("LISTEN_FDS");
    uint64_t pid, count;

    if (owner == NULL || number == NULL ||
        !number_parse(owner, 1, INT32_MAX, &pid, NULL) ||
        !number_parse(number, 1, INT16_MAX, &count, NULL) ||
        (pid_t)pid != getpid())
        return 0;
    return (int)count;
}

/* How many of the first count are called name; the position of the first. */
static int
find_name(const char *list, const char *name, int count, int *position_out)
{
    size_t length = strlen(name);
    int times = 0;

    for (int position = 0; list != NULL && position < count; position++) {
        size_t item = strcspn(list, ":");
        if (item == length && memcmp(list, name, length) == 0 && times++ == 0)
            *position_out = position;
        list = list[item] == ':' ? list + item + 1 : NULL;
    }
    return times;
}

static int
socket_option(int fd, int option)
{
    int value = 0;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static int
duplicate(int passed)
{
    int flags = fcntl(passed, F_GETFL);

    if (flags < 0 || fcntl(passed, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(passed, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return fcntl(passed, F_DUPFD_CLOEXEC, FIRST_PASSED_FD);
}

int
socket_passed(const char *name, struct error *err)
{
    int position = 0;
    int times = find_name(getenv("LISTEN_FDNAMES"), name, passed_count(),
                          &position);
    int passed = FIRST_PASSED_FD + position;

    if (times == 0) {
        error_set(err,
                  "cannot listen on fd:%s: no descriptor of that name was "
                  "handed over; set FileDescriptorName= in the .socket unit",
                  name);
        return -1;
    }
    if (times > 1) {
        error_set(err,
                  "cannot listen on fd:%s: %d descriptors of that name were "
                  "handed over; give each Listen line a .socket unit of its "
                  "own",
                  name, times);
        return -1;
    }
    if (socket_option(passed, SO_ACCEPTCONN) != 1 ||
        socket_option(passed, SO_TYPE) != SOCK_STREAM) {
        error_set(err, "cannot listen on fd:%s: it is not a listening socket",
                  name);
        return -1;
    }
    int fd = duplicate(passed);
    if (fd < 0)
        error_set_errno(err, errno, "cannot listen on fd:%s", name);
    return fd;
}
