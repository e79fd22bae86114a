/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose ticket it was. */
#include "gss/ticket_clients.h"

#include <stdio.h>
#include <string.h>

#include "check_main.h"

static struct ticket_clients *clients;

static void
set_up(void)
{
    clients = ticket_clients_new();
}

static void
tear_down(void)
{
    ticket_clients_free(clients);
}

static void
digest_of(unsigned number, uint8_t digest[TICKET_DIGEST_SIZE])
{
    uint8_t ticket[] = {(uint8_t)(number >> 8), (uint8_t)number};

    ck_assert(ticket_digest(ticket, sizeof ticket, digest));
}

static void
keep(unsigned number, const char *name)
{
    uint8_t digest[TICKET_DIGEST_SIZE];

    digest_of(number, digest);
    ticket_clients_keep(clients, digest, name);
}

static char *
find(unsigned number)
{
    uint8_t digest[TICKET_DIGEST_SIZE];

    digest_of(number, digest);
    return ticket_clients_find(clients, digest);
}

START_TEST(digest_is_sha_256)
{
    static const uint8_t of_nothing[] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    uint8_t digest[TICKET_DIGEST_SIZE];

    ck_assert(ticket_digest((const uint8_t *)"", 0, digest));
    ck_assert_mem_eq(digest, of_nothing, sizeof digest);
}
END_TEST

START_TEST(what_was_not_kept_is_not_known)
{
    ck_assert_ptr_null(find(1));
    keep(1, "alice@REALM");
    ck_assert_ptr_null(find(2));
}
END_TEST

START_TEST(the_last_name_of_a_ticket_counts)
{
    keep(1, "alice@REALM");
    keep(1, "bob@REALM");
    char *name = find(1);
    ck_assert_str_eq(name, "bob@REALM");
    free(name);
}
END_TEST

/* Far more than there are places, each found at once, and whatever is found
 * later is right. */
START_TEST(many_tickets_are_never_confused)
{
    char name[16];
    unsigned found = 0;

    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "user%u", i);
        keep(i, name);
        char *known = find(i);
        ck_assert_str_eq(known, name);
        free(known);
    }
    for (unsigned i = 0; i < 5000; i++) {
        char *known = find(i);
        snprintf(name, sizeof name, "user%u", i);
        if (known != NULL)
            ck_assert_str_eq(known, name);
        found += known != NULL;
        free(known);
    }
    ck_assert_uint_gt(found, 200);
    ck_assert_uint_le(found, 256);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("ticket_clients");
    TCase *cases = tcase_create("ticket_clients");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, digest_is_sha_256);
    tcase_add_test(cases, what_was_not_kept_is_not_known);
    tcase_add_test(cases, the_last_name_of_a_ticket_counts);
    tcase_add_test(cases, many_tickets_are_never_confused);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
