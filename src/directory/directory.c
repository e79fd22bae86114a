/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process-wide part of the directory room, and the real directory behind
 * struct directory_ops.
 */
#include "directory/directory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "directory/locate.h"
#include "directory/ranges.h"
#include "gss/bind.h"

/* libkrb5 would ask DNS for another name of the server, and be told one by
 * whoever forges the answer; and it would correct its clock by a KDC's, which
 * each of its contexts goes on to do after the clock has been set right. */
static const char profile[] = "[libdefaults]\n"
                              "    dns_canonicalize_hostname = false\n"
                              "    rdns = false\n"
                              "    kdc_timesync = 0\n";

/* Where libkrb5 looks when nothing is set. */
static const char usual_profiles[] = "/etc/krb5.conf:/usr/etc/krb5.conf";

/*
 * An unnamed file that lives as long as the process: nothing to clean up, and
 * nobody else can write it.
 */
static bool
layer_profile(struct error *err)
{
    const char *theirs = getenv("KRB5_CONFIG");
    char ours[64];
    char *both = NULL;
    int fd = memfd_create("kerbwrap-krb5.conf", MFD_CLOEXEC);

    if (fd < 0 ||
        write(fd, profile, sizeof profile - 1) != sizeof profile - 1) {
        error_set_errno(err, errno, "cannot prepare the Kerberos profile");
        if (fd >= 0)
            close(fd);
        return false;
    }
    snprintf(ours, sizeof ours, "/proc/self/fd/%d", fd);
    bool set = asprintf(&both, "%s:%s", ours,
                        theirs != NULL ? theirs : usual_profiles) > 0 &&
               setenv("KRB5_CONFIG", both, 1) == 0;
    free(both);
    if (!set) {
        error_set(err, "cannot prepare the Kerberos profile: out of memory");
        close(fd);
    }
    return set;
}

bool
directory_init(struct error *err)
{
    /* libldap writes to sockets that the server may have closed. */
    signal(SIGPIPE, SIG_IGN);
    return layer_profile(err) && ldapclient_init(err);
}

static enum srv_status
real_srv(void *world, const char *name, struct srv_list *list_out,
         struct error *err)
{
    const struct directory_world *real = world;

    return locate_srv(name, real->timeout_ms, list_out, err);
}

static bool
real_ticket(void *world, const char *host, struct error *err)
{
    const struct directory_world *real = world;

    return bind_ticket(real->credential, "ldap", host, err);
}

static enum directory_status
real_open(void *world, const char *uri, void **connection_out,
          struct error *err)
{
    const struct directory_world *real = world;
    struct ldapclient *client;
    enum directory_status status = ldapclient_open(
        uri, real->credential, real->timeout_ms, &client, err);

    if (status == DIRECTORY_ANSWERED)
        *connection_out = client;
    return status;
}

static enum directory_status
search_once(void *connection, const struct search *search,
            struct entry_list *list, struct error *err)
{
    return ldapclient_search(connection, search, list, err);
}

static enum directory_status
real_search(void *connection, const struct search *search,
            struct entry_list *list, struct error *err)
{
    enum directory_status status = search_once(connection, search, list, err);

    if (status == DIRECTORY_ANSWERED)
        status = ranges_complete(search_once, connection, list, err);
    return status;
}

static void
real_close(void *connection)
{
    ldapclient_close(connection);
}

const struct directory_ops directory_real = {
    .srv = real_srv,
    .ticket = real_ticket,
    .open = real_open,
    .search = real_search,
    .close = real_close,
};

static enum write_status
real_add(void *connection, const char *dn, const struct change *attributes,
         size_t count, struct error *err)
{
    return ldapclient_add(connection, dn, attributes, count, err);
}

static enum write_status
real_modify(void *connection, const char *dn, const struct change *changes,
            size_t count, struct error *err)
{
    return ldapclient_modify(connection, dn, changes, count, err);
}

static enum write_status
real_remove(void *connection, const char *dn, struct error *err)
{
    return ldapclient_remove(connection, dn, err);
}

const struct directory_writes directory_real_writes = {
    .add = real_add,
    .modify = real_modify,
    .remove = real_remove,
};
