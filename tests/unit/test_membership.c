/* SPDX-License-Identifier: BSD-2-Clause */
/* src/gss/membership.c with a krb5.conf of its own and this machine's users. */
#include "gss/membership.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"

static char profile[] = "/tmp/kw-membership-XXXXXX";
static char user[256], group[256]; /* who we are, and our first group */
static struct membership membership;

/* Asked in the library's place. */

static bool hidden;  /* is a source of the name service down, unsaid? */
static int failure;  /* of the look for a group; 0: none */
static bool made_up; /* is there one group, which lists us? */

int
getgrouplist(const char *name, gid_t first, gid_t *groups, int *count)
{
    int (*real)(const char *, gid_t, gid_t *, int *);

    *(void **)&real = dlsym(RTLD_NEXT, "getgrouplist");
    if (!hidden)
        return real(name, first, groups, count);
    groups[0] = first;
    return *count = 1;
}

int
getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size,
           struct group **found)
{
    static char *members[] = {(char *)"stranger", user, NULL};
    int (*real)(const char *, struct group *, char *, size_t, struct group **);

    *(void **)&real = dlsym(RTLD_NEXT, "getgrnam_r");
    *found = NULL;
    if (failure != 0)
        return failure;
    if (!made_up)
        return real(name, entry, buffer, size, found);
    *entry = (struct group){
        .gr_name = (char *)"made-up", .gr_gid = 424242, .gr_mem = members};
    *found = entry;
    return 0;
}

static void
set_up(void)
{
    int fd = mkstemp(profile);
    FILE *file = fdopen(fd, "w");
    const struct passwd *me = getpwuid(getuid());
    const struct group *ours = me != NULL ? getgrgid(me->pw_gid) : NULL;

    ck_assert(file != NULL && me != NULL && ours != NULL);
    snprintf(user, sizeof user, "%s", me->pw_name);
    snprintf(group, sizeof group, "%s", ours->gr_name);
    fprintf(file,
            "[libdefaults]\ndefault_realm = R\n[realms]\nR = {\n"
            "auth_to_local = RULE:[1:$1](^alice$)s/alice/%s/\n"
            "auth_to_local = RULE:[1:$1](^ghost$)s/ghost/no-such-user/\n}\n",
            user);
    fclose(file);
    setenv("KRB5_CONFIG", profile, 1);
}

static void
tear_down(void)
{
    membership_clear(&membership);
    unlink(profile);
}

START_TEST(mapped_user_is_in_the_groups_of_the_user)
{
    membership_find("alice@R", &membership);
    ck_assert_str_eq(membership.why.text, "");
    ck_assert_int_eq(membership_of(group, &membership), ACCESS_MEMBER);
    ck_assert_str_eq(membership.why.text, "");
}
END_TEST

START_TEST(another_group_has_no_such_member)
{
    struct group *entry;
    bool found = false;
    gid_t groups[256];
    int count = 256;

    membership_find("alice@R", &membership);
    ck_assert_int_ge(getgrouplist(user, getgid(), groups, &count), 0);
    setgrent();
    while (!found && (entry = getgrent()) != NULL) {
        found = true;
        for (int i = 0; i < count; i++)
            found = found && groups[i] != entry->gr_gid;
        if (found)
            ck_assert_int_eq(membership_of(entry->gr_name, &membership),
                             ACCESS_NO_MEMBER);
    }
    endgrent();
    ck_assert(found);
    ck_assert_str_eq(membership.why.text, "");
}
END_TEST

START_TEST(unknown_group_is_untold)
{
    membership_find("alice@R", &membership);
    ck_assert_int_eq(membership_of("no-such-group", &membership),
                     ACCESS_MEMBER_UNTOLD);
    ck_assert_str_eq(membership.why.text,
                     "there is no local group no-such-group");
    ck_assert(!membership.failed);
}
END_TEST

START_TEST(principal_without_a_mapping_is_untold)
{
    membership_find("mallory@R", &membership);
    ck_assert_int_eq(membership_of(group, &membership), ACCESS_MEMBER_UNTOLD);
    ck_assert_str_eq(membership.why.text,
                     "mallory@R is mapped to no local user (auth_to_local of "
                     "krb5.conf: No translation available for requested "
                     "principal)");
}
END_TEST

START_TEST(another_spelling_is_no_way_around_a_group)
{
    membership_find("ALICE@R", &membership);
    ck_assert_int_eq(membership_of(group, &membership), ACCESS_MEMBER_UNTOLD);
}
END_TEST

START_TEST(user_that_is_not_there_is_untold)
{
    membership_find("ghost@R", &membership);
    ck_assert_int_eq(membership_of(group, &membership), ACCESS_MEMBER_UNTOLD);
    ck_assert_str_eq(membership.why.text,
                     "there is no local user no-such-user");
}
END_TEST

START_TEST(source_that_hides_groups_hides_no_member_that_the_group_lists)
{
    hidden = made_up = true;
    membership_find("alice@R", &membership);
    ck_assert_int_eq(membership_of("made-up", &membership), ACCESS_MEMBER);
    snprintf(user, sizeof user, "somebody-else");
    ck_assert_int_eq(membership_of("made-up", &membership), ACCESS_NO_MEMBER);
}
END_TEST

START_TEST(group_that_cannot_be_looked_up_is_untold_and_may_be_later)
{
    membership_find("alice@R", &membership);
    failure = EIO;
    ck_assert_int_eq(membership_of("made-up", &membership),
                     ACCESS_MEMBER_UNTOLD);
    ck_assert_str_eq(membership.why.text, "cannot look up the local group "
                                          "made-up: Input/output error");
    ck_assert(membership.failed);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("membership");
    TCase *tests = tcase_create("groups");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, mapped_user_is_in_the_groups_of_the_user);
    tcase_add_test(tests, another_group_has_no_such_member);
    tcase_add_test(tests, unknown_group_is_untold);
    tcase_add_test(tests, principal_without_a_mapping_is_untold);
    tcase_add_test(tests, another_spelling_is_no_way_around_a_group);
    tcase_add_test(tests, user_that_is_not_there_is_untold);
    tcase_add_test(
        tests, source_that_hides_groups_hides_no_member_that_the_group_lists);
    tcase_add_test(tests,
                   group_that_cannot_be_looked_up_is_untold_and_may_be_later);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
