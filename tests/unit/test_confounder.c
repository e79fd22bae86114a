/* SPDX-License-Identifier: BSD-2-Clause */
/* No two confounders are the same, whoever takes them. */
#include "gss/confounder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"

enum {
    COUNT = 500, /* of a thread: several stocks of them */
    THREADS = 4,
};

static uint8_t taken[THREADS * COUNT][TOKEN_CONFOUNDER_SIZE];

static void *
take(void *arg)
{
    uint8_t(*mine)[TOKEN_CONFOUNDER_SIZE] = arg;

    for (size_t i = 0; i < COUNT; i++) {
        if (!confounder_take(mine[i], NULL))
            return arg;
    }
    return NULL;
}

static int
compare(const void *one, const void *other)
{
    return memcmp(one, other, TOKEN_CONFOUNDER_SIZE);
}

START_TEST(every_confounder_is_another)
{
    pthread_t threads[THREADS];
    void *failed;

    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take, taken[i * COUNT]);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    qsort(taken, THREADS * COUNT, sizeof taken[0], compare);
    for (size_t i = 1; i < THREADS * COUNT; i++)
        ck_assert(compare(taken[i - 1], taken[i]) != 0);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("confounder");
    TCase *cases = tcase_create("stock");

    tcase_add_test(cases, every_confounder_is_another);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
