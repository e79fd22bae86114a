/* SPDX-License-Identifier: BSD-2-Clause */
/* Mistakes and their sentences; printing; the life of a snapshot. */
#include "config/config.h"

#include <pthread.h>

#include "check_main.h"
#include "config_text.h"

/* --- sections ----------------------------------------------------------- */

START_TEST(minimal_server_and_client_are_fine)
{
    expect_accepted(SERVER_LINES CLIENT_LINES, "");
}
END_TEST

START_TEST(an_empty_file_lacks_services)
{
    expect_refused("# nothing\n", "F: at least one [server NAME] or "
                                  "[client NAME] is needed\n");
}
END_TEST

START_TEST(unknown_sections_show_what_is_known)
{
    expect_refused(SERVER_LINES "[sever b]\nx = 1\n[things]\ny = 1\n",
                   "F:7: unknown section [sever b]: did you mean [server b]?\n"
                   "F:9: unknown section [things]: expected [kerbwrap], "
                   "[directory], [server NAME] or [client NAME]\n");
}
END_TEST

START_TEST(names_of_sections_are_checked)
{
    expect_refused(SERVER_LINES "[kerbwrap x]\n[client]\nccache = default\n",
                   "F:7: [kerbwrap] takes no name\n"
                   "F:8: [client] needs a name, as [client web]\n"
                   "F:8: [client] lacks `accept`: ADDRESS:PORT | unix:PATH | "
                   "fd:NAME; port 0 picks one and logs it\n"
                   "F:8: [client] lacks `service_class` or `spn`\n"
                   "F:8: [client] lacks one of `keywords`, `scp` and "
                   "`connect`\n");
}
END_TEST

START_TEST(names_have_few_letters)
{
    expect_refused("[server a b]\naccept = :::1\n",
                   "F:1: cannot use \"a b\": the name of a section is up to 40 "
                   "letters, digits, dots, underscores and hyphens\n"
                   "F:1: [server a b] lacks `keytab`: file with the keys of "
                   "the service\n"
                   "F:1: [server a b] lacks `allow`: who may connect: "
                   "PRINCIPAL@REALM with *, or group:NAME; a list\n"
                   "F:1: [server a b] lacks `service_class` or `spn`\n"
                   "F:1: [server a b] lacks one of `connect` and `exec`\n"
                   "F:2: `accept`: cannot read \":::1\" as an address: an IPv6 "
                   "address is written [ADDRESS]:PORT\n");
}
END_TEST

START_TEST(names_of_40_letters_are_the_longest)
{
    expect_accepted("[server "
                    "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd]\n" SERVER_KEYS,
                    "");
    expect_refused("[server "
                   "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde]\n" SERVER_KEYS,
                   "F:1: cannot use "
                   "\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde\": the name of "
                   "a section is up to 40 letters, digits, dots, underscores "
                   "and hyphens\n");
}
END_TEST

START_TEST(names_are_unique_over_both_roles)
{
    expect_refused(SERVER_LINES "[client a]\naccept = 127.0.0.1:1\n"
                                "connect = x:1\nservice_class = c\n"
                                "ccache = default\n",
                   "F:7: the name \"a\" is taken by the section in line 1\n");
}
END_TEST

START_TEST(kerbwrap_is_begun_once)
{
    expect_refused("[kerbwrap]\n" SERVER_LINES "[kerbwrap]\nthreads = 1\n",
                   "F:8: [kerbwrap] was already begun in line 1\n");
}
END_TEST

/* --- keys --------------------------------------------------------------- */

START_TEST(keys_need_a_section)
{
    expect_refused("threads = 1\n" SERVER_LINES,
                   "F:1: `threads` stands before the first section\n");
}
END_TEST

START_TEST(unknown_keys_show_the_nearest_one)
{
    expect_refused(SERVER_LINES "heart_beat = 1s\nqqq = 1\n",
                   "F:7: unknown key `heart_beat`: did you mean `heartbeat`?\n"
                   "F:8: unknown key `qqq`\n");
}
END_TEST

START_TEST(keys_of_another_section_are_told_so)
{
    expect_refused(SERVER_LINES "ccache = x\nthreads = 1\n",
                   "F:7: `ccache` is a key of [client NAME], not of "
                   "[server NAME]\n"
                   "F:8: `threads` is a key of [kerbwrap], not of "
                   "[server NAME]\n");
}
END_TEST

START_TEST(keys_stand_once)
{
    expect_refused(SERVER_LINES "allow = b@R\n  c@R\nkeytab = /l\n",
                   "F:7: `allow` was already set in line 6\n"
                   "F:9: `keytab` was already set in line 5\n");
}
END_TEST

START_TEST(keys_with_a_default_need_a_value)
{
    expect_refused(SERVER_LINES "heartbeat =\ntunnel =\nmax_connections =\n",
                   "F:7: `heartbeat` needs a value\n");
}
END_TEST

START_TEST(required_keys_may_not_be_empty)
{
    expect_refused("[server a]\naccept = 127.0.0.1:1\nconnect =\n"
                   "service_class =\nkeytab =\nallow = a@R\n",
                   "F:3: [server a] lacks one of `connect` and `exec`\n"
                   "F:4: [server a] lacks `service_class` or `spn`\n"
                   "F:5: [server a] lacks `keytab`: file with the keys of the "
                   "service\n");
}
END_TEST

START_TEST(lists_go_on_in_indented_lines)
{
    struct config_text *result = config_text_read(
        SERVER_LINES "  b@R ; left\n\n\tc@R  d@R\n");

    ck_assert_str_eq(result->findings, "");
    const struct access_rules *rules = &result->config->services[0].access;
    ck_assert_uint_eq(rules->allow_count, 4);
    ck_assert_str_eq(rules->allow[1].text, "b@R");
    ck_assert_str_eq(rules->allow[3].text, "d@R");
    config_text_free(result);
}
END_TEST

START_TEST(single_values_do_not_go_on)
{
    expect_refused(SERVER_LINES "tunnel = a\n  b\n  c\n",
                   "F:8: this line is indented and so continues `tunnel`, "
                   "which takes one value\n");
}
END_TEST

START_TEST(indented_keys_are_found_and_read_all_the_same)
{
    expect_refused(SERVER_LINES "  deny = x@R\n  tunnel=t\n  heartbeat = 1\n",
                   "F:7: `deny =` is indented and so continues `allow`: remove "
                   "the blanks before it\n"
                   "F:8: `tunnel =` is indented and so continues `deny`: "
                   "remove the blanks before it\n"
                   "F:9: `heartbeat =` is indented and so continues `tunnel`: "
                   "remove the blanks before it\n"
                   "F:9: `heartbeat`: cannot read \"1\" as a duration: write a "
                   "number with ms, s, m or h, as 10s, or off\n");
}
END_TEST

START_TEST(indented_section_headers_are_found)
{
    expect_refused(SERVER_LINES "  [client b]\n",
                   "F:7: this section header is indented and so continues "
                   "`allow`: remove the blanks before it\n");
}
END_TEST

START_TEST(hostile_text_is_shown_safely)
{
    expect_refused(SERVER_LINES "a\x1b[2J = 1\nprotection = \x9b\n",
                   "F:7: unknown key `a\\x1b[2J`\n"
                   "F:8: `protection`: cannot use \"\\x9b\": expected seal or "
                   "sign\n");
}
END_TEST

START_TEST(findings_come_in_line_order)
{
    expect_refused("[server a]\naccept = 127.0.0.1:1\nconnect = db:1\nx = 1\n"
                   "service_class = c\nkeytab = /k\nallow = a@R\n",
                   "F:3: `connect = db:1` would let plaintext leave this "
                   "machine: use a loopback address or unix:PATH, or set "
                   "`allow_remote_plaintext = yes`\n"
                   "F:4: unknown key `x`\n");
}
END_TEST

START_TEST(errors_end_at_a_thousand)
{
    char text[65536] = SERVER_LINES;
    size_t used = strlen(text);

    for (int i = 0; i < 1500; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "x%d = 1\n",
                                 i);
    struct config_text *result = config_text_read(text);
    ck_assert_ptr_null(result->config);
    ck_assert_ptr_nonnull(strstr(result->findings, "F:1006: unknown key"));
    ck_assert_ptr_null(strstr(result->findings, "F:1007:"));
    ck_assert_ptr_nonnull(
        strstr(result->findings, "F: only the first 1000 errors are shown\n"));
    config_text_free(result);
}
END_TEST

/* --- files -------------------------------------------------------------- */

START_TEST(missing_files_are_a_sentence)
{
    struct config_text result = {0};

    ck_assert_ptr_null(config_load("/nowhere/x", config_text_report, &result));
    ck_assert_str_eq(result.findings,
                     "cannot read /nowhere/x: No such file or directory\n");
}
END_TEST

START_TEST(directories_are_a_sentence)
{
    struct config_text result = {0};

    ck_assert_ptr_null(config_load("/", config_text_report, &result));
    ck_assert_str_eq(result.findings, "cannot read /: Is a directory\n");
}
END_TEST

START_TEST(a_hundred_thousand_lines_are_read_quickly)
{
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    fputs(SERVER_LINES, file);
    for (int i = 0; i < 50000; i++)
        fprintf(file, "\tprincipal%d@REALM\n", i);
    for (int i = 0; i < 10000; i++)
        fprintf(file,
                "[client c%d]\naccept = 127.0.0.1:0\nconnect = x:1\n"
                "service_class = c\nccache = default\n",
                i);
    fclose(file);
    struct config_text *result = config_text_read(text);
    ck_assert_str_eq(result->findings, "");
    ck_assert_uint_eq(result->config->service_count, 10001);
    ck_assert_uint_eq(result->config->services[0].access.allow_count, 50001);
    config_text_free(result);
    free(text);
}
END_TEST

/* --- printing ----------------------------------------------------------- */

static const char *const printed_texts[] = {
    SERVER_LINES,
    CLIENT_LINES,
    ("[kerbwrap]\nstatus = none\nthreads = auto\nbuffer_memory = 300m\n"
     "engine = gssapi\n" SERVER_LINES CLIENT_LINES
     "connect_timeout = 1500ms\nsocket_mode = 0666\ntunnel = a b\n"),
    ("[server a]\naccept = unix:/a b\nconnect = [::1]:1 unix:/x\n"
     "spn = c/h d/h\nkeytab = /with blank\nallow = a\\/b@R */*@R\n  c@R\n"
     "deny =\n  d@R\n"),
};

START_TEST(printed_configuration_reads_back_to_the_same)
{
    struct config_text *first = config_text_read(printed_texts[_i]);
    ck_assert_msg(first->config != NULL, "%s", first->findings);
    char *text = config_text_print(first->config);

    struct config_text *second = config_text_read(text);
    ck_assert_msg(second->config != NULL, "%s", second->findings);
    char *again = config_text_print(second->config);
    ck_assert_str_eq(again, text);
    free(text);
    free(again);
    config_text_free(first);
    config_text_free(second);
}
END_TEST

START_TEST(long_lists_are_printed_in_lines_that_can_be_read)
{
    char text[16384] = SERVER_LINES;
    size_t used = strlen(text);

    for (int i = 0; i < 500; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "  principal%d@REALM\n", i);
    struct config_text *first = config_text_read(text);
    char *printed = config_text_print(first->config);
    struct config_text *second = config_text_read(printed);
    ck_assert_str_eq(second->findings, "");
    ck_assert_uint_eq(second->config->services[0].access.allow_count, 501);
    free(printed);
    config_text_free(first);
    config_text_free(second);
}
END_TEST

START_TEST(what_only_the_listener_can_tell_stays_open)
{
    struct config_text *result = config_text_read(
        "[server a]\naccept = fd:x\nconnect = 127.0.0.1:1\n"
        "service_class = c\nkeytab = /k\nallow = a@R\n"
        "scp_name = other\nheartbeat = 90s\n");
    ck_assert_msg(result->config != NULL, "%s", result->findings);
    char *text = config_text_print(result->config);

    ck_assert_ptr_nonnull(strstr(text, "\nport =\nscp_name = other\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nheartbeat = 90s\n"));
    free(text);
    config_text_free(result);
}
END_TEST

START_TEST(effective_values_are_printed)
{
    struct config_text *result = config_text_read(SERVER_LINES);
    char *text = config_text_print(result->config);

    ck_assert_ptr_nonnull(strstr(text, "\nclose_timeout = 60s\n"));
    ck_assert_ptr_nonnull(strstr(text, "[kerbwrap]\nthreads = auto\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nport = 7443\nscp_name = a\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ndns_name =\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n[server a]\naccept = [::]:7443\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ntunnel =\n"));
    ck_assert_ptr_null(strstr(text, "[directory]"));
    free(text);
    config_text_free(result);
}
END_TEST

/* --- references --------------------------------------------------------- */

static void *
hold_and_release(void *arg)
{
    for (int i = 0; i < 10000; i++)
        config_release(config_hold(arg));
    config_release(arg);
    return NULL;
}

START_TEST(the_last_reference_frees)
{
    struct config_text *result = config_text_read(SERVER_LINES);
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hold_and_release,
                                        config_hold(result->config)),
                         0);
    config_text_free(result);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

START_TEST(releasing_nothing_is_fine)
{
    config_release(NULL);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *sections = tcase_create("sections");
    TCase *keys = tcase_create("keys");
    TCase *files = tcase_create("files");

    tcase_add_test(sections, minimal_server_and_client_are_fine);
    tcase_add_test(sections, an_empty_file_lacks_services);
    tcase_add_test(sections, unknown_sections_show_what_is_known);
    tcase_add_test(sections, names_of_sections_are_checked);
    tcase_add_test(sections, names_have_few_letters);
    tcase_add_test(sections, names_of_40_letters_are_the_longest);
    tcase_add_test(sections, names_are_unique_over_both_roles);
    tcase_add_test(sections, kerbwrap_is_begun_once);
    tcase_add_test(keys, keys_need_a_section);
    tcase_add_test(keys, unknown_keys_show_the_nearest_one);
    tcase_add_test(keys, keys_of_another_section_are_told_so);
    tcase_add_test(keys, keys_stand_once);
    tcase_add_test(keys, keys_with_a_default_need_a_value);
    tcase_add_test(keys, required_keys_may_not_be_empty);
    tcase_add_test(keys, lists_go_on_in_indented_lines);
    tcase_add_test(keys, single_values_do_not_go_on);
    tcase_add_test(keys, indented_keys_are_found_and_read_all_the_same);
    tcase_add_test(keys, indented_section_headers_are_found);
    tcase_add_test(keys, hostile_text_is_shown_safely);
    tcase_add_test(keys, findings_come_in_line_order);
    tcase_add_test(keys, errors_end_at_a_thousand);
    tcase_add_test(files, missing_files_are_a_sentence);
    tcase_add_test(files, directories_are_a_sentence);
    tcase_add_test(files, a_hundred_thousand_lines_are_read_quickly);
    tcase_add_loop_test(files, printed_configuration_reads_back_to_the_same, 0,
                        sizeof printed_texts / sizeof printed_texts[0]);
    tcase_add_test(files, long_lists_are_printed_in_lines_that_can_be_read);
    tcase_add_test(files, effective_values_are_printed);
    tcase_add_test(files, what_only_the_listener_can_tell_stays_open);
    tcase_add_test(files, the_last_reference_frees);
    tcase_add_test(files, releasing_nothing_is_fine);
    suite_add_tcase(suite, sections);
    suite_add_tcase(suite, keys);
    suite_add_tcase(suite, files);
    return suite;
}

CHECK_MAIN(make_suite)
