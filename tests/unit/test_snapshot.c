/* SPDX-License-Identifier: BSD-2-Clause */
/* src/proxy/snapshot.c: destinations, their names and their order. */
#include "check_main.h"

#include <string.h>

#include "base/loop.h"
#include "config_text.h"
#include "proxy/snapshot.h"

#define SERVER(connect)                                                        \
    "[server db]\naccept = [::]:7443\nconnect = " connect                      \
    "\nservice_class = orders\nkeytab = /k\nallow = *@R\n"
#define CLIENT(keys)                                                           \
    "[client db]\naccept = 127.0.0.1:5432\nservice_class = orders\n"           \
    "ccache = default\n" keys

static struct config_text *text;
static struct credential *credential;
static struct counters *counters;
static struct snapshot *snapshot;
static struct snapshot_parts parts;

static void
set_up(void)
{
    const struct initiator_settings settings = {.ccache = "MEMORY:none"};

    ck_assert(credential_new_initiator(&settings, 1, &credential, NULL));
    counters = counters_new();
    ck_assert_ptr_nonnull(counters);
}

static void
tear_down(void)
{
    snapshot_release(snapshot);
    counters_release(counters);
    credential_release(credential);
    config_text_free(text);
}

static void
read_config(const char *ini)
{
    text = config_text_read(ini);
    ck_assert_msg(text->config != NULL, "%s", text->findings);
    parts = (struct snapshot_parts){
        .config = text->config,
        .service = &text->config->services[0],
        .credential = credential,
        .counters = counters,
    };
}

static void
make(const char *ini)
{
    struct error error;

    read_config(ini);
    snapshot = snapshot_new(&parts, &error);
    ck_assert_msg(snapshot != NULL, "%s", error.text);
}

/* "2 0 1" */
static const char *
order_text(void)
{
    static char out[4 * DESTINATIONS_MAX];
    uint8_t order[DESTINATIONS_MAX];
    size_t used = 0;

    snapshot_order(snapshot, order);
    out[0] = '\0';
    for (size_t i = 0; i < snapshot->destination_count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%u",
                                 i > 0 ? " " : "", order[i]);
    return out;
}

/* Names. */

START_TEST(application_has_no_name)
{
    make(SERVER("127.0.0.1:5432"));
    ck_assert_uint_eq(snapshot->destination_count, 1);
    ck_assert_ptr_null(snapshot->destinations[0].spn);
    ck_assert_uint_eq(snapshot->destinations[0].endpoint.port, 5432);
}
END_TEST

START_TEST(server_is_called_by_class_and_host)
{
    make(CLIENT("connect = db1.example.test:7443 db2.example.test:7443\n"));
    ck_assert_uint_eq(snapshot->destination_count, 2);
    ck_assert_str_eq(snapshot->destinations[0].spn, "orders/db1.example.test");
    ck_assert_str_eq(snapshot->destinations[1].spn, "orders/db2.example.test");
}
END_TEST

START_TEST(server_is_called_by_its_port_too_when_asked)
{
    make(CLIENT("connect = db1.example.test:7443\nspn_format = port\n"));
    ck_assert_str_eq(snapshot->destinations[0].spn,
                     "orders/db1.example.test:7443");
}
END_TEST

START_TEST(literal_name_is_taken_as_it_is)
{
    make(CLIENT("connect = 127.0.0.1:7443\nspn = orders/db9@REALM\n"));
    ck_assert_str_eq(snapshot->destinations[0].spn, "orders/db9@REALM");
}
END_TEST

/* Order. */

START_TEST(listed_servers_are_dialled_in_their_order)
{
    make(CLIENT("connect = a:1 b:1 c:1 d:1\nselect = listed\n"));
    ck_assert_str_eq(order_text(), "0 1 2 3");
}
END_TEST

START_TEST(applications_are_always_dialled_in_their_order)
{
    make(SERVER("127.0.0.1:1 127.0.0.1:2 127.0.0.1:3"));
    for (int i = 0; i < 20; i++)
        ck_assert_str_eq(order_text(), "0 1 2");
}
END_TEST

START_TEST(random_order_puts_each_first_at_times)
{
    unsigned first[4] = {0};

    make(CLIENT("connect = a:1 b:1 c:1 d:1\nselect = random\n"));
    for (int i = 0; i < 400; i++) {
        uint8_t order[DESTINATIONS_MAX];
        snapshot_order(snapshot, order);
        ck_assert_uint_eq(
            (1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3]),
            15);
        first[order[0]]++;
    }
    /* 100 of each on average; below 30 once in ten million million times. */
    for (int i = 0; i < 4; i++)
        ck_assert_uint_ge(first[i], 30);
}
END_TEST

START_TEST(failed_server_goes_last)
{
    make(CLIENT("connect = a:1 b:1 c:1\nselect = listed\n"));
    snapshot_penalise(snapshot, 0);
    ck_assert_str_eq(order_text(), "1 2 0");
    snapshot_penalise(snapshot, 1);
    ck_assert_str_eq(order_text(), "2 0 1");
}
END_TEST

START_TEST(all_failed_is_as_none_failed)
{
    make(CLIENT("connect = a:1 b:1\nselect = listed\n"));
    snapshot_penalise(snapshot, 0);
    snapshot_penalise(snapshot, 1);
    ck_assert_str_eq(order_text(), "0 1");
}
END_TEST

START_TEST(server_that_works_again_has_its_place_back)
{
    make(CLIENT("connect = a:1 b:1\nselect = listed\n"));
    snapshot_penalise(snapshot, 0);
    snapshot_absolve(snapshot, 0);
    ck_assert_str_eq(order_text(), "0 1");
}
END_TEST

START_TEST(penalty_ends_by_itself)
{
    make(CLIENT("connect = a:1 b:1\nselect = listed\n"));
    snapshot_penalise(snapshot, 0);
    uint64_t until = atomic_load(&snapshot->destinations[0].penalty_until);
    ck_assert_uint_gt(until, loop_now_ms() + 25000);
    ck_assert_uint_le(until, loop_now_ms() + 30000);
    atomic_store(&snapshot->destinations[0].penalty_until, loop_now_ms());
    ck_assert_str_eq(order_text(), "0 1");
}
END_TEST

START_TEST(penalties_go_on_in_the_next_snapshot)
{
    make(CLIENT("connect = a:1 b:1 c:1\nselect = listed\n"));
    snapshot_penalise(snapshot, 1);
    parts.previous = snapshot;
    struct snapshot *next = snapshot_new(&parts, NULL);
    ck_assert_ptr_nonnull(next);
    snapshot_release(snapshot);
    snapshot = next;
    ck_assert_str_eq(order_text(), "0 2 1");
}
END_TEST

/* Discovered. */

static void
make_discovered(const struct candidate *candidates, size_t count)
{
    struct discovery *discovery = discovery_new(NULL);

    ck_assert_ptr_nonnull(discovery);
    for (size_t i = 0; i < count; i++)
        ck_assert(discovery_add(discovery, &candidates[i], NULL));
    read_config(CLIENT("connect = unused:1\nselect = listed\n"));
    parts.discovery = discovery;
    snapshot = snapshot_new(&parts, NULL);
    ck_assert_ptr_nonnull(snapshot);
    discovery_release(discovery);
}

static char dn[] = "CN=orders", spn1[] = "orders/db1", spn2[] = "orders/db2",
            verdict[] = "because";

START_TEST(only_accepted_candidates_are_destinations)
{
    const struct candidate candidates[] = {
        {.dn = dn, .host = "evil", .port = 1, .verdict = verdict},
        {.dn = dn,
         .host = "db1",
         .port = 7443,
         .accepted = true,
         .spn = spn1,
         .verdict = verdict},
    };

    make_discovered(candidates, 2);
    ck_assert_uint_eq(snapshot->destination_count, 1);
    ck_assert_str_eq(snapshot->destinations[0].endpoint.host, "db1");
    ck_assert_uint_eq(snapshot->destinations[0].endpoint.port, 7443);
    ck_assert_str_eq(snapshot->destinations[0].spn, "orders/db1");
    ck_assert_str_eq(order_text(), "0");
}
END_TEST

START_TEST(candidates_are_dialled_by_priority)
{
    const struct candidate candidates[] = {
        {.dn = dn,
         .host = "db1",
         .port = 1,
         .priority = 20,
         .accepted = true,
         .spn = spn1,
         .verdict = verdict},
        {.dn = dn,
         .host = "db2",
         .port = 1,
         .priority = 10,
         .accepted = true,
         .spn = spn2,
         .verdict = verdict},
    };

    make_discovered(candidates, 2);
    ck_assert_str_eq(order_text(), "1 0");
    snapshot_penalise(snapshot, 1);
    ck_assert_str_eq(order_text(), "0 1");
}
END_TEST

START_TEST(no_candidate_is_an_empty_snapshot)
{
    make_discovered(NULL, 0);
    ck_assert_uint_eq(snapshot->destination_count, 0);
    ck_assert_str_eq(order_text(), "");
}
END_TEST

/* Limits and lives. */

static void
list_hosts(char *ini, size_t size, unsigned count)
{
    size_t used = (size_t)snprintf(ini, size, CLIENT("connect ="));

    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(ini + used, size - used, " h%u:1", i);
    snprintf(ini + used, size - used, "\nselect = listed\n");
}

START_TEST(list_may_have_64_servers)
{
    char ini[4096];

    list_hosts(ini, sizeof ini, 64);
    make(ini);
    ck_assert_uint_eq(snapshot->destination_count, 64);
    ck_assert_int_eq(strncmp(order_text(), "0 1 2 3 4", 9), 0);
}
END_TEST

START_TEST(longer_list_is_refused)
{
    char ini[4096];
    struct error error;

    list_hosts(ini, sizeof ini, 65);
    read_config(ini);
    ck_assert_ptr_null(snapshot_new(&parts, &error));
    ck_assert_str_eq(error.text,
                     "cannot use 65 addresses in `connect`: at most 64");
}
END_TEST

START_TEST(snapshot_lives_as_long_as_it_is_held)
{
    make(SERVER("127.0.0.1:5432"));
    struct snapshot *held = snapshot_hold(snapshot);
    snapshot_release(snapshot);
    snapshot = held;
    ck_assert_str_eq(order_text(), "0");
}
END_TEST

static Suite *
snapshot_suite(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *cases = tcase_create("snapshot");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, application_has_no_name);
    tcase_add_test(cases, server_is_called_by_class_and_host);
    tcase_add_test(cases, server_is_called_by_its_port_too_when_asked);
    tcase_add_test(cases, literal_name_is_taken_as_it_is);
    tcase_add_test(cases, listed_servers_are_dialled_in_their_order);
    tcase_add_test(cases, applications_are_always_dialled_in_their_order);
    tcase_add_test(cases, random_order_puts_each_first_at_times);
    tcase_add_test(cases, failed_server_goes_last);
    tcase_add_test(cases, all_failed_is_as_none_failed);
    tcase_add_test(cases, server_that_works_again_has_its_place_back);
    tcase_add_test(cases, penalty_ends_by_itself);
    tcase_add_test(cases, penalties_go_on_in_the_next_snapshot);
    tcase_add_test(cases, only_accepted_candidates_are_destinations);
    tcase_add_test(cases, candidates_are_dialled_by_priority);
    tcase_add_test(cases, no_candidate_is_an_empty_snapshot);
    tcase_add_test(cases, list_may_have_64_servers);
    tcase_add_test(cases, longer_list_is_refused);
    tcase_add_test(cases, snapshot_lives_as_long_as_it_is_held);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(snapshot_suite)
