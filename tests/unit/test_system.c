/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/system.c with limits and cgroups made up for it. */
#include "check_main.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

static char mount[] = "/tmp/test_system.XXXXXX";
static char membership[64];

/* Writes text to the file called name below mount. */
static void
put(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", mount, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void
take(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", mount, name);
    remove(path);
}

static void
set_up(void)
{
    char path[64];

    ck_assert_ptr_nonnull(mkdtemp(mount));
    snprintf(path, sizeof path, "%s/system", mount);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/system/kerbwrap", mount);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(membership, sizeof membership, "%s/membership", mount);
    put("membership", "1:name=systemd:/other\n0::/system/kerbwrap\n");
}

static void
tear_down(void)
{
    take("system/kerbwrap/cpu.max");
    take("system/cpu.max");
    take("cpu.max");
    take("membership");
    take("system/kerbwrap");
    take("system");
    take("");
}

START_TEST(quota_is_rounded_up)
{
    put("system/kerbwrap/cpu.max", "150000 100000\n");

    ck_assert_uint_eq(cpu_quota(membership, mount), 2);
}
END_TEST

START_TEST(whole_quota_is_not_rounded)
{
    put("system/kerbwrap/cpu.max", "300000 100000\n");

    ck_assert_uint_eq(cpu_quota(membership, mount), 3);
}
END_TEST

START_TEST(group_above_limits_as_well)
{
    put("system/kerbwrap/cpu.max", "800000 100000\n");
    put("system/cpu.max", "max 100000\n");
    put("cpu.max", "50000 100000\n");

    ck_assert_uint_eq(cpu_quota(membership, mount), 1);
}
END_TEST

START_TEST(root_group_is_looked_at)
{
    put("membership", "0::/\n");
    put("cpu.max", "400000 100000\n");

    ck_assert_uint_eq(cpu_quota(membership, mount), 4);
}
END_TEST

static const char *const no_quota[] = {
    "max 100000\n", "", "100000", "100000 0\n", "nonsense\n",
};

START_TEST(what_is_no_quota_does_not_limit)
{
    put("system/kerbwrap/cpu.max", no_quota[_i]);

    ck_assert_uint_eq(cpu_quota(membership, mount), UINT_MAX);
}
END_TEST

START_TEST(system_without_cgroups_does_not_limit)
{
    ck_assert_uint_eq(cpu_quota("/nonexistent", mount), UINT_MAX);
    put("membership", "4:memory:/x\n");
    ck_assert_uint_eq(cpu_quota(membership, mount), UINT_MAX);
}
END_TEST

START_TEST(at_least_one_processor_is_there)
{
    ck_assert_uint_ge(cpu_count(), 1);
    ck_assert_uint_le(cpu_count(), (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
}
END_TEST

START_TEST(descriptors_are_raised_within_the_hard_limit)
{
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 256};
    unsigned got = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    ck_assert(nofile_raise(200, &got, NULL));

    ck_assert_uint_eq(got, 200);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, 200);
}
END_TEST

START_TEST(enough_descriptors_are_left_as_they_are)
{
    struct rlimit limit = {.rlim_cur = 128, .rlim_max = 256};
    unsigned got = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    ck_assert(nofile_raise(100, &got, NULL));

    ck_assert_uint_eq(got, 128);
}
END_TEST

START_TEST(hard_limit_is_raised_where_it_may_be)
{
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 128};
    unsigned got = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    ck_assert(nofile_raise(200, &got, NULL));

    ck_assert(got == 128 || got == 200);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, got);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("system");
    TCase *processors = tcase_create("processors");
    TCase *descriptors = tcase_create("descriptors");

    tcase_add_checked_fixture(processors, set_up, tear_down);
    tcase_add_test(processors, quota_is_rounded_up);
    tcase_add_test(processors, whole_quota_is_not_rounded);
    tcase_add_test(processors, group_above_limits_as_well);
    tcase_add_test(processors, root_group_is_looked_at);
    tcase_add_loop_test(processors, what_is_no_quota_does_not_limit, 0,
                        sizeof no_quota / sizeof no_quota[0]);
    tcase_add_test(processors, system_without_cgroups_does_not_limit);
    tcase_add_test(processors, at_least_one_processor_is_there);
    suite_add_tcase(suite, processors);

    tcase_add_test(descriptors, descriptors_are_raised_within_the_hard_limit);
    tcase_add_test(descriptors, enough_descriptors_are_left_as_they_are);
    tcase_add_test(descriptors, hard_limit_is_raised_where_it_may_be);
    suite_add_tcase(suite, descriptors);
    return suite;
}

CHECK_MAIN(make_suite)
