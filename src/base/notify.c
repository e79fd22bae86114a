/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path, or '@' and the name of an abstract socket.  The address is used for
 * each datagram: whoever listens may have been started anew.
 */
#include "base/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"

enum {
    SEND_WAIT_US = 500000,
    MESSAGE_SIZE = 1024
};

static bool
read_address(const char *text, struct notifier *notifier)
{
    size_t length = strlen(text);
    struct sockaddr_un *address = &notifier->address;

    if ((text[0] != '/' && text[0] != '@') || length < 2 ||
        length >= sizeof address->sun_path)
        return false;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, text, length + 1);
    notifier->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                   length + 1);
    if (text[0] == '@') {
        /* The name is what the length says, without a terminator. */
        address->sun_path[0] = '\0';
        notifier->length--;
    }
    return true;
}

static uint64_t
read_watchdog(void)
{
    const char *owner = getenv("WATCHDOG_PID");
    const char *text = getenv("WATCHDOG_USEC");
    uint64_t pid, us;

    if (text == NULL || !number_parse(text, 1000, INT64_MAX, &us, NULL) ||
        (owner != NULL && (!number_parse(owner, 1, INT32_MAX, &pid, NULL) ||
                           (pid_t)pid != getpid())))
        return 0;
    return us / 1000;
}

void
notifier_open(struct notifier *notifier)
{
    const struct timeval wait = {.tv_usec = SEND_WAIT_US};
    const char *text = getenv("NOTIFY_SOCKET");

    *notifier = (struct notifier){.fd = -1};
    if (text != NULL && read_address(text, notifier)) {
        notifier->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        notifier->watchdog_ms = read_watchdog();
    }
    if (notifier->fd >= 0)
        (void)setsockopt(notifier->fd, SOL_SOCKET, SO_SNDTIMEO, &wait,
                         sizeof wait);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
}

void
notifier_close(struct notifier *notifier)
{
    if (notifier->fd >= 0)
        close(notifier->fd);
    notifier->fd = -1;
}

void
notifier_send(const struct notifier *notifier, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;

    if (notifier->fd < 0)
        return;
    va_start(args, format);
    int length = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (length > 0)
        (void)sendto(notifier->fd, message,
                     (size_t)length < sizeof message ? (size_t)length
                                                     : sizeof message - 1,
                     MSG_NOSIGNAL, (const struct sockaddr *)&notifier->address,
                     notifier->length);
}
