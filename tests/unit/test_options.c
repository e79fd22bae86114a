/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table: that it is sound, and that each row reaches its member. */
#include "config/options.h"

#include "check_main.h"
#include "config/values.h"
#include "config_text.h"

/* Every key at another value than its default. */
static const char every_key[] =
    "[kerbwrap]\n"
    "threads = 3\npool_threads = 5\nmax_connections = 7\nmax_handshakes = 11\n"
    "max_handshakes_per_source = 13\nbuffer_memory = 17m\nengine = gssapi\n"
    "log_level = debug\nlog_format = json\nlog_target = file:/l\n"
    "status = 127.0.0.1:19\nstate_dir = /s\nruntime_dir = /r\n"
    "drain_timeout = 23s\nreload_enforces = no\n"
    "[server a]\n"
    "accept = unix:/a\nconnect = 127.0.0.1:29 [::1]:31\nservice_class = c\n"
    "keytab = /k\nspn = c/one c/two\nallow = a@R b/*@R\ndeny = d@R\n"
    "replay_cache = no\nverify_spn = off\nprotection = sign\n"
    "connect_timeout = 37s\nhandshake_timeout = 41s\nclose_timeout = 43s\n"
    "idle_timeout = 47s\nmax_lifetime = 53s\nheartbeat = 59s\n"
    "max_connections = 61\nsocket_mode = 0640\n"
    "allow_remote_plaintext = yes\non_ticket_expiry = close\ntunnel = t\n"
    "[client b]\n"
    "accept = 192.0.2.1:67\nconnect = one:71 two:73\nservice_class = c\n"
    "spn_format = port\nspn = c/three\nselect = listed\nkeytab = /k\n"
    "principal = p\nallow_remote_plaintext = yes\n"
    "[client c]\n"
    "accept = 127.0.0.1:79\nkeywords = k1 k2\nservice_class = c\n"
    "spn_format = guid\nallow_host = h1 h2\nallow_group = g\n"
    "scp_base = OU=b\nccache = d\n"
    "[client d]\n"
    "accept = 127.0.0.1:83\nscp = CN=s\nservice_class = c\nccache = d\n"
    "[server e]\n"
    "accept = 127.0.0.1:84\nexec = /bin/program one two\nservice_class = c\n"
    "keytab = /k\nallow = group:g\n"
    "[directory]\n"
    "domain = corp.test\nuri = ldap://d1 ldap://d2\ngc_uri = ldap://g:1\n"
    "base = DC=corp\nkeytab = /k\nprincipal = q\ntimeout = 89s\n"
    "refresh = 97s\nmax_stale = 101s\n";

START_TEST(every_default_is_accepted_by_its_own_row)
{
    struct service_settings service = {0};
    struct error err;

    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        if ((option->sections & SECTION_SERVER) == 0)
            continue;
        ck_assert_msg(value_set(option, option->default_text, &service, &err),
                      "%s: %s", option->name, err.text);
        value_clear(option, &service);
    }
}
END_TEST

START_TEST(rows_are_unique_in_each_section)
{
    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        for (enum section section = SECTION_KERBWRAP; section <= SECTION_CLIENT;
             section *= 2) {
            if ((option->sections & section) != 0)
                ck_assert_msg(options_find(section, option->name) == option,
                              "%s", option->name);
        }
        ck_assert_uint_eq(options_index(option), i);
    }
}
END_TEST

START_TEST(rows_have_what_their_kind_needs)
{
    for (size_t i = 0; i < options_count(); i++) {
        const struct option *option = options_at(i);
        bool has_words = option->kind == VALUE_WORD ||
                         option->kind == VALUE_FLAG;
        bool has_range = option->kind == VALUE_NUMBER ||
                         option->kind == VALUE_THREADS ||
                         option->kind == VALUE_DURATION ||
                         option->kind == VALUE_SIZE;

        ck_assert_msg((option->words != NULL) == has_words, "%s", option->name);
        ck_assert_msg((option->high > 0) == has_range, "%s", option->name);
        ck_assert_msg(option->help != NULL && strlen(option->help) < 80, "%s",
                      option->name);
    }
}
END_TEST

START_TEST(misspellings_find_the_nearest_key_of_the_section)
{
    ck_assert_str_eq(options_nearest(SECTION_SERVER, "acept"), "accept");
    ck_assert_str_eq(options_nearest(SECTION_CLIENT, "ccahce"), "ccache");
    ck_assert_ptr_null(options_nearest(SECTION_SERVER, "zzzzzzzz"));
}
END_TEST

/* The service of every_key; its configuration is *result_out's. */
static const struct service_settings *
read_service(size_t index, struct config_text **result_out)
{
    *result_out = config_text_read(every_key);
    ck_assert_msg((*result_out)->config != NULL, "%s", (*result_out)->findings);
    return &(*result_out)->config->services[index];
}

START_TEST(limits_of_kerbwrap_reach_their_members)
{
    struct config_text *result;

    read_service(0, &result);
    const struct global_settings *global = &result->config->global;
    ck_assert_uint_eq(global->threads, 3);
    ck_assert_uint_eq(global->pool_threads, 5);
    ck_assert_uint_eq(global->max_connections, 7);
    ck_assert_uint_eq(global->max_handshakes, 11);
    ck_assert_uint_eq(global->max_handshakes_per_source, 13);
    ck_assert_uint_eq(global->buffer_memory, 17 << 20);
    ck_assert_uint_eq(global->drain_timeout, 23000);
    ck_assert(!global->reload_enforces);
    config_text_free(result);
}
END_TEST

START_TEST(words_of_kerbwrap_reach_their_members)
{
    struct config_text *result;

    read_service(0, &result);
    const struct global_settings *global = &result->config->global;
    ck_assert_int_eq(global->engine, ENGINE_GSSAPI);
    ck_assert_int_eq(global->log_level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(global->log_format, LOG_FORMAT_JSON);
    ck_assert_str_eq(global->log_target, "file:/l");
    ck_assert(global->status_enabled);
    ck_assert_uint_eq(global->status.port, 19);
    ck_assert_str_eq(global->state_dir, "/s");
    ck_assert_str_eq(global->runtime_dir, "/r");
    config_text_free(result);
}
END_TEST

START_TEST(keys_of_a_server_reach_their_members)
{
    struct config_text *result;
    const struct service_settings *server = read_service(0, &result);

    ck_assert_int_eq(server->role, ROLE_SERVER);
    ck_assert_str_eq(server->accept.path, "/a");
    ck_assert_uint_eq(server->connect.count, 2);
    ck_assert_uint_eq(server->connect.items[1].port, 31);
    ck_assert_str_eq(server->service_class, "c");
    ck_assert_str_eq(server->keytab, "/k");
    ck_assert_str_eq(server->spn.items[1], "c/two");
    ck_assert_str_eq(server->access.allow[1].text, "b/*@R");
    ck_assert_str_eq(server->access.deny[0].text, "d@R");
    ck_assert(!server->replay_cache);
    ck_assert_int_eq(server->verify_spn, VERIFY_SPN_OFF);
    config_text_free(result);
}
END_TEST

START_TEST(a_program_and_a_group_reach_their_members)
{
    struct config_text *result;
    const struct service_settings *server = read_service(4, &result);

    ck_assert_uint_eq(server->connect.count, 0);
    ck_assert_uint_eq(server->exec.count, 3);
    ck_assert_str_eq(server->exec.items[0], "/bin/program");
    ck_assert_str_eq(server->exec.items[2], "two");
    ck_assert_str_eq(server->access.allow[0].group, "g");
    config_text_free(result);
}
END_TEST

START_TEST(keys_of_both_roles_reach_their_members)
{
    struct config_text *result;
    const struct service_settings *server = read_service(0, &result);

    ck_assert_int_eq(server->protection, PROTECTION_SIGN);
    ck_assert_uint_eq(server->connect_timeout, 37000);
    ck_assert_uint_eq(server->handshake_timeout, 41000);
    ck_assert_uint_eq(server->close_timeout, 43000);
    ck_assert_uint_eq(server->idle_timeout, 47000);
    ck_assert_uint_eq(server->max_lifetime, 53000);
    ck_assert_uint_eq(server->heartbeat, 59000);
    ck_assert_uint_eq(server->max_connections, 61);
    ck_assert_uint_eq(server->socket_mode, 0640);
    ck_assert(server->allow_remote_plaintext);
    ck_assert_int_eq(server->on_ticket_expiry, EXPIRY_CLOSE);
    ck_assert_str_eq(server->tunnel, "t");
    config_text_free(result);
}
END_TEST

START_TEST(keys_of_a_client_reach_their_members)
{
    struct config_text *result;
    const struct service_settings *client = read_service(1, &result);

    ck_assert_int_eq(client->role, ROLE_CLIENT);
    ck_assert_str_eq(client->accept.host, "192.0.2.1");
    ck_assert_str_eq(client->connect.items[0].host, "one");
    ck_assert_int_eq(client->spn_format, SPN_FORMAT_PORT);
    ck_assert_str_eq(client->spn.items[0], "c/three");
    ck_assert_int_eq(client->selection, SELECT_LISTED);
    ck_assert_str_eq(client->keytab, "/k");
    ck_assert_str_eq(client->principal, "p");
    config_text_free(result);
}
END_TEST

START_TEST(keys_of_discovery_reach_their_members)
{
    struct config_text *result;
    const struct service_settings *client = read_service(2, &result);

    ck_assert_str_eq(client->keywords.items[1], "k2");
    ck_assert_int_eq(client->spn_format, SPN_FORMAT_GUID);
    ck_assert_str_eq(client->allow_host.items[1], "h2");
    ck_assert_str_eq(client->allow_group, "g");
    ck_assert_str_eq(client->scp_base, "OU=b");
    ck_assert_str_eq(client->ccache, "d");
    ck_assert_str_eq(client[1].scp, "CN=s");
    config_text_free(result);
}
END_TEST

START_TEST(keys_of_the_directory_reach_their_members)
{
    struct config_text *result;

    read_service(0, &result);
    const struct directory_settings *directory = &result->config->directory;
    ck_assert(directory->present);
    ck_assert_str_eq(directory->domain, "corp.test");
    ck_assert_str_eq(directory->uri.items[1], "ldap://d2");
    ck_assert_str_eq(directory->gc_uri.items[0], "ldap://g:1");
    ck_assert_str_eq(directory->base, "DC=corp");
    ck_assert_str_eq(directory->keytab, "/k");
    ck_assert_str_eq(directory->principal, "q");
    ck_assert_uint_eq(directory->timeout, 89000);
    ck_assert_uint_eq(directory->refresh, 97000);
    ck_assert_uint_eq(directory->max_stale, 101000);
    config_text_free(result);
}
END_TEST

START_TEST(what_is_not_given_is_default_and_texts_never_null)
{
    struct config_text *result = config_text_read(SERVER_LINES);

    ck_assert_ptr_nonnull(result->config);
    const struct service_settings *server = &result->config->services[0];
    ck_assert_str_eq(server->ccache, "");
    ck_assert_str_eq(server->scp, "");
    ck_assert_str_eq(server->tunnel, "");
    ck_assert_uint_eq(server->idle_timeout, UINT64_MAX);
    ck_assert_uint_eq(server->heartbeat, 30000);
    ck_assert_uint_eq(server->socket_mode, 0600);
    ck_assert_str_eq(result->config->directory.domain, "");
    ck_assert_str_eq(result->config->global.log_target, "stderr");
    ck_assert_uint_eq(result->config->global.threads, 0);
    config_text_free(result);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("options");
    TCase *table = tcase_create("table");
    TCase *members = tcase_create("members");

    tcase_add_test(table, every_default_is_accepted_by_its_own_row);
    tcase_add_test(table, rows_are_unique_in_each_section);
    tcase_add_test(table, rows_have_what_their_kind_needs);
    tcase_add_test(table, misspellings_find_the_nearest_key_of_the_section);
    tcase_add_test(members, limits_of_kerbwrap_reach_their_members);
    tcase_add_test(members, words_of_kerbwrap_reach_their_members);
    tcase_add_test(members, keys_of_a_server_reach_their_members);
    tcase_add_test(members, a_program_and_a_group_reach_their_members);
    tcase_add_test(members, keys_of_both_roles_reach_their_members);
    tcase_add_test(members, keys_of_a_client_reach_their_members);
    tcase_add_test(members, keys_of_discovery_reach_their_members);
    tcase_add_test(members, keys_of_the_directory_reach_their_members);
    tcase_add_test(members, what_is_not_given_is_default_and_texts_never_null);
    suite_add_tcase(suite, table);
    suite_add_tcase(suite, members);
    return suite;
}

CHECK_MAIN(make_suite)
