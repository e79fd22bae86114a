/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups against a directory that is a table: which questions are asked of
 * whom, in which lane, and what the answers lead to.
 */
#include "directory/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check_main.h"
#include "directory/question.h"

#define BASE "DC=corp,DC=test"
#define WEB1 "CN=web1,CN=Computers," BASE
#define WEB2 "CN=web2,CN=Computers," BASE
#define FILTER "(&(objectClass=serviceConnectionPoint)(keywords=orders))"

/* --- the fake: rows that answer, and a log of what was asked ------------- */

/* Answers a search at base with filter, on the server called so. */
struct row {
    const char *server;
    const char *base;
    const char *filter;
    const char *dn;
    const char *attributes; /* "name=value;name=value" */
};

static const struct row *rows;
static size_t row_count;

struct name {
    const char *name;
    enum srv_status status;
    const char *target;
    uint16_t port, priority;
};
static const struct name *names;
static size_t name_count;

static char asked[4096];
static const char *dead, *no_ticket, *breaks_off;
static int breaks_left;

static void
note(const char *verb, const char *what)
{
    size_t length = strlen(asked);

    snprintf(asked + length, sizeof asked - length, "%s %s\n", verb, what);
}

static enum srv_status
fake_srv(void *world, const char *name, struct srv_list *list,
         struct error *err)
{
    enum srv_status status = SRV_NONE;

    (void)world;
    note("srv", name);
    list->count = list->skipped = 0;
    for (size_t i = 0; i < name_count; i++) {
        if (strcmp(names[i].name, name) != 0)
            continue;
        status = names[i].status;
        struct srv_record *record = &list->records[list->count++];
        record->priority = names[i].priority;
        record->weight = 0;
        record->port = names[i].port;
        snprintf(record->target, sizeof record->target, "%s", names[i].target);
    }
    if (status == SRV_FAILED)
        error_set(err, "cannot look up %s", name);
    return status;
}

static bool
fake_ticket(void *world, const char *host, struct error *err)
{
    (void)world;
    note("ticket", host);
    if (no_ticket != NULL && strcmp(no_ticket, host) == 0) {
        error_set(err, "cannot get a ticket for ldap/%s", host);
        return false;
    }
    return true;
}

static enum directory_status
fake_open(void *world, const char *uri, void **connection_out,
          struct error *err)
{
    (void)world;
    note("open", uri);
    if (dead != NULL && strcmp(dead, uri) == 0) {
        error_set(err, "cannot authenticate to %s: Can't contact it", uri);
        return DIRECTORY_LOST;
    }
    *connection_out = (void *)(uintptr_t)uri;
    return DIRECTORY_ANSWERED;
}

static void
add_attributes(struct entry *entry, const char *attributes)
{
    char *copy = strdup(attributes), *rest = copy;

    for (char *pair; (pair = strsep(&rest, ";")) != NULL;) {
        char *value = strchr(pair, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        ck_assert(entry_add(entry, pair, value, strlen(value), NULL));
    }
    free(copy);
}

static enum directory_status
fake_search(void *connection, const struct search *search,
            struct entry_list *list, struct error *err)
{
    const char *server = connection;

    note("search", search->base);
    for (size_t i = 0; i < row_count; i++) {
        struct entry entry;
        if (strcmp(rows[i].server, server) != 0 ||
            strcasecmp(rows[i].base, search->base) != 0 ||
            strcmp(rows[i].filter, search->filter) != 0)
            continue;
        ck_assert(entry_init(&entry, rows[i].dn, NULL));
        add_attributes(&entry, rows[i].attributes);
        ck_assert(entry_list_take(list, &entry, NULL));
    }
    if (breaks_off != NULL && strcmp(breaks_off, server) == 0 &&
        breaks_left-- > 0) {
        error_set(err, "cannot search in %s: it broke off", server);
        return DIRECTORY_LOST;
    }
    return DIRECTORY_ANSWERED;
}

static void
fake_close(void *connection)
{
    note("close", connection);
}

static const struct directory_ops fake = {
    .srv = fake_srv,
    .ticket = fake_ticket,
    .open = fake_open,
    .search = fake_search,
    .close = fake_close,
};

/* --- settings and the run ------------------------------------------------ */

static char word_orders[] = "orders", host_web1[] = "web1.corp.test";
static char uri_dc1[] = "ldap://dc1", uri_dc2[] = "ldap://dc2:3890";
static char uri_gc[] = "ldap://gc:3268";
static char *keywords[] = {word_orders}, *allowed[] = {host_web1};
static char *uris[] = {uri_dc1, uri_dc2}, *catalogs[] = {uri_gc};

static struct lookup_settings settings;
static struct discovery *found;
static char lanes[1024];

static void
setup(void)
{
    settings = (struct lookup_settings){
        .domain = "corp.test",
        .uris = uris,
        .uri_count = 1,
        .base = BASE,
        .service_class = "orders",
        .keywords = keywords,
        .keyword_count = 1,
        .scp = "",
        .spn_format = SPN_FORMAT_HOST,
        .allow_host = allowed,
        .allow_host_count = 1,
        .allow_group = "",
        .scp_base = "",
        .identity = "alice@CORP.TEST",
        .kdc_lane = "kdc CORP.TEST",
        .ops = &fake,
    };
    rows = NULL;
    names = NULL;
    row_count = name_count = 0;
    asked[0] = lanes[0] = '\0';
    dead = no_ticket = breaks_off = NULL;
    found = NULL;
}

static void
teardown(void)
{
    discovery_release(found);
}

static void
run(void)
{
    struct error err;
    struct lookup *lookup = lookup_new(&settings, &err);
    char lane[256];

    ck_assert_ptr_nonnull(lookup);
    while (lookup_lane(lookup, lane, sizeof lane)) {
        strcat(strcat(lanes, lane), "\n");
        lookup_step(lookup);
    }
    found = lookup_finish(lookup, &err);
    ck_assert_ptr_nonnull(found);
    lookup_free(lookup);
}

#define RUN_WITH(table)                                                        \
    do {                                                                       \
        rows = (table);                                                        \
        row_count = sizeof(table) / sizeof(table)[0];                          \
        run();                                                                 \
    } while (0)

#define SCP_ROW(server, base, filter, dn, host, port)                          \
    {                                                                          \
        server, base, filter, dn,                                              \
            "serviceClassName=orders;serviceDNSName=" host                     \
            ";serviceBindingInformation=" port                                 \
    }
#define PARENT_ROW(server, dn, host)                                           \
    {                                                                          \
        server, dn, "(objectClass=*)", dn,                                     \
            "objectClass=computer;dNSHostName=" host                           \
    }

static const struct row one_scp[] = {
    SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB1, "web1.corp.test", "7443"),
    PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
};

START_TEST(a_service_is_found_step_by_step_each_in_its_lane)
{
    RUN_WITH(one_scp);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_str_eq(found->candidates[0].spn, "orders/web1.corp.test");
    ck_assert_uint_eq(found->candidates[0].port, 7443);
    ck_assert_str_eq(found->candidates[0].verdict, "accepted by allow_host");
    ck_assert_str_eq(lanes, "kdc CORP.TEST\ndirectory ldap://dc1\n");
    ck_assert_str_eq(asked, "ticket dc1\nopen ldap://dc1\nsearch " BASE
                            "\nsearch " WEB1 "\nclose ldap://dc1\n");
}
END_TEST

START_TEST(it_is_told_who_was_asked_for_what)
{
    RUN_WITH(one_scp);
    ck_assert_uint_eq(found->journal_count, 2);
    ck_assert_str_eq(found->journal[0],
                     "authenticated to ldap://dc1 as alice@CORP.TEST");
    ck_assert_str_eq(found->journal[1], "asked ldap://dc1 for " FILTER
                                        " below '" BASE "': 1 entry");
}
END_TEST

START_TEST(without_a_base_the_server_is_asked_for_its_own)
{
    static const struct row table[] = {
        {"ldap://dc1", "", "(objectClass=*)", "", "defaultNamingContext=" BASE},
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB1, "web1.corp.test",
                "7443"),
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
    };

    settings.base = "";
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
}
END_TEST

START_TEST(an_empty_answer_is_none)
{
    run();
    ck_assert_int_eq(found->outcome, DISCOVERY_NONE);
    ck_assert_str_eq(found->reason, "the directory has no service connection "
                                    "point that matches");
}
END_TEST

START_TEST(a_forged_one_beside_the_true_one_is_rejected)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB2, "web1.corp.test",
                "6666"),
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB1, "web1.corp.test",
                "7443"),
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
        PARENT_ROW("ldap://dc1", WEB2, "web2.corp.test"),
    };

    RUN_WITH(table);
    ck_assert_uint_eq(found->count, 2);
    ck_assert_uint_eq(found->accepted_count, 1);
    ck_assert(found->candidates[0].accepted);
    ck_assert_str_eq(found->candidates[1].verdict,
                     "its host is web1.corp.test, but its parent computer is "
                     "'web2.corp.test'");
}
END_TEST

START_TEST(only_rejected_ones_are_none)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB1, "web1.corp.test",
                "http://x"),
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
    };

    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_NONE);
    ck_assert_str_eq(found->reason,
                     "none of 1 service connection points is accepted; the "
                     "first: its serviceBindingInformation 'http://x' is not "
                     "a port from 1 to 65535");
}
END_TEST

START_TEST(another_class_costs_no_further_question)
{
    static const struct row table[] = {
        {"ldap://dc1", BASE, FILTER, "CN=o," WEB1,
         "serviceClassName=host;serviceDNSName=web1.corp.test;"
         "serviceBindingInformation=7443"},
    };

    RUN_WITH(table);
    ck_assert_str_eq(found->candidates[0].verdict,
                     "its class is 'host', not 'orders'");
    ck_assert_ptr_null(strstr(asked, "search " WEB1));
}
END_TEST

START_TEST(the_next_server_is_tried_when_one_is_dead)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc2:3890", BASE, FILTER, "CN=o," WEB1, "web1.corp.test",
                "7443"),
        PARENT_ROW("ldap://dc2:3890", WEB1, "web1.corp.test"),
    };

    settings.uri_count = 2;
    dead = "ldap://dc1";
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_str_eq(lanes, "kdc CORP.TEST\ndirectory ldap://dc1\n"
                            "kdc CORP.TEST\ndirectory ldap://dc2:3890\n");
}
END_TEST

START_TEST(no_server_left_is_no_answer)
{
    dead = "ldap://dc1";
    run();
    ck_assert_int_eq(found->outcome, DISCOVERY_NO_ANSWER);
    ck_assert_str_eq(found->reason,
                     "cannot authenticate to ldap://dc1: Can't contact it");
}
END_TEST

START_TEST(no_ticket_is_no_answer)
{
    no_ticket = "dc1";
    run();
    ck_assert_int_eq(found->outcome, DISCOVERY_NO_ANSWER);
    ck_assert_str_eq(found->reason, "cannot get a ticket for ldap/dc1");
    ck_assert_str_eq(asked, "ticket dc1\n");
}
END_TEST

START_TEST(a_server_that_breaks_off_costs_one_retry_and_leaves_nothing)
{
    breaks_off = "ldap://dc1";
    breaks_left = 1;
    RUN_WITH(one_scp);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_uint_eq(found->count, 1);
}
END_TEST

START_TEST(a_server_that_breaks_off_twice_is_no_answer)
{
    breaks_off = "ldap://dc1";
    breaks_left = 2;
    RUN_WITH(one_scp);
    ck_assert_int_eq(found->outcome, DISCOVERY_NO_ANSWER);
    ck_assert_uint_eq(found->count, 0);
}
END_TEST

#define IN_GROUP(member) "(&(objectClass=group)(member=" member "))"

START_TEST(a_member_through_another_group_is_accepted)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB1, "web1.corp.test",
                "7443"),
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
        {"ldap://dc1", BASE, "(&(objectClass=group)(sAMAccountName=Trusted))",
         "CN=Trusted," BASE, ""},
        {"ldap://dc1", BASE, IN_GROUP(WEB1), "CN=Inner," BASE, ""},
        {"ldap://dc1", BASE, IN_GROUP("CN=Inner," BASE), "CN=Inner," BASE, ""},
        {"ldap://dc1", BASE, IN_GROUP("CN=Inner," BASE), "CN=trusted," BASE,
         ""},
    };

    settings.allow_host_count = 0;
    settings.allow_group = "Trusted";
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_str_eq(found->candidates[0].verdict, "accepted by allow_group");
}
END_TEST

START_TEST(a_group_that_does_not_exist_admits_nobody)
{
    settings.allow_host_count = 0;
    settings.allow_group = "Trusted";
    RUN_WITH(one_scp);
    ck_assert_int_eq(found->outcome, DISCOVERY_NONE);
    ck_assert_str_eq(found->candidates[0].verdict,
                     "nothing vouches for it, its computer is not in "
                     "allow_group");
}
END_TEST

START_TEST(an_scp_in_a_container_needs_scp_base)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o,CN=Services," BASE,
                "web1.corp.test", "7443"),
        {"ldap://dc1", "CN=Services," BASE, "(objectClass=*)",
         "CN=Services," BASE, "objectClass=container"},
    };

    settings.scp_base = "cn=services, " BASE;
    RUN_WITH(table);
    ck_assert_str_eq(found->candidates[0].verdict, "accepted by scp_base");
    discovery_release(found);
    settings.scp_base = "";
    run();
    ck_assert_str_eq(found->candidates[0].verdict,
                     "its parent is not a computer: only scp or scp_base can "
                     "vouch for it");
}
END_TEST

#define SRV_SCP                                                                \
    {"ldap://dc1", BASE, FILTER, "CN=o," WEB1,                                 \
     "serviceClassName=orders;serviceDNSName=_orders._tcp.corp.test;"          \
     "serviceDNSNameType=SRV"},                                                \
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test")

START_TEST(srv_targets_are_judged_one_by_one)
{
    static const struct row table[] = {SRV_SCP};
    static const struct name dns[] = {
        {"_orders._tcp.corp.test", SRV_FOUND, "web1.corp.test", 7443, 1},
        {"_orders._tcp.corp.test", SRV_FOUND, "evil.test", 7443, 0},
    };

    names = dns;
    name_count = 2;
    RUN_WITH(table);
    ck_assert_str_eq(lanes, "kdc CORP.TEST\ndirectory ldap://dc1\ndns\n");
    ck_assert_uint_eq(found->count, 2);
    ck_assert_str_eq(found->candidates[0].spn, "orders/web1.corp.test");
    ck_assert_str_eq(found->candidates[1].verdict,
                     "the target evil.test of its SRV record is not in "
                     "allow_host");
}
END_TEST

START_TEST(an_srv_name_without_records_is_none)
{
    static const struct row table[] = {SRV_SCP};

    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_NONE);
    ck_assert_str_eq(found->candidates[0].verdict,
                     "DNS has no usable SRV record of _orders._tcp.corp.test");
}
END_TEST

START_TEST(an_srv_name_that_cannot_be_looked_up_is_no_answer)
{
    static const struct row table[] = {SRV_SCP};
    static const struct name dns[] = {
        {"_orders._tcp.corp.test", SRV_FAILED, "", 0, 0}};

    names = dns;
    name_count = 1;
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_NO_ANSWER);
}
END_TEST

START_TEST(the_named_scp_is_read_where_it_stands)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1", "CN=o," WEB1,
                "(&(objectClass=serviceConnectionPoint))", "CN=o," WEB1,
                "web1.corp.test", "7443"),
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
    };

    settings.scp = "cn=o," WEB1;
    settings.keyword_count = 0;
    settings.allow_host_count = 0;
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_str_eq(found->candidates[0].verdict, "accepted by scp");
}
END_TEST

START_TEST(servers_and_the_catalog_are_found_by_dns)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1.corp.test:389", BASE, FILTER, "CN=o," WEB1,
                "web1.corp.test", "7443"),
        PARENT_ROW("ldap://dc1.corp.test:389", WEB1, "web1.corp.test"),
    };
    static const struct name dns[] = {
        {"_ldap._tcp.corp.test", SRV_FOUND, "dc1.corp.test", 389, 0},
        {"_gc._tcp.corp.test", SRV_FOUND, "dc1.corp.test", 3268, 0},
    };

    settings.uri_count = 0;
    names = dns;
    name_count = 2;
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_str_eq(lanes, "dns\nkdc CORP.TEST\n"
                            "directory ldap://dc1.corp.test:389\n"
                            "dns\nkdc CORP.TEST\n"
                            "directory ldap://dc1.corp.test:3268\n");
}
END_TEST

START_TEST(domain_controllers_are_asked_for_by_their_own_name_first)
{
    static const struct name dns[] = {
        {"_ldap._tcp.dc._msdcs.corp.test", SRV_FOUND, "dc1.corp.test", 389, 0},
    };

    settings.uri_count = 0;
    names = dns;
    name_count = 1;
    run();
    ck_assert_str_eq(asked, "srv _ldap._tcp.dc._msdcs.corp.test\n"
                            "ticket dc1.corp.test\n"
                            "open ldap://dc1.corp.test:389\n"
                            "search \nsearch " BASE "\n"
                            "close ldap://dc1.corp.test:389\n"
                            "srv _gc._tcp.corp.test\n");
}
END_TEST

START_TEST(the_catalog_is_that_of_the_forest_which_the_server_names)
{
    static const struct row table[] = {
        {"ldap://dc1.corp.test:389", "", "(objectClass=*)", "",
         "defaultNamingContext=" BASE
         ";rootDomainNamingContext=DC=forest,DC=example"},
    };
    static const struct name dns[] = {
        {"_ldap._tcp.corp.test", SRV_FOUND, "dc1.corp.test", 389, 0},
        {"_gc._tcp.forest.example", SRV_FOUND, "gc.forest.example", 3268, 0},
    };

    settings.uri_count = 0;
    names = dns;
    name_count = 2;
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_NONE);
    ck_assert_ptr_nonnull(strstr(asked, "open ldap://gc.forest.example:3268"));
    ck_assert_ptr_null(strstr(asked, "_gc._tcp.corp.test"));
}
END_TEST

START_TEST(a_hit_of_the_catalog_in_another_domain_is_read_there)
{
    static const struct row table[] = {
        {"ldap://gc:3268", "", FILTER, "CN=o,CN=web9,DC=sub,DC=corp,DC=test",
         ""},
        {"ldap://gc:3268", "", FILTER, "CN=o," WEB1, ""},
        SCP_ROW("ldap://dc9.sub.corp.test:389", "DC=sub,DC=corp,DC=test",
                FILTER, "CN=o,CN=web9,DC=sub,DC=corp,DC=test", "web1.corp.test",
                "7443"),
        PARENT_ROW("ldap://dc9.sub.corp.test:389",
                   "CN=web9,DC=sub,DC=corp,DC=test", "web1.corp.test"),
    };
    static const struct name dns[] = {
        {"_ldap._tcp.sub.corp.test", SRV_FOUND, "dc9.sub.corp.test", 389, 0},
    };

    settings.gc_uris = catalogs;
    settings.gc_uri_count = 1;
    names = dns;
    name_count = 1;
    RUN_WITH(table);
    ck_assert_int_eq(found->outcome, DISCOVERY_FOUND);
    ck_assert_str_eq(found->candidates[0].dn,
                     "CN=o,CN=web9,DC=sub,DC=corp,DC=test");
    ck_assert_ptr_null(strstr(asked, "_ldap._tcp.corp.test"));
}
END_TEST

START_TEST(a_catalog_that_does_not_answer_leaves_none_unknown)
{
    settings.gc_uris = catalogs;
    settings.gc_uri_count = 1;
    dead = "ldap://gc:3268";
    run();
    ck_assert_int_eq(found->outcome, DISCOVERY_NO_ANSWER);
}
END_TEST

START_TEST(settings_that_are_no_names_are_refused)
{
    struct error err;

    settings.scp_base = "services";
    ck_assert_ptr_null(lookup_new(&settings, &err));
    ck_assert_str_eq(err.text, "cannot use scp_base: 'services' is not a "
                               "distinguished name");
    settings.scp_base = "";
    settings.scp = "orders";
    ck_assert_ptr_null(lookup_new(&settings, &err));
    ck_assert_str_eq(err.text,
                     "cannot use scp: 'orders' is not a distinguished name");
}
END_TEST

START_TEST(a_hostile_name_of_an_entry_is_a_verdict_of_its_own)
{
    static const struct row table[] = {
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=\"o\"," WEB1, "web1.corp.test",
                "7443"),
        SCP_ROW("ldap://dc1", BASE, FILTER, "CN=o," WEB1, "web1.corp.test",
                "7443"),
        PARENT_ROW("ldap://dc1", WEB1, "web1.corp.test"),
    };

    RUN_WITH(table);
    ck_assert_uint_eq(found->count, 2);
    ck_assert_str_eq(found->candidates[0].verdict,
                     "'CN=\\x22o\\x22," WEB1 "' is not a distinguished name");
    ck_assert(found->candidates[1].accepted);
}
END_TEST

START_TEST(the_question_is_put_into_words)
{
    struct error err;
    char *text = question_text(&settings, &err);

    ck_assert_str_eq(text,
                     "1 domain=corp.test uri=ldap://dc1 base=DC%3dcorp,DC%3d"
                     "test service_class=orders keyword=orders scp= "
                     "spn_format=host allow_host=web1.corp.test allow_group= "
                     "scp_base=");
    free(text);
}
END_TEST

static Suite *
make_suite(void)
{
    const TTest *const tests[] = {
        a_service_is_found_step_by_step_each_in_its_lane,
        it_is_told_who_was_asked_for_what,
        without_a_base_the_server_is_asked_for_its_own,
        an_empty_answer_is_none,
        a_forged_one_beside_the_true_one_is_rejected,
        only_rejected_ones_are_none,
        another_class_costs_no_further_question,
        the_next_server_is_tried_when_one_is_dead,
        no_server_left_is_no_answer,
        no_ticket_is_no_answer,
        a_server_that_breaks_off_costs_one_retry_and_leaves_nothing,
        a_server_that_breaks_off_twice_is_no_answer,
        a_member_through_another_group_is_accepted,
        a_group_that_does_not_exist_admits_nobody,
        an_scp_in_a_container_needs_scp_base,
        srv_targets_are_judged_one_by_one,
        an_srv_name_without_records_is_none,
        an_srv_name_that_cannot_be_looked_up_is_no_answer,
        the_named_scp_is_read_where_it_stands,
        servers_and_the_catalog_are_found_by_dns,
        domain_controllers_are_asked_for_by_their_own_name_first,
        the_catalog_is_that_of_the_forest_which_the_server_names,
        a_hit_of_the_catalog_in_another_domain_is_read_there,
        a_catalog_that_does_not_answer_leaves_none_unknown,
        settings_that_are_no_names_are_refused,
        a_hostile_name_of_an_entry_is_a_verdict_of_its_own,
        the_question_is_put_into_words,
    };
    Suite *suite = suite_create("lookup");
    TCase *lookups = tcase_create("lookups");

    tcase_add_checked_fixture(lookups, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(lookups, tests[i]);
    suite_add_tcase(suite, lookups);
    return suite;
}

CHECK_MAIN(make_suite)
