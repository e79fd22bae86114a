/* SPDX-License-Identifier: BSD-2-Clause */
/* The order in which candidates are dialled. */
#include "directory/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "check_main.h"

static struct discovery *discovery;
static struct error err;

static void
add(size_t scp, bool accepted, uint16_t priority, uint16_t weight)
{
    char text[] = "x";
    struct candidate candidate = {.dn = text,
                                  .scp = scp,
                                  .accepted = accepted,
                                  .priority = priority,
                                  .weight = weight,
                                  .verdict = text};

    ck_assert(discovery_add(discovery, &candidate, &err));
}

static void
setup(void)
{
    discovery = discovery_new(&err);
}

static void
teardown(void)
{
    discovery_release(discovery);
}

static uint32_t
counted(void *arg)
{
    uint64_t *state = arg;

    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

START_TEST(listed_is_as_they_stand_and_by_priority_within_one_scp)
{
    size_t order[4];

    add(0, false, 0, 0);
    add(1, true, 20, 0);
    add(1, true, 10, 1);
    add(1, false, 0, 0);
    add(1, true, 10, 9);
    add(2, true, 0, 0);
    discovery_order(discovery, NULL, NULL, order);
    ck_assert_uint_eq(discovery->accepted_count, 4);
    ck_assert_uint_eq(order[0], 4);
    ck_assert_uint_eq(order[1], 2);
    ck_assert_uint_eq(order[2], 1);
    ck_assert_uint_eq(order[3], 5);
}
END_TEST

START_TEST(scps_are_drawn_evenly_whatever_they_hold)
{
    uint64_t state = 1;
    int first[3] = {0, 0, 0};
    size_t order[4];

    add(0, true, 0, 0);
    add(1, true, 0, 0);
    add(1, true, 0, 0);
    add(2, true, 9, 9);
    for (int round = 0; round < 6000; round++) {
        discovery_order(discovery, counted, &state, order);
        first[discovery->candidates[order[0]].scp]++;
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_lt(abs(first[i] - 2000), 200);
}
END_TEST

START_TEST(every_accepted_one_is_in_the_order_once)
{
    uint64_t state = 1;

    for (size_t i = 0; i < 300; i++)
        add(i / 7, i % 3 != 0, (uint16_t)(i % 5), (uint16_t)(i % 4));
    for (int round = 0; round < 50; round++) {
        bool seen[300] = {false};
        size_t order[300];
        discovery_order(discovery, counted, &state, order);
        for (size_t i = 0; i < discovery->accepted_count; i++) {
            ck_assert(discovery->candidates[order[i]].accepted);
            ck_assert(!seen[order[i]]);
            seen[order[i]] = true;
        }
    }
}
END_TEST

START_TEST(an_empty_one_has_no_order)
{
    discovery_order(discovery, counted, NULL, NULL);
    ck_assert_str_eq(discovery_outcome_name(discovery->outcome), "no answer");
}
END_TEST

START_TEST(it_lives_as_long_as_somebody_holds_it)
{
    discovery_note(discovery, "asked %s", "somebody");
    struct discovery *held = discovery_hold(discovery);
    discovery_release(held);
    ck_assert_str_eq(discovery->journal[0], "asked somebody");
}
END_TEST

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        listed_is_as_they_stand_and_by_priority_within_one_scp,
        scps_are_drawn_evenly_whatever_they_hold,
        every_accepted_one_is_in_the_order_once,
        an_empty_one_has_no_order,
        it_lives_as_long_as_somebody_holds_it,
    };
    Suite *suite = suite_create("discovery");
    TCase *order = tcase_create("order");

    tcase_add_checked_fixture(order, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(order, tests[i]);
    suite_add_tcase(suite, order);
    return suite;
}

CHECK_MAIN(make_suite)
