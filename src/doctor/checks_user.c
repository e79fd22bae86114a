/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May the user that kerbwrap becomes read and write what it must?  Identity is
 * a thread's for the kernel, and a visit has a thread of its own: that becomes
 * the user, looks, and ends.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/users.h"
#include "config/places.h"
#include "doctor/checks.h"

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

/* What `check` tries too. */
static void
check_places(struct visit *visit, const struct place_list *places,
             const char *name)
{
    struct error why;

    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        switch (place_judge(place, place_try(place), name, &why)) {
        case PLACE_FINE:
            break;
        case PLACE_BOUND:
            visit_warn(visit, NULL, "%s", why.text);
            break;
        case PLACE_CLOSED:
        default:
            visit_fail(visit,
                       "give the user rights to it (chown, chmod, "
                       "setfacl)",
                       "%s", why.text);
            break;
        }
    }
}

void
examine_user(struct visit *visit)
{
    const struct config *config = config_of(visit->patient);
    const struct global_settings *global = &config->global;
    const char *name = *global->user != '\0' ? global->user : global->group;
    struct place_list places;
    struct error error;

    if (!places_gather(config, &places, &error)) {
        visit_fail(visit, NULL, "%s", error.text);
        return;
    }
    if (!become(global, &error))
        visit_fail(visit, NULL, "%s", error.text);
    else
        check_places(visit, &places, name);
    places_clear(&places);
    if (visit->count == 0)
        visit_ok(visit, "%s may read and write what it must", name);
}
