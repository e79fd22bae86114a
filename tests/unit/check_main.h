/* SPDX-License-Identifier: BSD-2-Clause */
/* The runner that every suite shares: CHECK_MAIN(suite function). */
#ifndef TESTS_CHECK_MAIN_H
#define TESTS_CHECK_MAIN_H

#include <stdlib.h>
#include <check.h>

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
