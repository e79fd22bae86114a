/* SPDX-License-Identifier: BSD-2-Clause */
/* src/base/utf8.c against RFC 3629. */
#include "check_main.h"

#include <string.h>

#include "base/utf8.h"

static const struct {
    const char *bytes;
    size_t size;
    uint32_t point;
} characters[] = {
    {"A", 1, 'A'},
    {"\x7f", 1, 0x7f},
    {"\xc2\x80", 2, 0x80},
    {"\xc3\xa9", 2, 0xe9},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xe2\x82\xac", 3, 0x20ac},
    {"\xef\xbf\xbf", 3, 0xffff},
    {"\xf0\x90\x80\x80", 4, 0x10000},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
};

START_TEST(character_is_decoded_from_its_bytes)
{
    uint32_t point = 0;

    size_t size = utf8_decode(characters[_i].bytes, 4, &point);

    ck_assert_uint_eq(size, characters[_i].size);
    ck_assert_uint_eq(point, characters[_i].point);
}
END_TEST

START_TEST(cut_character_is_none)
{
    uint32_t point;

    for (size_t have = 0; have < characters[_i].size; have++)
        ck_assert_uint_eq(utf8_decode(characters[_i].bytes, have, &point), 0);
}
END_TEST

/* Stray and missing continuations, long forms, surrogates, above U+10FFFF. */
static const char *const malformed[] = {
    "\x80___",          "\xbf___",          "\xc3_",        "\xe2\x82_",
    "\xf0\x90\x80_",    "\xc0\x80",         "\xc1\xbf",     "\xe0\x9f\xbf",
    "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",     "\xed\xbf\xbf", "\xf4\x90\x80\x80",
    "\xf8\x88\x80\x80", "\xff\xff\xff\xff",
};

START_TEST(malformed_character_is_none)
{
    uint32_t point;

    ck_assert_uint_eq(utf8_decode(malformed[_i], strlen(malformed[_i]), &point),
                      0);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("utf8");
    TCase *tests = tcase_create("characters");
    const int good = sizeof characters / sizeof characters[0];
    const int bad = sizeof malformed / sizeof malformed[0];

    tcase_add_loop_test(tests, character_is_decoded_from_its_bytes, 0, good);
    tcase_add_loop_test(tests, cut_character_is_none, 0, good);
    tcase_add_loop_test(tests, malformed_character_is_none, 0, bad);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
