/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What systemd is told, by sd_notify(3)'s protocol: datagrams of VARIABLE=VALUE
 * lines to the socket that NOTIFY_SOCKET names.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

/* All zero but fd, which is -1: nobody wants to be told. */
struct notifier {
    int fd; /* owned */
    struct sockaddr_un address;
    socklen_t length;
    uint64_t watchdog_ms; /* after so long without a sign of life we are
                             killed; 0: never */
};

/* From the environment, which is cleared of it: children are not to speak for
 * us.  Before there are threads. */
void notifier_open(struct notifier *notifier);
void notifier_close(struct notifier *notifier);

/* One datagram; waits for at most half a second.  What cannot be sent is
 * lost. */
void notifier_send(const struct notifier *notifier, const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif
