/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/users.c: local users and groups. */
#include "check_main.h"

#include "base/users.h"

START_TEST(user_has_a_name_or_a_number)
{
    uid_t user = 1;
    gid_t group = 1;

    ck_assert(users_find("root", &user, &group, NULL));
    ck_assert_uint_eq(user, 0);
    ck_assert_uint_eq(group, 0);
    ck_assert(users_find("0", &user, &group, NULL));
    ck_assert_uint_eq(group, 0);
    ck_assert(users_find("54321", &user, &group, NULL));
    ck_assert_uint_eq(user, 54321);
    ck_assert_uint_eq(group, (gid_t)-1);
}
END_TEST

START_TEST(owner_is_a_user_and_perhaps_a_group)
{
    struct owner owner;

    ck_assert(users_find_owner("root", &owner, NULL));
    ck_assert_uint_eq(owner.user, 0);
    ck_assert_uint_eq(owner.group, (gid_t)-1);
    ck_assert(users_find_owner("54321:root", &owner, NULL));
    ck_assert_uint_eq(owner.user, 54321);
    ck_assert_uint_eq(owner.group, 0);
}
END_TEST

START_TEST(who_does_not_exist_is_said)
{
    struct owner owner;
    struct error error;

    ck_assert(!users_find_owner("no-such-user:root", &owner, &error));
    ck_assert_str_eq(error.text, "there is no user \"no-such-user\"");
    ck_assert(!users_find_owner("root:no-such-group", &owner, &error));
    ck_assert_str_eq(error.text, "there is no group \"no-such-group\"");
    ck_assert(!users_find_owner("4294967295", &owner, &error));
    ck_assert_str_eq(error.text, "there is no user \"4294967295\"");
}
END_TEST

static Suite *
users_suite(void)
{
    Suite *suite = suite_create("users");
    TCase *cases = tcase_create("users");

    tcase_add_test(cases, user_has_a_name_or_a_number);
    tcase_add_test(cases, owner_is_a_user_and_perhaps_a_group);
    tcase_add_test(cases, who_does_not_exist_is_said);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(users_suite)
