/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May the user that kerbwrap becomes read and write what it must?  Identity is
 * a thread's for the kernel, and a visit has a thread of its own: that becomes
 * the user, looks, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/users.h"
#include "doctor/checks.h"
#include "proxy/inquiry.h"

enum {
    GROUPS_MAX = 256
};

static const struct config *
config_of(const struct patient *patient)
{
    return patient->settings->config;
}

bool
has_user(const struct patient *patient)
{
    const struct global_settings *global = &config_of(patient)->global;

    return *global->user != '\0' || *global->group != '\0';
}

/* Not by the library's calls, which change all threads. */
static bool
become(const struct global_settings *global, struct error *err)
{
    uid_t user = geteuid();
    gid_t group = getegid(), groups[GROUPS_MAX];
    int count = GROUPS_MAX;

    if ((*global->user != '\0' &&
         !users_find(global->user, &user, &group, err)) ||
        (*global->group != '\0' &&
         !users_find_group(global->group, &group, err)))
        return false;
    if (*global->user == '\0' ||
        getgrouplist(global->user, group, groups, &count) < 0)
        count = 0;
    if (user == geteuid() && group == getegid())
        return true;
    if (syscall(SYS_setgroups, (size_t)count, groups) == 0 &&
        syscall(SYS_setresgid, group, group, group) == 0 &&
        syscall(SYS_setresuid, user, user, user) == 0)
        return true;
    error_set_errno(err, errno, "cannot look as that user; run doctor as root");
    return false;
}

static void
check_path(struct visit *visit, const char *path, int mode)
{
    if (path == NULL || *path == '\0' ||
        faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT)
        return;
    visit_fail(visit, "give the user rights to it (chown, chmod, setfacl)",
               "the user kerbwrap becomes may not %s %s: %s",
               mode == R_OK ? "read" : "write", path, strerror(errno));
}

static void
check_krb5_conf_files(struct visit *visit)
{
    const char *list = getenv("KRB5_CONFIG");
    char path[PATH_MAX];

    /* The first is that of directory_init. */
    for (list += list != NULL ? strcspn(list, ":") : 0;
         list != NULL && *list == ':';) {
        size_t length = strcspn(++list, ":");
        snprintf(path, sizeof path, "%.*s", (int)length, list);
        check_path(visit, path, R_OK);
        list += length;
    }
}

static void
check_files(struct visit *visit)
{
    const struct config *config = config_of(visit->patient);

    check_krb5_conf_files(visit);
    check_path(visit, config->directory.keytab, R_OK);
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *service = &config->services[i];
        const char *cache = service->ccache != NULL ? service->ccache : "";
        check_path(visit, service->keytab, R_OK);
        if (strncmp(cache, "FILE:", 5) == 0)
            check_path(visit, cache + 5, R_OK);
        else if (*cache == '/')
            check_path(visit, cache, R_OK);
    }
    if (has_state_dir(visit->patient))
        check_path(visit, config->global.state_dir, W_OK | X_OK);
    if (has_runtime_dir(visit->patient))
        check_path(visit, config->global.runtime_dir, W_OK | X_OK);
}

void
examine_user(struct visit *visit)
{
    const struct global_settings *global = &config_of(visit->patient)->global;
    struct error error;

    if (!become(global, &error)) {
        visit_fail(visit, NULL, "%s", error.text);
        return;
    }
    check_files(visit);
    if (visit->count == 0)
        visit_ok(visit, "%s may read and write what it must",
                 *global->user != '\0' ? global->user : global->group);
}
