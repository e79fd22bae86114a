/* SPDX-License-Identifier: BSD-2-Clause */
/* libevent's memory: pieces of any size, which keep what is in them. */
#include "base/event_memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "check_main.h"

enum {
    PIECES = 3000 /* more than a slab has */
};

START_TEST(pieces_of_any_size_are_aligned_and_apart)
{
    static char *pieces[PIECES];

    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = event_memory_get(i % 130);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)(i % 251), i % 130);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < i % 130; j++)
            ck_assert_int_eq((uint8_t)pieces[i][j], (int)(i % 251));
        event_memory_release(pieces[i]);
    }
    event_memory_release(NULL);
}
END_TEST

START_TEST(small_piece_that_was_released_is_given_again)
{
    void *first = event_memory_get(1);

    event_memory_release(first);
    ck_assert_ptr_eq(event_memory_get(64), first);
    event_memory_release(first);
}
END_TEST

static const size_t sizes[][2] = {{1, 64},    {64, 65},     {65, 64},
                                  {64, 4096}, {4096, 9000}, {9000, 3}};

START_TEST(resizing_keeps_what_fits)
{
    size_t from = sizes[_i][0], to = sizes[_i][1];
    size_t kept = from < to ? from : to;
    char *bytes = event_memory_resize(NULL, from);

    memset(bytes, 'x', from);
    bytes = event_memory_resize(bytes, to);
    for (size_t i = 0; i < kept; i++)
        ck_assert_int_eq(bytes[i], 'x');
    memset(bytes, 'y', to);
    event_memory_release(bytes);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("event_memory");
    TCase *cases = tcase_create("event_memory");

    tcase_add_test(cases, pieces_of_any_size_are_aligned_and_apart);
    tcase_add_test(cases, small_piece_that_was_released_is_given_again);
    tcase_add_loop_test(cases, resizing_keeps_what_fits, 0,
                        sizeof sizes / sizeof sizes[0]);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
