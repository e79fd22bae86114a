/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/turns.c, by a clock that only the turns move. */
#include "check_main.h"

#include "base/container.h"
#include "base/turns.h"

enum {
    MANY = 5
};

static struct turns turns;
static uint64_t time_us;

static uint64_t
now_us(void)
{
    return time_us;
}

/* Takes its time, and then adds itself again if it is busy. */
struct player {
    struct turn turn;
    enum turn_length length;
    uint64_t takes_us;
    bool busy;
    int turns;
    struct player *victim; /* of whom it takes the next turn away */
};

static void
play(struct turn *turn)
{
    struct player *player = container_of(turn, struct player, turn);

    player->turns++;
    time_us += player->takes_us;
    if (player->busy)
        turns_add(&turns, turn, player->length);
    if (player->victim != NULL)
        turns_remove(&turns, &player->victim->turn);
}

static struct player
make(enum turn_length length, uint64_t takes_us)
{
    return (struct player){
        .turn.take = play,
        .length = length,
        .takes_us = takes_us,
        .busy = true,
    };
}

static void
add(struct player *player)
{
    turns_add(&turns, &player->turn, player->length);
}

static void
set_up(void)
{
    turns_init(&turns);
    time_us = 1000000;
}

START_TEST(each_has_one_short_turn_in_a_round)
{
    struct player players[MANY];

    for (int i = 0; i < MANY; i++) {
        players[i] = make(TURN_SHORT, 1);
        add(&players[i]);
        add(&players[i]);
    }
    turns_run(&turns, now_us);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(players[i].turns, 1);
    ck_assert(turns_are_coming(&turns));
}
END_TEST

START_TEST(nobody_has_a_turn_that_was_not_added)
{
    struct player once = make(TURN_SHORT, 1), slowly_once = make(TURN_LONG, 1);

    once.busy = slowly_once.busy = false;
    ck_assert(!turns_are_coming(&turns));
    turns_run(&turns, now_us);
    add(&once);
    add(&slowly_once);
    turns_run(&turns, now_us);
    ck_assert(!turns_are_coming(&turns));
    turns_run(&turns, now_us);
    ck_assert_int_eq(once.turns, 1);
    ck_assert_int_eq(slowly_once.turns, 1);
}
END_TEST

START_TEST(long_turns_come_one_in_a_round_in_order)
{
    struct player players[MANY], quick = make(TURN_SHORT, 1);

    add(&quick);
    for (int i = 0; i < MANY; i++) {
        players[i] = make(TURN_LONG, 500);
        add(&players[i]);
    }
    for (int round = 0; round < 2 * MANY; round++) {
        turns_run(&turns, now_us);
        ck_assert_int_eq(quick.turns, round + 1);
        for (int i = 0; i < MANY; i++)
            ck_assert_int_eq(players[i].turns,
                             round / MANY + (i <= round % MANY));
    }
}
END_TEST

/* Of ten milliseconds of the others' one is not counted: nine, in turns of one. */
START_TEST(long_turns_get_as_much_time_as_the_short_ones_took)
{
    struct player players[MANY], slow = make(TURN_LONG, 1000);

    for (int i = 0; i < MANY; i++) {
        players[i] = make(TURN_SHORT, 2000);
        add(&players[i]);
    }
    add(&slow);
    turns_run(&turns, now_us);
    ck_assert_int_eq(slow.turns, 9);
    turns_run(&turns, now_us);
    ck_assert_int_eq(slow.turns, 18);
    ck_assert_int_eq(players[0].turns, 2);
}
END_TEST

START_TEST(long_turns_that_end_leave_the_rest_of_the_time)
{
    struct player quick = make(TURN_SHORT, 50000), slow = make(TURN_LONG, 1000);

    slow.busy = false;
    add(&quick);
    add(&slow);
    turns_run(&turns, now_us);
    ck_assert_int_eq(slow.turns, 1);
    ck_assert_int_eq(quick.turns, 1);
}
END_TEST

START_TEST(who_is_removed_has_no_turn_whichever_list_it_is_on)
{
    struct player first = make(TURN_SHORT, 1), later = make(TURN_SHORT, 1);
    struct player slow = make(TURN_LONG, 1), quick = make(TURN_SHORT, 1);

    first.victim = &later; /* in the round that runs */
    add(&first);
    add(&later);
    add(&slow);
    turns_run(&turns, now_us);
    ck_assert_int_eq(later.turns, 0);
    turns_remove(&turns, &first.turn); /* the last in its queue */
    turns_remove(&turns, &slow.turn);
    turns_remove(&turns, &slow.turn);
    ck_assert(!turns_are_coming(&turns));
    add(&quick); /* behind it */
    add(&slow);
    turns_run(&turns, now_us);
    ck_assert_int_eq(first.turns, 1);
    ck_assert_int_eq(quick.turns, 1);
    ck_assert_int_eq(slow.turns, 2);
}
END_TEST

START_TEST(who_takes_its_own_next_turn_away_has_none)
{
    struct player player = make(TURN_SHORT, 1);

    player.victim = &player;
    add(&player);
    turns_run(&turns, now_us);
    ck_assert(!turns_are_coming(&turns));
}
END_TEST

static Suite *
turns_suite(void)
{
    Suite *suite = suite_create("turns");
    TCase *cases = tcase_create("turns");

    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, each_has_one_short_turn_in_a_round);
    tcase_add_test(cases, nobody_has_a_turn_that_was_not_added);
    tcase_add_test(cases, long_turns_come_one_in_a_round_in_order);
    tcase_add_test(cases, long_turns_get_as_much_time_as_the_short_ones_took);
    tcase_add_test(cases, long_turns_that_end_leave_the_rest_of_the_time);
    tcase_add_test(cases, who_is_removed_has_no_turn_whichever_list_it_is_on);
    tcase_add_test(cases, who_takes_its_own_next_turn_away_has_none);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(turns_suite)
