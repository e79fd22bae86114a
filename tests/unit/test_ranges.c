/* SPDX-License-Identifier: BSD-2-Clause */
/* src/directory/ranges.c against a server that is a table. */
#include "directory/ranges.h"

#include <stdio.h>
#include <string.h>

#include "check_main.h"

#define DN "CN=svc,DC=corp,DC=test"
#define SPN "servicePrincipalName"

static const struct part {
    const char *asked;
    const char *name, *value;
} * parts;
static char asked[512];
static struct entry_list list;

static enum directory_status
fake_search(void *connection, const struct search *search,
            struct entry_list *out, struct error *err)
{
    const char *name = search->attributes[0];
    struct entry entry;

    ck_assert_ptr_null(connection);
    ck_assert_str_eq(search->base, DN);
    strcat(strcat(asked, name), "\n");
    if (parts == NULL) {
        error_set(err, "it broke off");
        return DIRECTORY_LOST;
    }
    ck_assert(entry_init(&entry, DN, NULL));
    for (const struct part *part = parts; part->asked != NULL; part++) {
        if (strcmp(part->asked, name) == 0)
            ck_assert(entry_add(&entry, part->name, part->value,
                                strlen(part->value), NULL));
    }
    ck_assert(entry_list_take(out, &entry, NULL));
    return DIRECTORY_ANSWERED;
}

static void
begin(const char *name)
{
    struct entry entry;

    asked[0] = '\0';
    list = (struct entry_list){.count = 0};
    ck_assert(entry_init(&entry, DN, NULL));
    ck_assert(entry_add(&entry, name, "a/1", 3, NULL));
    ck_assert(entry_list_take(&list, &entry, NULL));
}

static const struct attribute *
complete(const struct part *table)
{
    parts = table;
    ck_assert_int_eq(ranges_complete(fake_search, NULL, &list, NULL),
                     DIRECTORY_ANSWERED);
    return entry_attribute(&list.entries[0], SPN);
}

START_TEST(the_rest_is_asked_for_until_the_last)
{
    static const struct part table[] = {
        {SPN ";range=1-*", SPN ";Range=1-1", "b/1"},
        {SPN ";range=2-*", SPN ";range=2-*", "c/1"},
        {NULL, NULL, NULL},
    };

    begin(SPN ";range=0-0");
    const struct attribute *names = complete(table);
    ck_assert_uint_eq(names->count, 3);
    ck_assert_str_eq(names->values[2].bytes, "c/1");
    ck_assert(!names->cut);
    ck_assert_str_eq(asked, SPN ";range=1-*\n" SPN ";range=2-*\n");
    entry_list_clear(&list);
}
END_TEST

START_TEST(a_last_range_needs_no_question)
{
    static const struct part nothing[] = {{NULL, NULL, NULL}};

    begin(SPN ";range=0-*");
    ck_assert_uint_eq(complete(nothing)->count, 1);
    ck_assert_str_eq(asked, "");
    entry_list_clear(&list);
}
END_TEST

START_TEST(a_server_that_keeps_the_rest_to_itself_leaves_it_cut)
{
    static const struct part table[] = {
        {SPN ";range=1-*", SPN ";range=0-*", "a/1"},
        {NULL, NULL, NULL},
    };

    begin(SPN ";range=0-0");
    ck_assert(complete(table)->cut);
    ck_assert_str_eq(asked, SPN ";range=1-*\n");
    entry_list_clear(&list);
}
END_TEST

START_TEST(other_options_are_part_of_the_name)
{
    static const char *const names[] = {
        "cn;lang-de",     SPN ";range=",     SPN ";range=0",
        SPN ";range=5-3", SPN ";range=0-1x",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        begin(names[i]);
        ck_assert_ptr_null(complete(NULL));
        ck_assert_ptr_nonnull(entry_attribute(&list.entries[0], names[i]));
        entry_list_clear(&list);
    }
}
END_TEST

START_TEST(a_server_that_breaks_off_is_lost)
{
    struct error err;

    begin(SPN ";range=0-0");
    parts = NULL;
    ck_assert_int_eq(ranges_complete(fake_search, NULL, &list, &err),
                     DIRECTORY_LOST);
    ck_assert_str_eq(err.text, "it broke off");
    entry_list_clear(&list);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("ranges");
    TCase *cases = tcase_create("ranges");

    tcase_add_test(cases, the_rest_is_asked_for_until_the_last);
    tcase_add_test(cases, a_last_range_needs_no_question);
    tcase_add_test(cases, a_server_that_keeps_the_rest_to_itself_leaves_it_cut);
    tcase_add_test(cases, other_options_are_part_of_the_name);
    tcase_add_test(cases, a_server_that_breaks_off_is_lost);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
