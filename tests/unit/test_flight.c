/* SPDX-License-Identifier: BSD-2-Clause */
/* One leads, the others wait for the same result. */
#include "gss/flight.h"

#include <unistd.h>

#include "check_main.h"

enum {
    PASSENGERS = 8
};

struct passenger {
    pthread_t thread;
    struct flight *flight;
    bool led, ok;
    struct error error;
};

static void *
board(void *arg)
{
    struct passenger *passenger = arg;

    passenger->led = flight_lead(passenger->flight, &passenger->ok,
                                 &passenger->error);
    return NULL;
}

/* Lets passengers board while we lead, and lands. */
static void
fly(struct passenger *passengers, bool ok, const struct error *err)
{
    static struct flight flight;
    bool ignored;

    flight_init(&flight);
    ck_assert(flight_lead(&flight, &ignored, NULL));
    for (size_t i = 0; i < PASSENGERS; i++) {
        passengers[i] = (struct passenger){.flight = &flight};
        pthread_create(&passengers[i].thread, NULL, board, &passengers[i]);
    }
    while (flight_waiting(&flight) < PASSENGERS)
        usleep(100);
    flight_land(&flight, ok, err);
    for (size_t i = 0; i < PASSENGERS; i++)
        pthread_join(passengers[i].thread, NULL);
    flight_clear(&flight);
}

START_TEST(passengers_share_a_success)
{
    struct passenger passengers[PASSENGERS];

    fly(passengers, true, NULL);
    for (size_t i = 0; i < PASSENGERS; i++) {
        ck_assert(!passengers[i].led);
        ck_assert(passengers[i].ok);
    }
}
END_TEST

START_TEST(passengers_share_a_failure)
{
    struct passenger passengers[PASSENGERS];
    struct error err = {.text = "cannot fly: fog"};

    fly(passengers, false, &err);
    for (size_t i = 0; i < PASSENGERS; i++) {
        ck_assert(!passengers[i].ok);
        ck_assert_str_eq(passengers[i].error.text, "cannot fly: fog");
    }
}
END_TEST

START_TEST(who_comes_later_leads_anew)
{
    struct flight flight;
    bool ok;

    flight_init(&flight);
    ck_assert(flight_lead(&flight, &ok, NULL));
    flight_land(&flight, true, NULL);
    ck_assert(flight_lead(&flight, &ok, NULL));
    flight_land(&flight, true, NULL);
    flight_clear(&flight);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("flight");
    TCase *cases = tcase_create("flight");

    tcase_add_test(cases, passengers_share_a_success);
    tcase_add_test(cases, passengers_share_a_failure);
    tcase_add_test(cases, who_comes_later_leads_anew);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
