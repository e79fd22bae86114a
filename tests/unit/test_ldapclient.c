/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real directory: binding, paging and whole lookups against slapd in a
 * throwaway realm, and servers that are silent, talk nonsense or stop halfway.
 */
#include "directory/ldapclient.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "check_main.h"
#include "directory/directory.h"
#include "directory/lookup.h"
#include "gss/bind.h"

enum {
    MANY = 3000,
    IDENTITIES = 200,
    PATIENCE_MS = 1000
};

static struct error err;
static char base[256], keyword[] = "orders", host[] = "web1.corp.example.test";
static char *keywords[] = {keyword}, *allowed[] = {host};

/* --- the realm ----------------------------------------------------------- */

static const char *
environment(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value != NULL, "run inside realm.sh run --directory");
    return value;
}

static void
realm(const char *what)
{
    char text[1024];

    snprintf(text, sizeof text, "%s %s", environment("REALM_SH"), what);
    ck_assert_msg(system(text) == 0, "%s", text);
}

/* Opens a pipe to ldapadd as Administrator. */
static FILE *
ldapadd_open(void)
{
    char text[1024];

    snprintf(text, sizeof text,
             "env -u LDAPNOINIT %s as Administrator ldapadd -Q -H "
             "\"$LDAP_URI\" >/dev/null",
             environment("REALM_SH"));
    FILE *input = popen(text, "w");
    ck_assert_ptr_nonnull(input);
    return input;
}

static void
ldapadd_close(FILE *input)
{
    ck_assert_int_eq(pclose(input), 0);
}

/* Below parent, itself below the base. */
static void
put_scp(FILE *input, const char *rdn, const char *parent, const char *word,
        const char *dns_name, unsigned port)
{
    fprintf(input,
            "dn: %s,%s,%s\nobjectClass: serviceConnectionPoint\n"
            "keywords: %s\nserviceClassName: orders\nserviceDNSName: %s\n"
            "serviceDNSNameType: A\nserviceBindingInformation: %u\n\n",
            rdn, parent, environment("BASE_DN"), word, dns_name, port);
}

static struct credential *
credential_of(const char *keytab, const char *principal)
{
    char path[512];
    struct initiator_settings settings = {.principal = principal,
                                          .keytab = path};
    struct credential *credential = NULL;

    snprintf(path, sizeof path, "%s/%s.keytab", environment("KEYTABS"), keytab);
    ck_assert_msg(credential_new_initiator(&settings, 0, &credential, &err),
                  "%s", err.text);
    return credential;
}

/* The ticket first, as the lookup does. */
static enum directory_status
open_as(struct credential *credential, const char *uri,
        struct ldapclient **client_out)
{
    char name[256];

    ck_assert(ldapclient_uri_host(uri, name, sizeof name, &err));
    ck_assert_msg(bind_ticket(credential, "ldap", name, &err), "%s", err.text);
    return ldapclient_open(uri, credential, PATIENCE_MS, client_out, &err);
}

/* --- the connection ------------------------------------------------------ */

START_TEST(a_sealed_connection_reads_entries)
{
    static const char *const wanted[] = {"defaultNamingContext", NULL};
    struct search search = {"", SEARCH_BASE, "(objectClass=*)", wanted};
    struct credential *alice = credential_of("alice", "alice");
    struct ldapclient *client;
    struct entry_list list = {.count = 0};

    ck_assert_msg(open_as(alice, environment("LDAP_URI"), &client) ==
                      DIRECTORY_ANSWERED,
                  "%s", err.text);
    ck_assert_int_eq(ldapclient_search(client, &search, &list, &err),
                     DIRECTORY_ANSWERED);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(entry_text(&list.entries[0], "defaultnamingcontext"),
                     environment("BASE_DN"));
    entry_list_clear(&list);
    ldapclient_close(client);
    credential_release(alice);
}
END_TEST

START_TEST(a_base_that_is_not_there_has_no_entries)
{
    static const char *const wanted[] = {"cn", NULL};
    struct search search = {base, SEARCH_BASE, "(objectClass=*)", wanted};
    struct credential *alice = credential_of("alice", "alice");
    struct ldapclient *client;
    struct entry_list list = {.count = 0};

    snprintf(base, sizeof base, "CN=nobody,%s", environment("BASE_DN"));
    ck_assert_int_eq(open_as(alice, environment("LDAP_URI"), &client),
                     DIRECTORY_ANSWERED);
    ck_assert_int_eq(ldapclient_search(client, &search, &list, &err),
                     DIRECTORY_ANSWERED);
    ck_assert_uint_eq(list.count, 0);
    ldapclient_close(client);
    credential_release(alice);
}
END_TEST

START_TEST(nobody_listening_is_lost)
{
    struct credential *alice = credential_of("alice", "alice");
    struct ldapclient *client;

    ck_assert_int_eq(open_as(alice, "ldap://localhost:1", &client),
                     DIRECTORY_LOST);
    ck_assert_str_eq(err.text, "cannot authenticate to ldap://localhost:1: "
                               "Can't contact LDAP server");
    credential_release(alice);
}
END_TEST

START_TEST(other_uris_are_refused)
{
    static const char *const bad[] = {
        "ldaps://dc1",     "ldapi:///x",     "dc1",
        "ldap://",         "ldap://dc1:0",   "ldap://dc1:x",
        "ldap://10.0.0.1", "ldap://dc1/o=x", "ldap://dc1:389/x",
        "ldap://a b"};
    char name[256];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!ldapclient_uri_host(bad[i], name, sizeof name, &err),
                      "%s", bad[i]);
    ck_assert(ldapclient_uri_host("ldap://dc1:389", name, sizeof name, &err));
    ck_assert_str_eq(name, "dc1");
}
END_TEST

START_TEST(binding_asks_no_kdc)
{
    struct credential *alice = credential_of("alice", "alice");
    struct ldapclient *client;

    ck_assert_msg(bind_ticket(alice, "ldap", "localhost", &err), "%s",
                  err.text);
    realm("stop kdc");
    enum directory_status status = ldapclient_open(
        environment("LDAP_URI"), alice, PATIENCE_MS, &client, &err);
    realm("start kdc");
    ck_assert_msg(status == DIRECTORY_ANSWERED, "%s", err.text);
    ldapclient_close(client);
    credential_release(alice);
}
END_TEST

START_TEST(a_service_without_a_key_is_told)
{
    struct credential *alice = credential_of("alice", "alice");

    ck_assert(!bind_ticket(alice, "ldap", "web9.corp.example.test", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "ldap/web9.corp.example.test"));
    credential_release(alice);
}
END_TEST

/* --- servers that are none ----------------------------------------------- */

/* Accepts one connection, sends bytes and holds it open. */
struct impostor {
    int listener;
    const char *bytes;
    size_t length;
    pthread_t thread;
    char uri[64];
};

static void *
impersonate(void *arg)
{
    struct impostor *impostor = arg;
    char request[4096];
    int fd = accept(impostor->listener, NULL, NULL);

    if (read(fd, request, sizeof request) > 0 && impostor->length != 0)
        (void)!write(fd, impostor->bytes, impostor->length);
    while (read(fd, request, sizeof request) > 0)
        continue;
    close(fd);
    return NULL;
}

static void
impostor_start(struct impostor *impostor, const char *bytes, size_t length)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    impostor->bytes = bytes;
    impostor->length = length;
    impostor->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(
        bind(impostor->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(impostor->listener, 1), 0);
    getsockname(impostor->listener, (struct sockaddr *)&address, &size);
    snprintf(impostor->uri, sizeof impostor->uri, "ldap://localhost:%u",
             ntohs(address.sin_port));
    pthread_create(&impostor->thread, NULL, impersonate, impostor);
}

static void
expect_lost(const char *bytes, size_t length)
{
    struct impostor impostor;
    struct credential *alice = credential_of("alice", "alice");
    struct ldapclient *client;

    impostor_start(&impostor, bytes, length);
    uint64_t begun = loop_now_ms();
    ck_assert_int_ne(open_as(alice, impostor.uri, &client), DIRECTORY_ANSWERED);
    ck_assert_uint_lt(loop_now_ms() - begun, 4 * PATIENCE_MS);
    pthread_join(impostor.thread, NULL);
    close(impostor.listener);
    credential_release(alice);
}

START_TEST(a_silent_server_costs_the_timeout)
{
    expect_lost("", 0);
}
END_TEST

START_TEST(a_server_that_stops_within_a_message_costs_the_timeout)
{
    expect_lost("\x30\x84\x00\x00\x01\x00\x02\x01", 8);
}
END_TEST

START_TEST(a_server_that_talks_nonsense_is_lost)
{
    expect_lost("HTTP/1.1 400 Bad Request\r\n\r\n", 28);
}
END_TEST

START_TEST(a_server_that_announces_two_gigabytes_is_lost)
{
    expect_lost("\x30\x84\x7f\xff\xff\xff\x02\x01\x01", 9);
}
END_TEST

/* --- whole lookups ------------------------------------------------------- */

static struct discovery *
look_up(struct credential *credential, const struct lookup_settings *given)
{
    struct directory_world world = {credential, 10 * PATIENCE_MS};
    struct lookup_settings settings = *given;
    char lane[256], kdc_lane[256], uri[64];
    char *uris[] = {uri};

    snprintf(uri, sizeof uri, "%s", environment("LDAP_URI"));
    credential_lane(credential, kdc_lane, sizeof kdc_lane);
    settings.uris = uris;
    settings.uri_count = 1;
    settings.identity = credential_name(credential);
    settings.kdc_lane = kdc_lane;
    settings.ops = &directory_real;
    settings.world = &world;
    struct lookup *lookup = lookup_new(&settings, &err);
    ck_assert_msg(lookup != NULL, "%s", err.text);
    while (lookup_lane(lookup, lane, sizeof lane))
        lookup_step(lookup);
    struct discovery *found = lookup_finish(lookup, &err);
    lookup_free(lookup);
    return found;
}

static const struct lookup_settings orders = {
    .domain = "",
    .base = "",
    .service_class = "orders",
    .keywords = keywords,
    .keyword_count = 1,
    .scp = "",
    .allow_host = allowed,
    .allow_host_count = 1,
    .allow_group = "",
    .scp_base = "",
};

START_TEST(the_true_one_is_found_beside_a_forged_one)
{
    struct credential *alice = credential_of("alice", "alice");
    FILE *input = ldapadd_open();

    put_scp(input, "CN=orders", "CN=web1,CN=Computers", "orders", host, 7443);
    put_scp(input, "CN=orders", "CN=web2,CN=Computers", "orders", host, 6666);
    put_scp(input, "CN=other", "CN=web2,CN=Computers", "orders",
            "web2.corp.example.test", 7443);
    ldapadd_close(input);
    struct discovery *found = look_up(alice, &orders);
    ck_assert_msg(found->outcome == DISCOVERY_FOUND, "%s", found->reason);
    ck_assert_uint_eq(found->count, 3);
    ck_assert_uint_eq(found->accepted_count, 1);
    ck_assert_str_eq(found->candidates[0].spn, "orders/web1.corp.example.test");
    discovery_release(found);
    credential_release(alice);
}
END_TEST

START_TEST(a_member_of_the_group_is_trusted)
{
    struct credential *alice = credential_of("alice", "alice");
    struct lookup_settings settings = orders;
    FILE *input = ldapadd_open();

    put_scp(input, "CN=g1", "CN=web1,CN=Computers", "grouped", host, 7443);
    put_scp(input, "CN=g2", "CN=web2,CN=Computers", "grouped",
            "web2.corp.example.test", 7443);
    ldapadd_close(input);
    char word[] = "grouped";
    char *words[] = {word};
    settings.keywords = words;
    settings.allow_host_count = 0;
    settings.allow_group = "Order Servers";
    struct discovery *found = look_up(alice, &settings);
    ck_assert_uint_eq(found->count, 2);
    ck_assert_str_eq(found->candidates[0].verdict, "accepted by allow_group");
    ck_assert_str_eq(found->candidates[1].verdict,
                     "nothing vouches for it, its computer is not in "
                     "allow_group");
    discovery_release(found);
    credential_release(alice);
}
END_TEST

START_TEST(awkward_names_are_found_by_keyword_and_by_name)
{
    struct credential *alice = credential_of("alice", "alice");
    struct lookup_settings settings = orders;
    char scp[512], word[] = "*(a)\\,\"b\" \xc3\xa4";
    char *words[] = {word};
    FILE *input = ldapadd_open();

    put_scp(input, "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i/j@k\xc3\xa4",
            "CN=web1,CN=Computers", word, host, 7443);
    ldapadd_close(input);
    settings.keywords = words;
    struct discovery *found = look_up(alice, &settings);
    ck_assert_uint_eq(found->accepted_count, 1);
    snprintf(scp, sizeof scp, "%s", found->candidates[0].dn);
    discovery_release(found);

    settings.scp = scp;
    settings.keyword_count = settings.allow_host_count = 0;
    found = look_up(alice, &settings);
    ck_assert_msg(found->accepted_count == 1, "%s", scp);
    ck_assert_str_eq(found->candidates[0].verdict, "accepted by scp");
    discovery_release(found);
    credential_release(alice);
}
END_TEST

START_TEST(ten_thousand_values_are_cut_and_the_others_found)
{
    struct credential *alice = credential_of("alice", "alice");
    struct lookup_settings settings = orders;
    char word[] = "values";
    char *words[] = {word};
    FILE *input = ldapadd_open();

    put_scp(input, "CN=good", "CN=web1,CN=Computers", word, host, 7443);
    put_scp(input, "CN=huge", "CN=web1,CN=Computers", word, host, 7443);
    fprintf(input,
            "dn: CN=huge,CN=web1,CN=Computers,%s\nchangetype: modify\n"
            "add: serviceBindingInformation\n",
            environment("BASE_DN"));
    for (int i = 0; i < 10000; i++)
        fprintf(input, "serviceBindingInformation: %d\n", 10000 + i);
    fputs("-\n\n", input);
    ldapadd_close(input);
    settings.keywords = words;
    struct discovery *found = look_up(alice, &settings);
    ck_assert_uint_eq(found->count, 2);
    ck_assert(found->candidates[0].accepted);
    ck_assert_str_eq(found->candidates[1].verdict,
                     "its serviceBindingInformation has more than 16 values, "
                     "or a very long one");
    discovery_release(found);
    credential_release(alice);
}
END_TEST

START_TEST(three_thousand_are_read_page_by_page)
{
    struct credential *alice = credential_of("alice", "alice");
    struct lookup_settings settings = orders;
    char rdn[32], word[] = "many", below[256];
    char *words[] = {word};
    FILE *input = ldapadd_open();

    for (int i = 0; i < MANY; i++) {
        snprintf(rdn, sizeof rdn, "CN=many%d", i);
        put_scp(input, rdn, "CN=Services", word, host, 7443);
    }
    ldapadd_close(input);
    settings.keywords = words;
    snprintf(below, sizeof below, "CN=Services,%s", environment("BASE_DN"));
    settings.scp_base = below;
    struct discovery *found = look_up(alice, &settings);
    ck_assert_msg(found->accepted_count == MANY, "%zu: %s",
                  found->accepted_count, found->reason);
    discovery_release(found);
    credential_release(alice);
}
END_TEST

/* --- many identities at once --------------------------------------------- */

struct visitor {
    pthread_t thread;
    struct credential *credential;
    size_t accepted;
};

static void *
visit(void *arg)
{
    struct visitor *visitor = arg;
    struct discovery *found = look_up(visitor->credential, &orders);

    visitor->accepted = found->accepted_count;
    discovery_release(found);
    return NULL;
}

START_TEST(two_hundred_identities_look_up_at_once)
{
    static struct visitor visitors[IDENTITIES];
    char name[32];
    FILE *input = ldapadd_open();

    put_scp(input, "CN=crowd", "CN=web1,CN=Computers", "orders", host, 7443);
    ldapadd_close(input);
    FILE *queries = popen("kadmin.local -r $REALM >/dev/null 2>&1", "w");
    ck_assert_ptr_nonnull(queries);
    for (int i = 0; i < IDENTITIES; i++)
        fprintf(queries,
                "addprinc -randkey visitor%d\n"
                "ktadd -q -k %s/visitors.keytab visitor%d\n",
                i, environment("KEYTABS"), i);
    ck_assert_int_eq(pclose(queries), 0);
    for (int i = 0; i < IDENTITIES; i++) {
        snprintf(name, sizeof name, "visitor%d", i);
        visitors[i].credential = credential_of("visitors", name);
    }
    for (int i = 0; i < IDENTITIES; i++)
        pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]);
    for (int i = 0; i < IDENTITIES; i++) {
        pthread_join(visitors[i].thread, NULL);
        ck_assert_uint_ge(visitors[i].accepted, 1);
        credential_release(visitors[i].credential);
    }
}
END_TEST

static void
setup(void)
{
    ck_assert_msg(directory_init(&err), "%s", err.text);
}

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        a_sealed_connection_reads_entries,
        a_base_that_is_not_there_has_no_entries,
        nobody_listening_is_lost,
        other_uris_are_refused,
        binding_asks_no_kdc,
        a_service_without_a_key_is_told,
        a_silent_server_costs_the_timeout,
        a_server_that_stops_within_a_message_costs_the_timeout,
        a_server_that_talks_nonsense_is_lost,
        a_server_that_announces_two_gigabytes_is_lost,
        the_true_one_is_found_beside_a_forged_one,
        a_member_of_the_group_is_trusted,
        awkward_names_are_found_by_keyword_and_by_name,
        ten_thousand_values_are_cut_and_the_others_found,
        three_thousand_are_read_page_by_page,
        two_hundred_identities_look_up_at_once,
    };
    Suite *suite = suite_create("ldapclient");
    TCase *slapd = tcase_create("slapd");

    tcase_add_checked_fixture(slapd, setup, NULL);
    tcase_set_timeout(slapd, 60);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(slapd, tests[i]);
    suite_add_tcase(suite, slapd);
    return suite;
}

CHECK_MAIN(make_suite)
