/* SPDX-License-Identifier: BSD-2-Clause */
/* What is looked at once: krb5.conf and what [kerbwrap] names. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/system.h"
#include "doctor/checks.h"
#include "gss/engine.h"
#include "proxy/inquiry.h"
#include "proxy/server.h"

static const struct config *
config_of(const struct patient *patient)
{
    return patient->settings->config;
}

static const struct global_settings *
global_of(const struct visit *visit)
{
    return &config_of(visit->patient)->global;
}

/* --- krb5.conf ----------------------------------------------------------- */

/* The first principal that has no realm of its own. */
static const char *
first_without_realm(const struct config *config)
{
    const char *principal = config->directory.principal;

    if (*principal != '\0' && strchr(principal, '@') == NULL)
        return principal;
    for (size_t i = 0; i < config->service_count; i++) {
        principal = config->services[i].principal;
        if (principal != NULL && *principal != '\0' &&
            strchr(principal, '@') == NULL)
            return principal;
    }
    return NULL;
}

/* Libraries pass over a file that is missing, as long as they have one: that
 * of directory_init. */
static bool
has_file(const char *list)
{
    static const char ours[] = "/proc/self/fd/";
    char path[PATH_MAX];

    for (; *list != '\0'; list += strspn(list, ":")) {
        size_t length = strcspn(list, ":");
        snprintf(path, sizeof path, "%.*s", (int)length, list);
        list += length;
        if (strncmp(path, ours, sizeof ours - 1) != 0 &&
            access(path, R_OK) == 0)
            return true;
    }
    return false;
}

static void
warn_of_no_file(struct visit *visit)
{
    const char *list = getenv("KRB5_CONFIG");
    const char *theirs = list != NULL ? strchr(list, ':') : NULL;

    if (theirs != NULL && !has_file(list))
        visit_warn(visit, NULL, "there is no krb5.conf that can be read: %s",
                   theirs + 1);
}

void
examine_krb5_conf(struct visit *visit)
{
    const char *bare = first_without_realm(config_of(visit->patient));
    struct kerberos_settings *settings = &visit->patient->kerberos;
    struct error error;

    if (!kerberos_settings_read(settings, &error))
        visit_fail(visit, NULL, "%s", error.text);
    else if (settings->realm[0] != '\0')
        visit_ok(visit, "sound, the default realm is %s", settings->realm);
    else if (bare != NULL)
        visit_fail(visit,
                   "set default_realm in krb5.conf, or write the principal "
                   "with @REALM",
                   "krb5.conf names no default_realm, which principal = %s "
                   "needs",
                   bare);
    else
        visit_ok(visit, "sound, without a default realm, which nobody needs");
    warn_of_no_file(visit);
}

/* --- limits -------------------------------------------------------------- */

void
examine_limits(struct visit *visit)
{
    unsigned connections = global_of(visit)->max_connections, got = 0;
    unsigned wanted = server_descriptors(config_of(visit->patient));
    struct error error;

    if (!nofile_raise(wanted, &got, &error))
        visit_warn(visit, NULL, "%s", error.text);
    else if (got < wanted)
        visit_warn(visit, NULL,
                   "max_connections = %u needs %u descriptors, the limit here "
                   "is %u: kerbwrap would take fewer connections",
                   connections, wanted, got);
    else
        visit_ok(visit, "%u descriptors are enough for max_connections = %u",
                 got, connections);
}

void
examine_engine(struct visit *visit)
{
    static const char *const names[] = {
        [ENGINE_AUTO] = "auto",
        [ENGINE_GSSAPI] = "gssapi",
        [ENGINE_OPENSSL] = "openssl",
        [ENGINE_MULTIBUFFER] = "multibuffer",
    };
    enum engine_choice choice = global_of(visit)->engine;
    bool automatic = choice == ENGINE_AUTO;

    if (automatic)
        choice = engine_check(ENGINE_MULTIBUFFER, NULL) ? ENGINE_MULTIBUFFER
                 : engine_check(ENGINE_OPENSSL, NULL)   ? ENGINE_OPENSSL
                                                        : ENGINE_GSSAPI;
    if (automatic && choice == ENGINE_GSSAPI)
        visit_warn(visit, "install libcrypto with its default provider",
                   "only the Kerberos library's own calls can seal, which is "
                   "slow");
    else
        visit_ok(visit, "%s seals%s", names[choice],
                 automatic ? ", chosen by auto" : "");
}

/* --- files --------------------------------------------------------------- */

static const char *
access_problem(const char *path)
{
    struct stat found;
    struct statvfs space;

    if (stat(path, &found) != 0)
        return strerror(errno);
    if (!S_ISDIR(found.st_mode))
        return "it is not a directory";
    if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0)
        return errno == EACCES ? "this user may not write there"
                               : strerror(errno);
    if (statvfs(path, &space) == 0 && space.f_blocks > 0 && space.f_bavail == 0)
        return "its file system is full";
    return NULL;
}

/* kerbwrap makes the last part of the path itself. */
static void
check_directory_at(struct visit *visit, const char *path)
{
    const char *problem = access_problem(path);
    char parent[PATH_MAX];
    struct stat found;

    if (problem == NULL) {
        visit_ok(visit, "%s can be written", path);
        return;
    }
    snprintf(parent, sizeof parent, "%s", path);
    if (stat(path, &found) != 0 && errno == ENOENT &&
        access_problem(dirname(parent)) == NULL)
        visit_ok(visit, "%s is not there, and can be made", path);
    else
        visit_fail(visit, NULL, "cannot write to the directory %s: %s", path,
                   problem);
}

bool
has_state_dir(const struct patient *patient)
{
    const struct config *config = config_of(patient);

    for (size_t i = 0; i < config->service_count; i++)
        if (inquiry_is_wanted(&config->services[i]) ||
            config->services[i].publish)
            return true;
    return false;
}

void
examine_state_dir(struct visit *visit)
{
    check_directory_at(visit, global_of(visit)->state_dir);
}

bool
has_runtime_dir(const struct patient *patient)
{
    const struct config *config = config_of(patient);

    for (size_t i = 0; i < config->service_count; i++)
        if (config->services[i].role == ROLE_SERVER &&
            config->services[i].replay_cache)
            return true;
    return false;
}

void
examine_runtime_dir(struct visit *visit)
{
    check_directory_at(visit, global_of(visit)->runtime_dir);
}

static const char *
log_file(const struct patient *patient)
{
    const char *target = config_of(patient)->global.log_target;

    return strncmp(target, "file:", 5) == 0 ? target + 5 : NULL;
}

bool
has_log_file(const struct patient *patient)
{
    return log_file(patient) != NULL;
}

void
examine_log_target(struct visit *visit)
{
    const char *path = log_file(visit->patient), *problem = NULL;
    char parent[PATH_MAX];
    struct stat found;

    if (path == NULL)
        return;
    if (stat(path, &found) != 0) {
        snprintf(parent, sizeof parent, "%s", path);
        problem = errno == ENOENT ? access_problem(dirname(parent))
                                  : strerror(errno);
    } else if (S_ISDIR(found.st_mode)) {
        problem = "it is a directory";
    } else if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
        problem = strerror(errno);
    }
    if (problem != NULL)
        visit_fail(visit, NULL, "cannot write the log to %s: %s", path,
                   problem);
    else
        visit_ok(visit, "%s can be written", path);
}
