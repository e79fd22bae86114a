/* SPDX-License-Identifier: BSD-2-Clause */
/* The runner that every suite shares: CHECK_MAIN(suite function). */
#ifndef TESTS_CHECK_MAIN_H
#define TESTS_CHECK_MAIN_H

#include <stdlib.h>
#include <check.h>

/* For each assertion that holds Check writes down where: most of the time of
 * suites with many.  The sanitizers say themselves where a suite died. */
#define _mark_point(file, line) ((void)0)

#define CHECK_MAIN(make_suite)                                                 \
    int main(void)                                                             \
    {                                                                          \
        SRunner *runner = srunner_create(make_suite());                        \
        srunner_run_all(runner, CK_ENV);                                       \
        int failed = srunner_ntests_failed(runner);                            \
        srunner_free(runner);                                                  \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                      \
    }

#endif
