/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules over several keys, and the values that single keys refuse. */
#include "check_main.h"
#include "config_text.h"

/* A client without its way to the server, or without its credential. */
#define CLIENT_START                                                           \
    "[client b]\naccept = 127.0.0.1:5432\nservice_class = orders\n"
#define WITH_TARGET "connect = db:7443\n"
#define WITH_CREDENTIAL "ccache = default\n"

/* --- credentials -------------------------------------------------------- */

START_TEST(a_client_has_a_credential)
{
    expect_refused(CLIENT_START WITH_TARGET,
                   "F:1: [client b] lacks a credential: set `keytab` and "
                   "`principal`, or `ccache`\n");
}
END_TEST

START_TEST(keytab_and_principal_go_together)
{
    expect_accepted(CLIENT_START WITH_TARGET "keytab = /k\nprincipal = p\n",
                    "");
    expect_refused(CLIENT_START WITH_TARGET "keytab = /k\n",
                   "F:5: `keytab` needs `principal`: whose keys to use\n");
    expect_refused(CLIENT_START WITH_TARGET "principal = p\n",
                   "F:5: `principal` needs `keytab`: where its keys are\n");
}
END_TEST

START_TEST(ccache_excludes_a_keytab)
{
    expect_refused(CLIENT_START WITH_TARGET
                   "keytab = /k\nprincipal = p\nccache = c\n",
                   "F:7: `ccache` excludes `keytab` and `principal`: tickets "
                   "come from one of the two\n");
}
END_TEST

/* --- the way to the server ---------------------------------------------- */

START_TEST(a_client_has_one_way_to_the_server)
{
    expect_refused(CLIENT_START WITH_CREDENTIAL,
                   "F:1: [client b] lacks one of `keywords`, `scp` and "
                   "`connect`\n");
}
END_TEST

START_TEST(a_literal_spn_replaces_the_class)
{
    expect_accepted("[client b]\naccept = 127.0.0.1:1\nconnect = db:1\n"
                    "spn = orders/db\nccache = c\n",
                    "");
    expect_refused("[client b]\naccept = 127.0.0.1:1\nconnect = db:1\n"
                   "ccache = c\n",
                   "F:1: [client b] lacks `service_class` or `spn`\n");
}
END_TEST

START_TEST(a_client_has_one_spn)
{
    expect_refused(CLIENT_LINES "spn = a/b c/d\n",
                   "F:6: `spn` of a client is one name\n");
}
END_TEST

START_TEST(names_of_connection_points_need_the_directory)
{
    expect_refused(CLIENT_LINES "spn_format = guid\n",
                   "F:6: `spn_format = scp` and `guid` need `keywords` or "
                   "`scp`: with `connect` there is no service connection "
                   "point\n");
}
END_TEST

START_TEST(a_unix_socket_has_no_name)
{
    expect_refused(CLIENT_START WITH_CREDENTIAL "connect = unix:/x\n",
                   "F:5: a Unix socket has no host to make the service "
                   "principal name of: set `spn`\n");
    expect_accepted(
        CLIENT_START WITH_CREDENTIAL "connect = unix:/x\nspn = a/b\n", "");
}
END_TEST

/* --- the directory ------------------------------------------------------- */

#define DIRECTORY_LINES "[directory]\ndomain = corp.test\n"

START_TEST(keywords_need_a_trust_anchor)
{
    expect_refused(CLIENT_START WITH_CREDENTIAL
                   "keywords = orders\n" DIRECTORY_LINES,
                   "F:5: `keywords` needs at least one of `allow_host`, "
                   "`allow_group` and `scp_base`: any computer can publish any "
                   "keywords\n");
    expect_accepted(CLIENT_START WITH_CREDENTIAL
                    "keywords = orders\nallow_group = g\n" DIRECTORY_LINES,
                    "");
}
END_TEST

START_TEST(finding_needs_the_directory)
{
    expect_refused(CLIENT_START WITH_CREDENTIAL
                   "keywords = orders\nscp_base = OU=x\n",
                   "F:5: `keywords` needs a [directory] section\n");
    expect_refused(CLIENT_START WITH_CREDENTIAL "scp = CN=x\n",
                   "F:5: `scp` needs a [directory] section\n");
}
END_TEST

START_TEST(ways_to_the_server_exclude_each_other)
{
    expect_refused(CLIENT_LINES "scp = CN=x\n" DIRECTORY_LINES,
                   "F:6: `scp` and `connect` exclude each other: keep one of "
                   "`keywords`, `scp` and `connect`\n");
}
END_TEST

START_TEST(a_literal_spn_goes_with_connect)
{
    expect_refused(CLIENT_START WITH_CREDENTIAL
                   "scp = CN=x\nspn = a/b\n" DIRECTORY_LINES,
                   "F:6: `spn` goes with `connect` only: in the directory the "
                   "name follows from `service_class` and `spn_format`\n");
}
END_TEST

START_TEST(wildcards_of_hosts_are_warned_of)
{
    expect_accepted(CLIENT_START WITH_CREDENTIAL
                    "keywords = k\nallow_host = a *.b\n" DIRECTORY_LINES,
                    "F:6: warning: any computer whose name matches `*.b` can "
                    "offer this service\n");
}
END_TEST

START_TEST(anchors_without_the_directory_are_warned_of)
{
    expect_accepted(CLIENT_LINES "allow_host = db\n",
                    "F:6: warning: `allow_host` has no effect with "
                    "`connect`\n");
}
END_TEST

START_TEST(the_directory_is_somewhere)
{
    expect_refused(CLIENT_LINES "[directory]\nbase = DC=x\n",
                   "F:6: [directory] lacks `domain` or `uri`\n");
    expect_accepted(CLIENT_LINES "[directory]\nuri = ldap://d\n", "");
}
END_TEST

START_TEST(the_directory_has_a_whole_credential)
{
    expect_refused(CLIENT_LINES DIRECTORY_LINES "keytab = /k\n",
                   "F:8: `keytab` needs `principal`: whose keys to use\n");
}
END_TEST

/* --- plaintext ---------------------------------------------------------- */

START_TEST(publishing_needs_what_is_published)
{
    expect_refused(SERVER_LINES "publish = yes\n",
                   "F:7: `publish = yes` needs a [directory] section\n");
    expect_refused(SERVER_LINES "dns_name_type = SRV\n" DIRECTORY_LINES,
                   "F:7: `dns_name_type = SRV` needs `dns_name`: the name of "
                   "the SRV records\n");
    expect_accepted(SERVER_LINES "publish = yes\n" DIRECTORY_LINES, "");
}
END_TEST

START_TEST(plaintext_stays_on_this_machine)
{
    expect_refused("[client b]\naccept = 0.0.0.0:1\nconnect = db:1\n"
                   "service_class = c\nccache = c\n",
                   "F:2: `accept = 0.0.0.0:1` would let plaintext leave this "
                   "machine: use a loopback address or unix:PATH, or set "
                   "`allow_remote_plaintext = yes`\n");
}
END_TEST

START_TEST(plaintext_may_leave_when_told_so)
{
    expect_accepted("[client b]\naccept = 0.0.0.0:1\nconnect = db:1\n"
                    "service_class = c\nccache = c\n"
                    "allow_remote_plaintext = yes\n",
                    "");
}
END_TEST

START_TEST(unix_sockets_on_the_plaintext_side_are_warned_of)
{
    expect_accepted("[client b]\naccept = unix:/a\nconnect = db:1\n"
                    "service_class = c\nccache = c\n",
                    "F:2: warning: `accept = unix:/a`: a Unix socket cannot be "
                    "reset, so the application sees a truncated stream as a "
                    "clean end\n");
}
END_TEST

START_TEST(the_sealed_side_may_be_anywhere)
{
    expect_accepted("[server a]\naccept = unix:/a\nconnect = localhost:1\n"
                    "service_class = c\nkeytab = /k\nallow = a@R\n",
                    "");
}
END_TEST

/* --- addresses ---------------------------------------------------------- */

START_TEST(addresses_are_accepted_on_once)
{
    expect_refused(
        "[server a]\naccept = [0:0::1]:99\nconnect = localhost:1\n"
        "service_class = c\nkeytab = /k\nallow = a@R\n"
        "[client b]\naccept = [::1]:99\nconnect = db:1\nservice_class = c\n"
        "ccache = c\n",
        "F:8: `accept = [::1]:99` is taken by line 2\n");
}
END_TEST

START_TEST(port_zero_never_collides)
{
    expect_accepted("[client a]\naccept = 127.0.0.1:0\nconnect = db:1\n"
                    "service_class = c\nccache = c\n"
                    "[client b]\naccept = 127.0.0.1:0\nconnect = db:1\n"
                    "service_class = c\nccache = c\n",
                    "");
}
END_TEST

START_TEST(only_accept_takes_descriptors_and_port_zero)
{
    expect_refused(CLIENT_START WITH_CREDENTIAL "connect = fd:x db:0\n",
                   "F:5: `connect`: cannot use \"fd:x\": only `accept` takes "
                   "fd:NAME\n"
                   "F:5: `connect`: cannot read \"db:0\" as an address: the "
                   "port must be from 1 to 65535\n");
}
END_TEST

/* --- single values ------------------------------------------------------ */

struct refused {
    const char *line;
    const char *sentence;
};

static const struct refused global_values[] = {
    {"threads = 0", "`threads`: cannot read \"0\" as a number: it must be from "
                    "1 to 256, in digits only"},
    {"pool_threads = 3", "`pool_threads`: cannot read \"3\" as a number: it "
                         "must be from 4 to 1024, in digits only"},
    {"max_connections = 0",
     "`max_connections`: cannot read \"0\" as a number: it must be from 1 to "
     "1000000, in digits only"},
    {"buffer_memory = 1k",
     "`buffer_memory`: cannot use \"1k\": it must be from 64k to 1024g"},
    {"log_level = loud", "`log_level`: cannot use \"loud\": expected error, "
                         "warning, info or debug"},
    {"log_target = file:", "`log_target`: cannot use \"file:\": expected "
                           "stderr, syslog or file:PATH"},
    {"status = 192.0.2.1:80",
     "`status`: cannot use \"192.0.2.1:80\": expected unix:PATH, a loopback "
     "ADDRESS:PORT or none"},
    {"drain_timeout = off",
     "`drain_timeout`: cannot use \"off\": it must be from 0s to 24h"},
    {"reload_enforces = true",
     "`reload_enforces`: cannot use \"true\": expected yes or no"},
};

START_TEST(bad_value_of_kerbwrap_is_refused)
{
    char text[1024], findings[1024];

    snprintf(text, sizeof text, SERVER_LINES "[kerbwrap]\n%s\n",
             global_values[_i].line);
    snprintf(findings, sizeof findings, "F:8: %s\n",
             global_values[_i].sentence);
    expect_refused(text, findings);
}
END_TEST

static const struct refused service_values[] = {
    {"heartbeat = 1ms",
     "`heartbeat`: cannot use \"1ms\": it must be from 100ms to 1h, or off"},
    {"handshake_timeout = off",
     "`handshake_timeout`: cannot use \"off\": it must be from 10ms to 1h"},
    {"socket_mode = 888", "`socket_mode`: cannot use \"888\": write "
                          "permissions in octal digits, as 0660"},
    {"socket_mode = 1777", "`socket_mode`: cannot use \"1777\": write "
                           "permissions in octal digits, as 0660"},
    {"tunnel = \"a\"", "`tunnel`: cannot use \"\\x22a\\x22\": a label is text "
                       "without quotes and backslashes"},
    {"spn = orders", "`spn`: cannot use \"orders\": a service principal name "
                     "is CLASS/HOST, as orders/db.corp"},
    {"spn = /db", "`spn`: cannot use \"/db\": a service principal name is "
                  "CLASS/HOST, as orders/db.corp"},
    {"deny = bob", "`deny`: cannot use rule bob: it has no realm (add "
                   "@REALM)"},
    {"protection = none",
     "`protection`: cannot use \"none\": expected seal or sign"},
};

START_TEST(bad_value_of_a_service_is_refused)
{
    char text[1024], findings[1024];

    snprintf(text, sizeof text, SERVER_LINES "%s\n", service_values[_i].line);
    snprintf(findings, sizeof findings, "F:7: %s\n",
             service_values[_i].sentence);
    expect_refused(text, findings);
}
END_TEST

START_TEST(the_class_is_a_plain_word)
{
    expect_refused("[client b]\naccept = 127.0.0.1:1\nconnect = db:1\n"
                   "service_class = a/b\nccache = c\n",
                   "F:4: `service_class`: cannot use \"a/b\": a service class "
                   "is up to 64 letters, digits, dots, underscores and "
                   "hyphens\n");
}
END_TEST

#define PROGRAM_LINES                                                          \
    "[server a]\naccept = [::]:1\nservice_class = c\nkeytab = /k\n"            \
    "allow = *@R\n"

START_TEST(a_server_connects_or_executes)
{
    expect_accepted(PROGRAM_LINES "exec = /bin/cat -u\n", "");
    expect_refused(PROGRAM_LINES,
                   "F:1: [server a] lacks one of `connect` and `exec`\n");
    expect_refused(SERVER_LINES "exec = /bin/cat\n",
                   "F:7: `connect` and `exec` exclude each other: is the "
                   "legacy server connected to or started?\n");
    expect_refused(PROGRAM_LINES "exec = cat /etc/motd\n",
                   "F:6: `exec`: cannot use \"cat\": write the program's "
                   "absolute path\n");
    expect_refused(PROGRAM_LINES "exec = /bin/cat\nproxy_protocol = v2\n",
                   "F:7: `proxy_protocol` goes with `connect` only: a program "
                   "finds who connects in its environment\n");
}
END_TEST

START_TEST(a_header_that_others_can_send_is_warned_of)
{
    expect_accepted(SERVER_LINES "proxy_protocol = v2\n",
                    "F:7: warning: `proxy_protocol = v2` to 127.0.0.1:5432: "
                    "whoever can connect there, as every local user can to a "
                    "loopback address, can send such a header and be anyone; "
                    "use unix:PATH with permissions\n");
}
END_TEST

START_TEST(a_group_needs_a_user)
{
    expect_accepted(SERVER_LINES "[kerbwrap]\nuser = nobody\ngroup = tty\n",
                    "");
    expect_refused(SERVER_LINES "[kerbwrap]\ngroup = tty\n",
                   "F:8: `group` needs `user`: who to become\n");
}
END_TEST

START_TEST(an_owner_of_what_is_no_unix_socket_is_warned_of)
{
    expect_accepted(SERVER_LINES "socket_owner = root\n",
                    "F:7: warning: `socket_owner` has no effect: `accept` is "
                    "not unix:PATH\n");
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("crosscheck");
    TCase *rules = tcase_create("rules");
    TCase *values = tcase_create("values");

    tcase_add_test(rules, a_client_has_a_credential);
    tcase_add_test(rules, keytab_and_principal_go_together);
    tcase_add_test(rules, ccache_excludes_a_keytab);
    tcase_add_test(rules, a_client_has_one_way_to_the_server);
    tcase_add_test(rules, a_literal_spn_replaces_the_class);
    tcase_add_test(rules, a_client_has_one_spn);
    tcase_add_test(rules, names_of_connection_points_need_the_directory);
    tcase_add_test(rules, a_unix_socket_has_no_name);
    tcase_add_test(rules, keywords_need_a_trust_anchor);
    tcase_add_test(rules, finding_needs_the_directory);
    tcase_add_test(rules, ways_to_the_server_exclude_each_other);
    tcase_add_test(rules, a_literal_spn_goes_with_connect);
    tcase_add_test(rules, wildcards_of_hosts_are_warned_of);
    tcase_add_test(rules, anchors_without_the_directory_are_warned_of);
    tcase_add_test(rules, the_directory_is_somewhere);
    tcase_add_test(rules, the_directory_has_a_whole_credential);
    tcase_add_test(rules, publishing_needs_what_is_published);
    tcase_add_test(rules, plaintext_stays_on_this_machine);
    tcase_add_test(rules, plaintext_may_leave_when_told_so);
    tcase_add_test(rules, unix_sockets_on_the_plaintext_side_are_warned_of);
    tcase_add_test(rules, the_sealed_side_may_be_anywhere);
    tcase_add_test(rules, addresses_are_accepted_on_once);
    tcase_add_test(rules, port_zero_never_collides);
    tcase_add_test(rules, only_accept_takes_descriptors_and_port_zero);
    tcase_add_loop_test(values, bad_value_of_kerbwrap_is_refused, 0,
                        sizeof global_values / sizeof global_values[0]);
    tcase_add_loop_test(values, bad_value_of_a_service_is_refused, 0,
                        sizeof service_values / sizeof service_values[0]);
    tcase_add_test(values, the_class_is_a_plain_word);
    tcase_add_test(rules, a_server_connects_or_executes);
    tcase_add_test(rules, a_header_that_others_can_send_is_warned_of);
    tcase_add_test(values, a_group_needs_a_user);
    tcase_add_test(values, an_owner_of_what_is_no_unix_socket_is_warned_of);
    suite_add_tcase(suite, rules);
    suite_add_tcase(suite, values);
    return suite;
}

CHECK_MAIN(make_suite)
