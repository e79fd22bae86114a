/* SPDX-License-Identifier: BSD-2-Clause */
/* src/doctor/visit.c: what a terminal is given. */
#include "doctor/visit.h"

#include "check_main.h"

START_TEST(what_moves_a_cursor_is_never_passed_on)
{
    static struct visit visit;

    visit_fail(&visit, "do\xc2\x9b", "%s",
               "a\x1b[2J b\xc2\x9b c\x9b \xe2\x80\xae gr\xc3\xbcn");
    ck_assert_str_eq(visit.notes[0].text, "a?[2J b?? c? ??? gr\xc3\xbcn");
    ck_assert_str_eq(visit.notes[0].advice, "do??");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("visit");
    TCase *notes = tcase_create("notes");

    tcase_add_test(notes, what_moves_a_cursor_is_never_passed_on);
    suite_add_tcase(suite, notes);
    return suite;
}

CHECK_MAIN(make_suite)
