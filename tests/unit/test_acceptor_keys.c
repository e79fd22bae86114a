/* SPDX-License-Identifier: BSD-2-Clause */
/* A keytab in memory: the order of its keys, and when it is read again. */
#include "gss/acceptor_keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"

static krb5_context context;
static char path[] = "/tmp/kerbwrap-keys-XXXXXX";
static struct acceptor_keys *keys;

static void
set_up(void)
{
    setenv("KRB5_CONFIG", "/dev/null", 1);
    ck_assert_int_eq(krb5_init_context(&context), 0);
    close(mkstemp(path));
    unlink(path);
}

static void
tear_down(void)
{
    acceptor_keys_free(context, keys);
    unlink(path);
    krb5_free_context(context);
}

static void
add(const char *name, krb5_kvno kvno)
{
    uint8_t bytes[32] = {(uint8_t)kvno};
    krb5_keytab_entry entry = {
        .vno = kvno,
        .key = {.enctype = ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                .length = sizeof bytes,
                .contents = bytes},
    };
    krb5_keytab file;
    char named[64];

    snprintf(named, sizeof named, "WRFILE:%s", path);
    ck_assert_int_eq(krb5_parse_name(context, name, &entry.principal), 0);
    ck_assert_int_eq(krb5_kt_resolve(context, named, &file), 0);
    ck_assert_int_eq(krb5_kt_add_entry(context, file, &entry), 0);
    krb5_kt_close(context, file);
    krb5_free_principal(context, entry.principal);
}

static void
read_keys_of(const char *name, const char *class,
             const struct acceptor_keys *before)
{
    struct acceptor_keys *fresh = acceptor_keys_read(context, name, class,
                                                     before);

    ck_assert_ptr_nonnull(fresh);
    acceptor_keys_free(context, keys);
    keys = fresh;
}

static void
read_keys(const char *class, const struct acceptor_keys *before)
{
    read_keys_of(path, class, before);
    ck_assert(keys->usable);
}

/* "name:kvno name:kvno", as the library goes through them by name. */
static void
expect_order(const char *wanted)
{
    krb5_keytab keytab;
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    char got[512] = "";

    ck_assert_int_eq(krb5_kt_resolve(context, keys->name, &keytab), 0);
    ck_assert_int_eq(krb5_kt_start_seq_get(context, keytab, &cursor), 0);
    while (krb5_kt_next_entry(context, keytab, &entry, &cursor) == 0) {
        size_t length = strlen(got);
        char *name;
        krb5_unparse_name_flags(context, entry.principal,
                                KRB5_PRINCIPAL_UNPARSE_NO_REALM, &name);
        snprintf(got + length, sizeof got - length, "%s%s:%u",
                 length > 0 ? " " : "", name, entry.vno);
        krb5_free_unparsed_name(context, name);
        krb5_kt_free_entry(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    krb5_kt_close(context, keytab);
    ck_assert_str_eq(got, wanted);
}

START_TEST(order_of_the_file_is_kept_among_equals)
{
    add("c/x@R", 2);
    add("a/x@R", 2);
    add("b/x@R", 2);
    read_keys(NULL, NULL);
    expect_order("c/x:2 a/x:2 b/x:2");
    read_keys("", NULL);
    expect_order("c/x:2 a/x:2 b/x:2");
}
END_TEST

START_TEST(keys_of_the_class_come_first_then_the_newest)
{
    add("web1$@R", 3);
    add("host/x@R", 2);
    add("orders/x@R", 2);
    add("orders2/x@R", 9);
    add("ORDERS/x.example@R", 3);
    add("orders@R", 7);
    read_keys("orders", NULL);
    expect_order("ORDERS/x.example:3 orders/x:2 orders2/x:9 orders:7 web1$:3 "
                 "host/x:2");
}
END_TEST

/* The first key in memory. */
static void
copy_key(uint8_t bytes[32])
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;

    ck_assert_int_eq(krb5_kt_start_seq_get(context, keys->keytab, &cursor), 0);
    ck_assert_int_eq(krb5_kt_next_entry(context, keys->keytab, &entry, &cursor),
                     0);
    ck_assert_uint_eq(entry.key.length, 32);
    memcpy(bytes, entry.key.contents, 32);
    krb5_kt_free_entry(context, &entry);
    krb5_kt_end_seq_get(context, keys->keytab, &cursor);
}

START_TEST(file_that_cannot_be_used_is_a_key_that_nobody_has)
{
    uint8_t one[32], other[32];

    read_keys_of(path, "orders", NULL);
    ck_assert(!keys->usable);
    expect_order("nobody:1");
    copy_key(one);
    read_keys_of("/dev/null", "orders", keys);
    expect_order("nobody:1");
    copy_key(other);
    ck_assert_mem_ne(one, other, sizeof one);
    /* Each time anew: it may be mended. */
    ck_assert(!acceptor_keys_are_current(keys, "/dev/null"));
}
END_TEST

START_TEST(file_may_be_named_with_its_type)
{
    char named[64];

    add("a/x@R", 2);
    snprintf(named, sizeof named, "FILE:%s", path);
    read_keys_of(named, "", NULL);
    expect_order("a/x:2");
    ck_assert(acceptor_keys_are_current(keys, named));
}
END_TEST

/* As if the last look had been longer ago. */
static void
let_time_pass(void)
{
    keys->seen_ms -= 10000;
}

START_TEST(version_serves_until_the_file_changes)
{
    add("a/x@R", 2);
    read_keys("", NULL);
    ck_assert(acceptor_keys_are_current(keys, path));
    add("b/x@R", 2);
    ck_assert(!acceptor_keys_are_current(keys, path));
    read_keys("", keys);
    expect_order("a/x:2 b/x:2");
    ck_assert(acceptor_keys_are_current(keys, path));
    unlink(path);
    ck_assert(!acceptor_keys_are_current(keys, path));
}
END_TEST

START_TEST(another_file_in_its_place_is_another_version)
{
    char away[64];

    add("a/x@R", 2);
    snprintf(away, sizeof away, "%s.away", path);
    rename(path, away);
    add("a/x@R", 2);
    read_keys("", NULL);
    rename(away, path);
    ck_assert(!acceptor_keys_are_current(keys, path));
}
END_TEST

static void
copy_file(const char *from, const char *to)
{
    char command[256];

    snprintf(command, sizeof command, "cat %s > %s", from, to);
    ck_assert_int_eq(system(command), 0);
}

/* As many bytes, the same file, and even the same time of last change. */
START_TEST(key_written_over_another_is_another_version)
{
    struct stat before;
    char other[64];

    add("a/x@R", 3);
    snprintf(other, sizeof other, "%s.other", path);
    rename(path, other);
    add("a/x@R", 2);
    read_keys("", NULL);
    ck_assert_int_eq(stat(path, &before), 0);
    usleep(20000); /* the clock of the file system goes on */
    copy_file(other, path);
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    unlink(other);
    ck_assert(!acceptor_keys_are_current(keys, path));
    read_keys("", keys);
    expect_order("a/x:3");
}
END_TEST

START_TEST(version_is_read_twice_and_then_serves_for_good)
{
    add("a/x@R", 2);
    read_keys("", NULL);
    ck_assert(!keys->settled);
    let_time_pass();
    ck_assert(!acceptor_keys_are_current(keys, path));
    read_keys("", keys);
    ck_assert(keys->settled);
    let_time_pass();
    ck_assert(acceptor_keys_are_current(keys, path));
}
END_TEST

START_TEST(other_file_begins_to_settle_anew)
{
    add("a/x@R", 2);
    read_keys("", NULL);
    let_time_pass();
    read_keys("", keys);
    add("b/x@R", 2);
    read_keys("", keys);
    ck_assert(!keys->settled);
    ck_assert(acceptor_keys_are_current(keys, path));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("acceptor_keys");
    TCase *cases = tcase_create("acceptor_keys");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, order_of_the_file_is_kept_among_equals);
    tcase_add_test(cases, keys_of_the_class_come_first_then_the_newest);
    tcase_add_test(cases, file_that_cannot_be_used_is_a_key_that_nobody_has);
    tcase_add_test(cases, file_may_be_named_with_its_type);
    tcase_add_test(cases, version_serves_until_the_file_changes);
    tcase_add_test(cases, key_written_over_another_is_another_version);
    tcase_add_test(cases, another_file_in_its_place_is_another_version);
    tcase_add_test(cases, version_is_read_twice_and_then_serves_for_good);
    tcase_add_test(cases, other_file_begins_to_settle_anew);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
