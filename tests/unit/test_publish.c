/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Publishing in a directory that is a table in shared memory: so a process that
 * publishes can be killed before and after any write, and another looks at what
 * it left.
 */
#include "directory/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "directory/dn.h"
#include "directory/filter.h"
#include "directory/guid.h"

#define BASE "DC=corp,DC=test"
#define WEB1 "CN=web1,OU=Servers," BASE
#define WEB2 "CN=web2,OU=Servers," BASE
#define SVC "CN=svc,CN=Users," BASE
#define SCP "CN=orders," WEB1
#define HOST_SPN "orders/web1.corp.test"
#define PORT_SPN "orders/web1.corp.test:7443"

/* --- the fake ------------------------------------------------------------ */

enum {
    OBJECTS = 8,
    VALUES = 24,
    TEXT = 128
};

struct object {
    char dn[TEXT]; /* "": none */
    struct {
        char name[32]; /* "": none */
        char text[TEXT];
        size_t length;
    } values[VALUES];
};

static struct world {
    struct object objects[OBJECTS];
    unsigned writes;     /* so far */
    unsigned die_before; /* that write; 0: never */
    unsigned die_after;  /* likewise */
    unsigned fail_at;    /* that write is denied */
    enum write_status failure;
    bool silent;    /* nobody answers */
    bool dc2_knows; /* of HOST_SPN on SVC, which dc1 has not heard of yet */
    bool dc2_silent;
} * world;

static struct object *
object_at(const char *dn)
{
    char *wanted = dn_canonical(dn, NULL);

    for (size_t i = 0; i < OBJECTS; i++) {
        char *here = dn_canonical(world->objects[i].dn, NULL);
        bool same = here != NULL && strcmp(here, wanted) == 0;
        free(here);
        if (same) {
            free(wanted);
            return &world->objects[i];
        }
    }
    free(wanted);
    return NULL;
}

static void
put(struct object *object, const char *name, const void *bytes, size_t length)
{
    for (size_t i = 0; i < VALUES; i++) {
        if (object->values[i].name[0] != '\0')
            continue;
        snprintf(object->values[i].name, 32, "%s", name);
        memcpy(object->values[i].text, bytes, length);
        object->values[i].length = length;
        return;
    }
    ck_abort_msg("no room for %s", name);
}

static bool
has(const char *dn, const char *name, const char *text)
{
    const struct object *object = object_at(dn);

    for (size_t i = 0; object != NULL && i < VALUES; i++) {
        if (strcasecmp(object->values[i].name, name) == 0 &&
            strcasecmp(object->values[i].text, text) == 0)
            return true;
    }
    return false;
}

static void
take_away(struct object *object, const char *name, const char *text)
{
    for (size_t i = 0; i < VALUES; i++) {
        if (strcasecmp(object->values[i].name, name) == 0 &&
            (text == NULL || strcasecmp(object->values[i].text, text) == 0))
            memset(&object->values[i], 0, sizeof object->values[i]);
    }
}

static struct object *
make(const char *dn)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        struct object *object = &world->objects[i];
        if (object->dn[0] != '\0')
            continue;
        memset(object, 0, sizeof *object);
        snprintf(object->dn, TEXT, "%s", dn);
        return object;
    }
    ck_abort_msg("no room for %s", dn);
}

static void
put_text(const char *dn, const char *name, const char *text)
{
    put(object_at(dn), name, text, strlen(text));
}

static enum srv_status
no_srv(void *unused, const char *name, struct srv_list *list, struct error *err)
{
    (void)unused;
    (void)name;
    (void)list;
    (void)err;
    return SRV_NONE;
}

static bool
any_ticket(void *unused, const char *host, struct error *err)
{
    (void)unused;
    (void)host;
    (void)err;
    return true;
}

static enum directory_status
fake_open(void *unused, const char *uri, void **connection_out,
          struct error *err)
{
    bool dc2 = strstr(uri, "dc2") != NULL;

    (void)unused;
    *connection_out = (void *)(uintptr_t)uri;
    error_set(err, "cannot reach %s", uri);
    return world->silent || (dc2 && world->dc2_silent) ? DIRECTORY_LOST
                                                       : DIRECTORY_ANSWERED;
}

static void
fake_close(void *connection)
{
    (void)connection;
}

/* "(attribute=value)", the value escaped byte by byte where it must be. */
static bool
matches(const struct object *object, const char *filter)
{
    char name[32];
    const char *equals = strchr(filter, '=');

    if (strcmp(filter, "(objectClass=*)") == 0)
        return true;
    snprintf(name, sizeof name, "%.*s", (int)(equals - filter - 1), filter + 1);
    for (size_t i = 0; i < VALUES; i++) {
        char expected[3 * TEXT + 3] = "";
        if (strcasecmp(object->values[i].name, name) != 0)
            continue;
        filter_escape(object->values[i].text, object->values[i].length,
                      expected, sizeof expected - 2);
        strcat(expected, ")");
        if (strcasecmp(expected, equals + 1) == 0)
            return true;
    }
    return false;
}

static enum directory_status
fake_search(void *connection, const struct search *search,
            struct entry_list *list, struct error *err)
{
    struct entry entry;

    (void)err;
    if (strstr(connection, "dc2") != NULL && world->dc2_knows &&
        strcmp(search->filter, "(servicePrincipalName=" HOST_SPN ")") == 0) {
        ck_assert(entry_init(&entry, SVC, NULL));
        ck_assert(entry_list_take(list, &entry, NULL));
    }
    if (*search->base == '\0') {
        ck_assert(entry_init(&entry, "", NULL));
        ck_assert(entry_add(&entry, "defaultNamingContext", BASE, strlen(BASE),
                            NULL));
        ck_assert(entry_list_take(list, &entry, NULL));
        return DIRECTORY_ANSWERED;
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        const struct object *object = &world->objects[i];
        if (object->dn[0] == '\0' || !matches(object, search->filter) ||
            (search->scope == SEARCH_BASE && object_at(search->base) != object))
            continue;
        ck_assert(entry_init(&entry, object->dn, NULL));
        for (size_t j = 0; j < VALUES; j++) {
            if (object->values[j].name[0] != '\0')
                ck_assert(entry_add(&entry, object->values[j].name,
                                    object->values[j].text,
                                    object->values[j].length, NULL));
        }
        ck_assert(entry_list_take(list, &entry, NULL));
    }
    return DIRECTORY_ANSWERED;
}

/* A write begins: is it the one at which this process dies, or fails? */
static bool
begin(struct error *err)
{
    world->writes++;
    if (world->writes == world->die_before)
        _exit(9);
    if (world->writes != world->fail_at)
        return true;
    error_set(err, "the server says no");
    return false;
}

static enum write_status
finish(void)
{
    if (world->writes == world->die_after)
        _exit(9);
    return WRITE_DONE;
}

static enum write_status
fake_add(void *connection, const char *dn, const struct change *attributes,
         size_t count, struct error *err)
{
    static const uint8_t guid[GUID_SIZE] = "0123456789abcde";

    (void)connection;
    if (!begin(err))
        return world->failure;
    if (object_at(dn) != NULL)
        return WRITE_EXISTS;
    struct object *object = make(dn);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; attributes[i].values[j] != NULL; j++)
            put(object, attributes[i].attribute, attributes[i].values[j],
                strlen(attributes[i].values[j]));
    }
    put(object, "objectGUID", guid, sizeof guid);
    put(object, "cn", "orders", 6);
    return finish();
}

static enum write_status
fake_modify(void *connection, const char *dn, const struct change *changes,
            size_t count, struct error *err)
{
    struct object *object = object_at(dn);

    (void)connection;
    if (!begin(err))
        return world->failure;
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &changes[i];
        if (change->kind == CHANGE_REPLACE)
            take_away(object, change->attribute, NULL);
        for (size_t j = 0; change->values != NULL && change->values[j] != NULL;
             j++) {
            const char *text = change->values[j];
            take_away(object, change->attribute, text);
            if (change->kind != CHANGE_DELETE)
                put(object, change->attribute, text, strlen(text));
        }
    }
    return finish();
}

static enum write_status
fake_remove(void *connection, const char *dn, struct error *err)
{
    struct object *object = object_at(dn);

    (void)connection;
    if (!begin(err))
        return world->failure;
    if (object == NULL)
        return WRITE_ABSENT;
    memset(object, 0, sizeof *object);
    return finish();
}

static const struct directory_ops ops = {no_srv, any_ticket, fake_open,
                                         fake_search, fake_close};
static const struct directory_writes writes = {fake_add, fake_modify,
                                               fake_remove};

/* --- the service -------------------------------------------------------- */

static char journal[64];
static char told[8192];
static char *const uris[] = {(char *)"ldap://dc1.corp.test",
                             (char *)"ldap://dc2.corp.test"};
static char *const keywords[] = {(char *)"orders", (char *)"production"};
static char *const two_spns[] = {(char *)HOST_SPN, (char *)PORT_SPN};
static struct publish_settings settings;

static void
tell(enum publish_news news, const char *text, void *arg)
{
    static const char *const signs[] = {"step", "undone", "result", "warning",
                                        "command"};
    size_t length = strlen(told);

    (void)arg;
    snprintf(told + length, sizeof told - length, "%s: %s\n", signs[news],
             text);
}

static void
set_up(void)
{
    char directory[] = "/tmp/kerbwrap-publish-XXXXXX";

    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(world != MAP_FAILED && mkdtemp(directory) != NULL);
    snprintf(journal, sizeof journal, "%s/orders.published", directory);
    static const char *const computers[][3] = {
        {WEB1, "web1$", "web1.corp.test"}, {WEB2, "web2$", "web2.corp.test"}};
    for (size_t i = 0; i < 2; i++) {
        make(computers[i][0]);
        put_text(computers[i][0], "objectClass", "computer");
        put_text(computers[i][0], "sAMAccountName", computers[i][1]);
        put_text(computers[i][0], "dNSHostName", computers[i][2]);
    }
    make(SVC);
    put_text(SVC, "sAMAccountName", "svc");
    told[0] = '\0';
    settings = (struct publish_settings){
        .registry = {.domain = "corp.test",
                     .uris = uris,
                     .uri_count = 1,
                     .ops = &ops,
                     .writes = &writes},
        .name = "orders",
        .config = "k.ini",
        .journal = journal,
        .principal = "web1$@CORP.TEST",
        .service_class = "orders",
        .account = "",
        .machine = "web1$",
        .this_host = "elsewhere.test",
        .dns_name = "",
        .port = 7443,
        .scp_name = "orders",
        .keywords = keywords,
        .keyword_count = 2,
        .tell = tell,
    };
}

static void
tear_down(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %.*s",
             (int)(strrchr(journal, '/') - journal), journal);
    ck_assert_int_eq(system(command), 0);
    munmap(world, sizeof *world);
}

static void
expect_published(void)
{
    ck_assert(has(WEB1, "servicePrincipalName", HOST_SPN));
    ck_assert(has(SCP, "serviceDNSName", "web1.corp.test"));
    ck_assert(has(SCP, "serviceDNSNameType", "A"));
    ck_assert(has(SCP, "serviceClassName", "orders"));
    ck_assert(has(SCP, "serviceBindingInformation", "7443"));
    ck_assert(has(SCP, "keywords", "orders"));
    ck_assert(has(SCP, "keywords", "production"));
}

static void
expect_nothing_left(void)
{
    ck_assert_ptr_null(object_at(SCP));
    ck_assert(!has(WEB1, "servicePrincipalName", HOST_SPN));
    ck_assert(!has(WEB1, "servicePrincipalName", PORT_SPN));
    ck_assert_int_ne(access(journal, F_OK), 0);
}

START_TEST(a_service_is_published_and_taken_back)
{
    struct error err;

    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    expect_published();
    ck_assert(strstr(told, "result: SPN  " HOST_SPN " on web1$\n") != NULL);
    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_DONE);
    expect_nothing_left();
}
END_TEST

START_TEST(what_is_as_it_should_be_is_not_written_again)
{
    struct error err;

    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    unsigned before = world->writes;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert_uint_eq(world->writes, before);
}
END_TEST

START_TEST(a_dry_run_tells_and_changes_nothing)
{
    struct error err;

    settings.flags = PUBLISH_DRY_RUN;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert_str_eq(told, "step: register the SPN " HOST_SPN " on web1$\n"
                           "step: create the service connection point " SCP
                           " (web1.corp.test:7443)\n");
    ck_assert_uint_eq(world->writes, 0);
    expect_nothing_left();
}
END_TEST

START_TEST(only_what_differs_is_updated_and_foreign_values_stay)
{
    struct error err;

    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    put_text(SCP, "keywords", "foreign");
    settings.port = 7444;
    settings.keyword_count = 1;
    told[0] = '\0';
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert(strstr(told, "step: update the service connection point " SCP
                           ": keywords -production, "
                           "serviceBindingInformation +7444, "
                           "serviceBindingInformation -7443\n") == told);
    ck_assert(has(SCP, "keywords", "foreign"));
    ck_assert(!has(SCP, "serviceBindingInformation", "7443"));
}
END_TEST

START_TEST(an_object_that_moved_is_found_by_its_guid)
{
    struct error err;

    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    strcpy(object_at(SCP)->dn, "CN=orders,OU=Elsewhere," BASE);
    settings.port = 7444;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert(has("CN=orders,OU=Elsewhere," BASE, "serviceBindingInformation",
                  "7444"));
    ck_assert_ptr_null(object_at(SCP));
}
END_TEST

START_TEST(a_name_of_another_account_is_refused_before_anything_is_written)
{
    struct error err;

    put_text(SVC, "servicePrincipalName", "ORDERS/web1.corp.test");
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_FAILED);
    ck_assert_str_eq(err.text,
                     "cannot publish orders: cannot register the SPN " HOST_SPN
                     " on web1$: it is registered on " SVC
                     " already, and nobody can authenticate by a name of two "
                     "accounts; delete it there first");
    ck_assert_uint_eq(world->writes, 0);
}
END_TEST

START_TEST(a_name_that_only_another_server_knows_of_is_refused)
{
    struct error err;

    settings.registry.uri_count = 2;
    world->dc2_knows = true;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_FAILED);
    ck_assert(strstr(err.text, "it is registered on " SVC " already") != NULL);
    ck_assert_uint_eq(world->writes, 0);
}
END_TEST

START_TEST(a_server_that_could_not_be_asked_is_told)
{
    struct error err;

    settings.registry.uri_count = 2;
    world->dc2_silent = true;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert(strstr(told, "warning: not everything was looked at: cannot "
                           "reach ldap://dc2.corp.test\n") == told);
}
END_TEST

START_TEST(a_step_that_fails_takes_back_those_before_it)
{
    struct error err;

    settings.spns = two_spns;
    settings.spn_count = 2;
    world->fail_at = (unsigned)_i;
    world->failure = WRITE_DENIED;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_FAILED);
    expect_nothing_left();
    ck_assert(strstr(err.text, "; nothing is changed") != NULL);
    ck_assert(strstr(err.text, "needs the right") != NULL);
}
END_TEST

START_TEST(who_lacks_a_right_is_told_the_command)
{
    struct error err;

    settings.spns = two_spns;
    settings.spn_count = 2;
    world->fail_at = 2;
    world->failure = WRITE_CONSTRAINT;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_FAILED);
    ck_assert(strstr(told, "command: kerbwrap spn add -c 'k.ini' --ccache "
                           "default '" PORT_SPN "' 'web1$'\n") != NULL);
    ck_assert(strstr(told, "command: samba-tool spn add '" PORT_SPN
                           "' 'web1$'\n") != NULL);
    ck_assert(strstr(told, "command: setspn -S \"" PORT_SPN "\" web1\n") !=
              NULL);
}
END_TEST

START_TEST(names_move_with_the_account)
{
    struct error err;

    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    settings.account = "svc";
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert(has(SVC, "servicePrincipalName", HOST_SPN));
    ck_assert(!has(WEB1, "servicePrincipalName", HOST_SPN));
}
END_TEST

START_TEST(what_was_there_before_is_not_taken_away_without_force)
{
    struct error err;

    put_text(WEB1, "servicePrincipalName", HOST_SPN);
    make(SCP);
    put_text(SCP, "objectClass", "serviceConnectionPoint");
    put_text(SCP, "cn", "orders");
    put_text(SCP, "keywords", "production");
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_DONE);
    ck_assert(has(WEB1, "servicePrincipalName", HOST_SPN));
    ck_assert(has(SCP, "keywords", "production"));
    ck_assert(!has(SCP, "keywords", "orders"));
    settings.flags = PUBLISH_FORCE;
    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_DONE);
    expect_nothing_left();
}
END_TEST

START_TEST(without_a_record_nothing_is_taken_back)
{
    struct error err;
    char expected[256];

    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_FAILED);
    snprintf(expected, sizeof expected,
             "cannot unpublish orders: nothing of orders is ours according to "
             "%s; --force deletes what the configuration names",
             journal);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

/* In a process of its own, which dies at the write that world says. */
static void run_and_die(enum publish_status (*work)(
    const struct publish_settings *, struct error *))
{
    struct error err;
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(work(&settings, &err) == PUBLISH_DONE ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), 9);
    world->die_before = world->die_after = 0;
}

static void
die_at(int which)
{
    unsigned number = (unsigned)which / 2 + 1;

    world->writes = 0;
    if (which % 2 == 0)
        world->die_before = number;
    else
        world->die_after = number;
}

START_TEST(the_next_run_completes_what_a_killed_one_began)
{
    struct error err;

    settings.spns = two_spns;
    settings.spn_count = 2;
    die_at(_i);
    run_and_die(publish);
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    expect_published();
    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_DONE);
    expect_nothing_left();
}
END_TEST

START_TEST(what_a_killed_run_left_is_cleaned_up)
{
    struct error err;

    settings.spns = two_spns;
    settings.spn_count = 2;
    die_at(_i);
    run_and_die(publish);
    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_DONE);
    expect_nothing_left();
}
END_TEST

START_TEST(a_killed_unpublishing_is_completed)
{
    struct error err;

    settings.spns = two_spns;
    settings.spn_count = 2;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    die_at(_i);
    run_and_die(unpublish);
    ck_assert_int_eq(unpublish(&settings, &err), PUBLISH_DONE);
    expect_nothing_left();
}
END_TEST

START_TEST(names_are_verified)
{
    struct error err;

    ck_assert_int_eq(publish_verify(&settings, &err), PUBLISH_FAILED);
    ck_assert_str_eq(err.text,
                     "the SPN " HOST_SPN " is not registered on any account");
    put_text(WEB1, "servicePrincipalName", HOST_SPN);
    ck_assert_int_eq(publish_verify(&settings, &err), PUBLISH_DONE);
    put_text(WEB2, "servicePrincipalName", HOST_SPN);
    ck_assert_int_eq(publish_verify(&settings, &err), PUBLISH_FAILED);
    ck_assert(strstr(err.text, "on another account, " WEB2) != NULL);
    world->silent = true;
    ck_assert_int_eq(publish_verify(&settings, &err), PUBLISH_SILENT);
}
END_TEST

START_TEST(without_names_only_the_scp_is_refreshed)
{
    struct error err;

    settings.flags = PUBLISH_SCP_ONLY;
    ck_assert_int_eq(publish(&settings, &err), PUBLISH_DONE);
    ck_assert(has(SCP, "keywords", "orders"));
    ck_assert(!has(WEB1, "servicePrincipalName", HOST_SPN));
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("publish");
    TCase *cases = tcase_create("cases");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_service_is_published_and_taken_back);
    tcase_add_test(cases, what_is_as_it_should_be_is_not_written_again);
    tcase_add_test(cases, a_dry_run_tells_and_changes_nothing);
    tcase_add_test(cases, only_what_differs_is_updated_and_foreign_values_stay);
    tcase_add_test(cases, an_object_that_moved_is_found_by_its_guid);
    tcase_add_test(
        cases, a_name_of_another_account_is_refused_before_anything_is_written);
    tcase_add_test(cases, a_name_that_only_another_server_knows_of_is_refused);
    tcase_add_test(cases, a_server_that_could_not_be_asked_is_told);
    tcase_add_loop_test(cases, a_step_that_fails_takes_back_those_before_it, 1,
                        4);
    tcase_add_test(cases, who_lacks_a_right_is_told_the_command);
    tcase_add_test(cases, names_move_with_the_account);
    tcase_add_test(cases,
                   what_was_there_before_is_not_taken_away_without_force);
    tcase_add_test(cases, without_a_record_nothing_is_taken_back);
    tcase_add_loop_test(cases, the_next_run_completes_what_a_killed_one_began,
                        0, 6);
    tcase_add_loop_test(cases, what_a_killed_run_left_is_cleaned_up, 0, 6);
    tcase_add_loop_test(cases, a_killed_unpublishing_is_completed, 0, 6);
    tcase_add_test(cases, names_are_verified);
    tcase_add_test(cases, without_names_only_the_scp_is_refreshed);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
