/* SPDX-License-Identifier: BSD-2-Clause */
/* The kept answer: there and back, and what is not believed. */
#include "directory/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"

static const char question[] = "1 domain=corp.test";
static const char encoded[] =
    "kerbwrap discovery 1\n"
    "question 1%20domain=corp.test\n"
    "time 1795382911\n"
    "candidate 4 b7b1311c-b82e-11d0-afee-0000f80367c1 web1.corp.test 7443 1 2 "
    "orders/web1.corp.test CN=o%20%25%0a,DC=corp accepted%20by%20allow_host\n"
    "sum ";

static struct discovery *discovery;
static struct error err;
static char directory[] = "/tmp/test_kept.XXXXXX";
static char path[256];

static void
setup(void)
{
    char dn[] = "CN=o %\n,DC=corp", spn[] = "orders/web1.corp.test";
    char verdict[] = "accepted by allow_host", rejected[] = "no";
    struct candidate candidate = {.dn = dn,
                                  .has_guid = true,
                                  .scp = 4,
                                  .host = "web1.corp.test",
                                  .port = 7443,
                                  .priority = 1,
                                  .weight = 2,
                                  .accepted = true,
                                  .spn = spn,
                                  .verdict = verdict};
    struct candidate bad = {.dn = dn, .verdict = rejected};

    ck_assert(
        guid_parse("b7b1311c-b82e-11d0-afee-0000f80367c1", &candidate.guid));
    discovery = discovery_new(&err);
    discovery->time = 1795382911;
    ck_assert(discovery_add(discovery, &bad, &err));
    ck_assert(discovery_add(discovery, &candidate, &err));
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert(kept_path(directory, "orders", path, sizeof path));
}

static void
teardown(void)
{
    discovery_release(discovery);
    unlink(path);
    rmdir(directory);
}

/* Text with a sum that fits, so that its lines are looked at. */
static void
expect_refused(const char *text, const char *sentence)
{
    char whole[4096];
    uint64_t sum = 0xcbf29ce484222325u;
    struct discovery *got = NULL;

    for (const char *at = text; *at != '\0'; at++)
        sum = (sum ^ (uint8_t)*at) * 0x100000001b3u;
    int length = snprintf(whole, sizeof whole, "%ssum %016llx\n", text,
                          (unsigned long long)sum);
    ck_assert(!kept_parse(whole, (size_t)length, "q", &got, &err));
    ck_assert_str_eq(err.text, sentence);
}

START_TEST(accepted_candidates_are_written_down)
{
    size_t length = 0;
    char *text = kept_encode(question, discovery, &length, &err);

    ck_assert_uint_eq(length, sizeof encoded - 1 + 17);
    ck_assert_mem_eq(text, encoded, sizeof encoded - 1);
    free(text);
}
END_TEST

START_TEST(what_was_saved_is_loaded)
{
    struct discovery *got = NULL;

    ck_assert(kept_save(path, question, discovery, &err));
    ck_assert_int_eq(kept_load(path, question, &got, &err), KEPT_LOADED);
    ck_assert_int_eq(got->outcome, DISCOVERY_FOUND);
    ck_assert(got->kept);
    ck_assert_int_eq(got->time, 1795382911);
    ck_assert_uint_eq(got->accepted_count, 1);
    ck_assert_str_eq(got->candidates[0].host, "web1.corp.test");
    ck_assert_uint_eq(got->candidates[0].port, 7443);
    ck_assert_str_eq(got->candidates[0].spn, "orders/web1.corp.test");
    ck_assert_str_eq(got->candidates[0].dn, "CN=o %\n,DC=corp");
    discovery_release(got);
}
END_TEST

START_TEST(only_its_owner_may_read_the_file)
{
    struct stat status;

    ck_assert(kept_save(path, question, discovery, &err));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_file_that_others_may_write_is_not_believed)
{
    struct discovery *got = NULL;
    char sentence[512];

    ck_assert(kept_save(path, question, discovery, &err));
    ck_assert_int_eq(chmod(path, 0660), 0);
    ck_assert_int_eq(kept_load(path, question, &got, &err), KEPT_UNUSABLE);
    snprintf(sentence, sizeof sentence,
             "cannot use %s: it is not a file that only its owner can write",
             path);
    ck_assert_str_eq(err.text, sentence);
}
END_TEST

START_TEST(another_question_is_not_answered)
{
    struct discovery *got = NULL;
    char sentence[512];

    ck_assert(kept_save(path, question, discovery, &err));
    ck_assert_int_eq(kept_load(path, "1 domain=other", &got, &err),
                     KEPT_UNUSABLE);
    snprintf(sentence, sizeof sentence,
             "cannot use %s: line 2: it answers another question", path);
    ck_assert_str_eq(err.text, sentence);
}
END_TEST

START_TEST(no_file_is_absent)
{
    struct discovery *got = NULL;

    ck_assert_int_eq(kept_load(path, question, &got, &err), KEPT_ABSENT);
    ck_assert(kept_remove(path, &err));
}
END_TEST

START_TEST(a_removed_answer_is_gone)
{
    struct discovery *got = NULL;

    ck_assert(kept_save(path, question, discovery, &err));
    ck_assert(kept_remove(path, &err));
    ck_assert_int_eq(kept_load(path, question, &got, &err), KEPT_ABSENT);
}
END_TEST

START_TEST(a_directory_that_is_missing_is_told)
{
    ck_assert(
        !kept_save("/nonexistent/x.discovery", question, discovery, &err));
    ck_assert_str_eq(err.text, "cannot write /nonexistent/x.discovery: "
                               "No such file or directory");
}
END_TEST

START_TEST(every_truncation_is_damage)
{
    size_t length = 0;
    char *text = kept_encode(question, discovery, &length, &err);
    struct discovery *got = NULL;

    for (size_t cut = 0; cut < length; cut++) {
        ck_assert(!kept_parse(text, cut, question, &got, &err));
        ck_assert_str_eq(err.text, "it is damaged");
    }
    free(text);
}
END_TEST

START_TEST(every_flipped_bit_is_damage)
{
    size_t length = 0;
    char *text = kept_encode(question, discovery, &length, &err);
    struct discovery *got = NULL;

    for (size_t bit = 0; bit < 8 * length; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        ck_assert(!kept_parse(text, length, question, &got, &err));
        ck_assert_str_eq(err.text, "it is damaged");
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    free(text);
}
END_TEST

#define HEAD "kerbwrap discovery 1\nquestion q\ntime 1\n"

START_TEST(lines_that_do_not_read_well_are_refused)
{
    expect_refused("kerbwrap discovery 2\n",
                   "line 1: it is of another version");
    expect_refused("kerbwrap discovery 1\nquestion\n",
                   "line 2: something is missing");
    expect_refused(HEAD, "line 3: it has no candidate");
    expect_refused(HEAD "candidate 0 - h 1 0 0 s d v w\n",
                   "line 4: something is left over");
    expect_refused(HEAD "candidate 0 - h 1 0 0 s d\n",
                   "line 4: something is missing");
    expect_refused(HEAD "candidate 0 - h 65536 0 0 s d v\n",
                   "line 4: a number is wrong");
    expect_refused(HEAD "candidate 0 x h 1 0 0 s d v\n",
                   "line 4: the objectGUID is wrong");
    expect_refused(HEAD "candidate 0 - h 1 0 0 s%00 d v\n",
                   "line 4: a word cannot be read");
    expect_refused(HEAD "candidate 0 - 10.0.0.1 1 0 0 s d v\n",
                   "line 4: not a candidate that could be dialled");
    expect_refused(HEAD "candidate 1 - h 1 0 0 s d v\n"
                        "candidate 0 - h 1 0 0 s d v\n",
                   "line 5: out of order");
}
END_TEST

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        accepted_candidates_are_written_down,
        what_was_saved_is_loaded,
        only_its_owner_may_read_the_file,
        a_file_that_others_may_write_is_not_believed,
        another_question_is_not_answered,
        no_file_is_absent,
        a_removed_answer_is_gone,
        a_directory_that_is_missing_is_told,
        every_truncation_is_damage,
        every_flipped_bit_is_damage,
        lines_that_do_not_read_well_are_refused,
    };
    Suite *suite = suite_create("kept");
    TCase *files = tcase_create("files");

    tcase_add_checked_fixture(files, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(files, tests[i]);
    suite_add_tcase(suite, files);
    return suite;
}

CHECK_MAIN(make_suite)
