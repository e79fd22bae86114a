/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SO_PEERCRED for Unix sockets, sock_diag(7) for TCP.  The kernel reports user
 * 0 for sockets that no process holds any more (closed, TIME_WAIT, not yet
 * accepted) and falls back to listeners: only the very socket that we talk to,
 * held by a process, is an answer.
 */
#include "base/peer.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"

enum {
    REPLY_SIZE = 4096,
    /* include/net/tcp_states.h: how the end that has not closed can stand. */
    STATES = 1 << 1 /* ESTABLISHED */ | 1 << 4 /* FIN_WAIT1 */ |
             1 << 5 /* FIN_WAIT2 */,
};

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

/* Address and port as the kernel wants them; an IPv4 peer of an IPv6 socket is
 * looked up as such, and found whichever family its own socket has. */
static void
set_end(const struct address *address, __be32 *ip, __be16 *port)
{
    const struct sockaddr_in *ipv4 = (const void *)&address->storage;
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;

    if (address->storage.ss_family == AF_INET) {
        ip[0] = ipv4->sin_addr.s_addr;
        *port = ipv4->sin_port;
    } else {
        memcpy(ip, &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
        *port = ipv6->sin6_port;
    }
}

static struct question
ask_for(const struct address *peer, const struct address *local)
{
    struct question question = {
        .head = {.nlmsg_len = sizeof question,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = (__u8)peer->storage.ss_family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = STATES},
    };
    struct inet_diag_sockid *id = &question.body.id;

    /* The other end's view: its source is our peer. */
    set_end(peer, id->idiag_src, &id->idiag_sport);
    set_end(local, id->idiag_dst, &id->idiag_dport);
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return question;
}

/* The kernel answers at once, within the call that asks.  Returns the length of
 * the reply, or -1 and errno. */
static ssize_t
ask(const struct question *question, char reply[REPLY_SIZE])
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    ssize_t length = -1;

    if (fd < 0)
        return -1;
    if (send(fd, question, sizeof *question, 0) >= 0)
        length = recv(fd, reply, REPLY_SIZE, MSG_DONTWAIT);
    int reason = errno;
    close(fd);
    errno = reason;
    return length;
}

/* 0, or what is wrong with the reply. */
static int
read_reply(const char *reply, ssize_t length, struct inet_diag_msg *found)
{
    struct nlmsghdr head;
    struct nlmsgerr error;

    if (length < 0)
        return errno;
    if ((size_t)length < sizeof head)
        return EBADMSG;
    memcpy(&head, reply, sizeof head);
    if (head.nlmsg_type == NLMSG_ERROR &&
        (size_t)length >= sizeof head + sizeof error) {
        memcpy(&error, reply + NLMSG_HDRLEN, sizeof error);
        return error.error != 0 ? -error.error : EBADMSG;
    }
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        (size_t)length < NLMSG_HDRLEN + sizeof *found)
        return EBADMSG;
    memcpy(found, reply + NLMSG_HDRLEN, sizeof *found);
    return 0;
}

static bool
is_held(const struct inet_diag_msg *found, const struct question *question)
{
    return found->idiag_state < 32 &&
           (1U << found->idiag_state & STATES) != 0 &&
           found->idiag_inode != 0 &&
           found->id.idiag_sport == question->body.id.idiag_sport &&
           found->id.idiag_dport == question->body.id.idiag_dport;
}

static bool
tcp_user(const struct address *peer, const struct address *local,
         uid_t *user_out, struct error *err)
{
    const struct question question = ask_for(peer, local);
    struct inet_diag_msg found = {0};
    char reply[REPLY_SIZE];
    int failure = read_reply(reply, ask(&question, reply), &found);

    if (failure == ENOENT || (failure == 0 && !is_held(&found, &question))) {
        error_set(err, "cannot tell who connects: no process on this machine "
                       "holds the other end");
        return false;
    }
    if (failure != 0) {
        error_set_errno(err, failure,
                        "cannot tell who connects: asking the "
                        "kernel failed");
        return false;
    }
    *user_out = found.idiag_uid;
    return true;
}

static bool
unix_user(int fd, uid_t *user_out, struct error *err)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        error_set_errno(err, errno, "cannot tell who connects");
        return false;
    }
    if (peer.uid == (uid_t)-1) {
        error_set(err, "cannot tell who connects: nobody is");
        return false;
    }
    *user_out = peer.uid;
    return true;
}

bool
peer_user(int fd, uid_t *user_out, struct error *err)
{
    struct address peer = {.length = sizeof peer.storage};
    struct address local = {.length = sizeof local.storage};

    if (getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) != 0 ||
        getsockname(fd, (struct sockaddr *)&local.storage, &local.length) !=
            0) {
        error_set_errno(err, errno, "cannot tell who connects");
        return false;
    }
    if (local.storage.ss_family == AF_UNIX)
        return unix_user(fd, user_out, err);
    return tcp_user(&peer, &local, user_out, err);
}

bool
peer_user_can_tell(struct error *err)
{
    /* Of a connection that cannot be: port 0. */
    struct address nowhere = {.storage.ss_family = AF_INET};
    const struct question question = ask_for(&nowhere, &nowhere);
    struct inet_diag_msg found;
    char reply[REPLY_SIZE];
    int failure = read_reply(reply, ask(&question, reply), &found);

    if (failure == 0 || failure == ENOENT)
        return true;
    error_set_errno(err, failure,
                    "cannot ask the kernel who holds a TCP socket");
    return false;
}
