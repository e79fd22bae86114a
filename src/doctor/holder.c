/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/net has the listeners with their inodes, /proc/PID/fd the inodes with
 * their processes, as far as this user may look.
 */
#include "doctor/holder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum {
    LINE_SIZE = 1024,
    TCP_LISTEN = 10,
    UNIX_ACCEPTS = 0x10000,
};

struct found {
    uint64_t inode;
    uid_t user;
};

/* The 4 or 16 bytes of an address; all zero: any. */
struct host {
    uint8_t bytes[16];
    size_t size;
};

static bool
is_any(const struct host *host)
{
    static const uint8_t zero[16];

    return memcmp(host->bytes, zero, host->size) == 0;
}

static struct host
host_of(const struct address *address, uint16_t *port_out)
{
    const struct sockaddr_in *ipv4 = (const void *)&address->storage;
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
    struct host host = {.size = 4};

    if (address->storage.ss_family == AF_INET) {
        memcpy(host.bytes, &ipv4->sin_addr, 4);
        *port_out = ntohs(ipv4->sin_port);
    } else {
        host.size = 16;
        memcpy(host.bytes, &ipv6->sin6_addr, 16);
        *port_out = ntohs(ipv6->sin6_port);
    }
    return host;
}

/* The kernel prints each word of an address as a number. */
static bool
read_host(const char *text, struct host *host)
{
    for (size_t i = 0; i < host->size; i += 4) {
        uint32_t word;
        if (sscanf(text + 2 * i, "%8" SCNx32, &word) != 1)
            return false;
        memcpy(host->bytes + i, &word, 4);
    }
    return true;
}

/* Does a listener at theirs stand in the way of, or serve, ours?  An IPv6
 * wildcard serves IPv4 as well, unless told otherwise. */
static bool
covers(const struct host *theirs, const struct host *ours)
{
    if (is_any(theirs) || (is_any(ours) && ours->size == 16))
        return theirs->size == ours->size || theirs->size == 16 || is_any(ours);
    return theirs->size == ours->size &&
           (is_any(ours) ||
            memcmp(theirs->bytes, ours->bytes, ours->size) == 0);
}

/* One line of /proc/net/tcp or tcp6. */
static bool
is_tcp_listener(const char *line, size_t host_size, const struct host *ours,
                uint16_t port, struct found *found)
{
    char address[40];
    unsigned their_port, state;
    struct host theirs = {.size = host_size};

    return sscanf(line,
                  " %*[^:]: %39[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u %*s "
                  "%" SCNu64,
                  address, &their_port, &state, &found->user,
                  &found->inode) == 5 &&
           state == TCP_LISTEN && their_port == port &&
           strlen(address) == 2 * host_size && read_host(address, &theirs) &&
           covers(&theirs, ours);
}

static bool
find_tcp(const char *table, size_t host_size, const struct address *address,
         struct found *found)
{
    uint16_t port = 0;
    struct host ours = host_of(address, &port);
    FILE *file = fopen(table, "re");
    char line[LINE_SIZE];
    bool known = false;

    while (file != NULL && !known && fgets(line, sizeof line, file) != NULL)
        known = is_tcp_listener(line, host_size, &ours, port, found);
    if (file != NULL)
        fclose(file);
    return known;
}

static bool
find_unix(const struct address *address, struct found *found)
{
    const struct sockaddr_un *local = (const void *)&address->storage;
    FILE *file = fopen("/proc/net/unix", "re");
    char line[LINE_SIZE], path[256];
    bool known = false;
    unsigned flags;

    found->user = (uid_t)-1;
    while (file != NULL && !known && fgets(line, sizeof line, file) != NULL)
        known = sscanf(line, "%*s %*s %*s %x %*s %*s %" SCNu64 " %255[^\n]",
                       &flags, &found->inode, path) == 3 &&
                (flags & UNIX_ACCEPTS) != 0 &&
                strcmp(path, local->sun_path) == 0;
    if (file != NULL)
        fclose(file);
    return known;
}

static bool
has_inode(const char *pid, uint64_t inode)
{
    char path[PATH_MAX], wanted[64], target[64];
    bool has = false;

    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    for (struct dirent *entry; !has && (entry = readdir(folder)) != NULL;) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target,
                                    sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        has = strcmp(target, wanted) == 0;
    }
    closedir(folder);
    return has;
}

static void
read_program(struct holder *holder)
{
    char path[64], name[64] = "";

    snprintf(path, sizeof path, "/proc/%d/comm", (int)holder->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(name, sizeof name, file) == NULL)
        name[0] = '\0';
    fclose(file);
    text_sanitize(name, strcspn(name, "\n"), holder->program,
                  sizeof holder->program);
}

static void
find_process(uint64_t inode, struct holder *holder)
{
    DIR *processes = opendir("/proc");

    if (processes == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        int pid = atoi(entry->d_name);
        if (pid <= 0 || !has_inode(entry->d_name, inode))
            continue;
        holder->pid = pid;
        read_program(holder);
        break;
    }
    closedir(processes);
}

bool
holder_find(const struct address *address, struct holder *holder_out)
{
    struct holder holder = {.pid = 0};
    struct found found = {.inode = 0};
    bool known = address->storage.ss_family == AF_UNIX
                     ? find_unix(address, &found)
                     : find_tcp("/proc/net/tcp", 4, address, &found) ||
                           find_tcp("/proc/net/tcp6", 16, address, &found);

    if (!known)
        return false;
    holder.user = found.user;
    find_process(found.inode, &holder);
    *holder_out = holder;
    return true;
}

void
holder_format(const struct holder *holder, char *text, size_t size)
{
    if (holder->pid != 0)
        snprintf(text, size, "%s (pid %d)", holder->program, (int)holder->pid);
    else if (holder->user != (uid_t)-1)
        snprintf(text, size, "a process of user %u", holder->user);
    else
        snprintf(text, size, "a process of another user");
}
