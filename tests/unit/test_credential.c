/* SPDX-License-Identifier: BSD-2-Clause */
/* Where tickets and keys come from, and that they come from nowhere else. */
#include "gss/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

#include "gss/credential_private.h"
#include "gss/tickets.h"
#include "gss_pair.h"

#include "check_main.h"

#define REALM "CORP.EXAMPLE.TEST"

enum {
    PATH_SIZE = 512,
    WAITERS = 8,
    STEPPERS = 8,
    RENEWALS = 200,
};

static struct pair pair;

static const char *
scratch(const char *name)
{
    static char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s-%d", getenv("REALM_DIR"), name,
             (int)getpid());
    return path;
}

/* A cache as kinit makes it, for principal. */
static void
make_cache(const char *path, const char *principal, const char *options)
{
    char line[4 * PATH_SIZE];

    snprintf(line, sizeof line, "kinit -c %s %s -kt %s %s", path, options,
             keytab_of(principal), principal);
    ck_assert_msg(system(line) == 0, "%s failed", line);
}

static struct credential *
copy_of(const char *ccache)
{
    struct initiator_settings settings = {.ccache = ccache};
    struct credential *credential;

    ck_assert(credential_new_initiator(&settings, 0, &credential, NULL));
    credential_learn_name(credential);
    return credential;
}

static void
expect_initiator_error(const char *principal, const char *keytab,
                       const char *sentence)
{
    struct initiator_settings settings = {
        .principal = principal,
        .keytab = keytab,
    };
    struct credential *credential;
    struct error err = {.text = ""};

    ck_assert(!credential_new_initiator(&settings, 0, &credential, &err));
    ck_assert_str_eq(err.text, sentence);
}

static void
expect_acceptor_error(const char *keytab, const char *sentence)
{
    struct acceptor_settings settings = {.keytab = keytab};
    struct credential *credential;
    struct error err = {.text = ""};

    ck_assert(!credential_new_acceptor(&settings, 0, &credential, &err));
    ck_assert_str_eq(err.text, sentence);
}

static void
expect_client(struct credential *client, struct credential *server,
              const char *name)
{
    ck_assert_msg(pair_establish(&pair, client, server, PAIR_TARGET), "%s",
                  pair.error.text);
    ck_assert_str_eq(pair.acceptor->ops->peer(pair.acceptor)->display, name);
    pair_clear(&pair);
}

START_TEST(unusable_client_keytabs_are_named)
{
    expect_initiator_error("alice", "/nonexistent",
                           "cannot use keytab /nonexistent for alice: there is "
                           "no such keytab (Key table file '/nonexistent' not "
                           "found)");
    expect_initiator_error("alice", "/dev/null",
                           "cannot use keytab /dev/null for alice: the file is "
                           "empty or not a keytab (Unsupported key table "
                           "format version number)");
    expect_initiator_error("alice@a@b", "/dev/null",
                           "cannot use principal alice@a@b: Malformed "
                           "representation of principal");
}
END_TEST

START_TEST(keytab_without_the_principal_is_named)
{
    char sentence[4 * PATH_SIZE];

    snprintf(sentence, sizeof sentence,
             "cannot use keytab %s for bob: the keytab holds no key of this "
             "principal; compare with klist -k (No key table entry found for "
             "bob@" REALM ")",
             keytab_of("alice"));
    expect_initiator_error("bob", keytab_of("alice"), sentence);
}
END_TEST

START_TEST(unusable_server_keytabs_are_named)
{
    char sentence[4 * PATH_SIZE];

    expect_acceptor_error("/nonexistent",
                          "cannot use keytab /nonexistent: there is no such "
                          "keytab (Key table file '/nonexistent' not found)");
    expect_acceptor_error("/etc/passwd",
                          "cannot use keytab /etc/passwd: the file is empty or "
                          "not a keytab (Unsupported key table format version "
                          "number)");
    snprintf(sentence, sizeof sentence,
             "cannot use keytab %s: it holds no AES key; give the account AES "
             "keys (msDS-SupportedEncryptionTypes 24) and export it again",
             keytab_of("legacy"));
    expect_acceptor_error(keytab_of("legacy"), sentence);
}
END_TEST

START_TEST(replay_cache_that_cannot_be_written_is_named_at_once)
{
    struct acceptor_settings settings = {
        .keytab = keytab_of("web1"),
        .replay_cache = "/nonexistent/replay",
    };
    struct credential *credential;
    struct error err = {.text = ""};

    ck_assert(!credential_new_acceptor(&settings, 0, &credential, &err));
    ck_assert_str_eq(err.text,
                     "cannot write the replay cache /nonexistent/replay (it "
                     "must be possible for the user kerbwrap runs as): No such "
                     "file or directory");
}
END_TEST

START_TEST(new_keytab_credential_knows_its_name_and_has_no_ticket)
{
    struct credential *alice = client_of("alice");
    char lane[64];

    ck_assert_str_eq(credential_name(alice), "alice@" REALM);
    ck_assert_int_eq(credential_expires(alice), 0);
    ck_assert_int_eq(credential_renew_in(alice), 0);
    credential_lane(alice, lane, sizeof lane);
    ck_assert_str_eq(lane, "kdc " REALM);
    credential_release(alice);
}
END_TEST

START_TEST(renewal_gets_a_ticket_for_half_its_life)
{
    struct credential *alice = client_of("alice");

    ck_assert(credential_renew(alice, NULL));
    ck_assert_int_le(llabs(credential_expires(alice) - time(NULL) - 36000), 60);
    ck_assert_int_le(credential_renew_in(alice), 18000);
    credential_release(alice);
}
END_TEST

START_TEST(who_got_tickets_together_comes_again_at_different_times)
{
    int64_t first = INT64_MAX, last = 0;

    for (int i = 0; i < 12; i++) {
        struct credential *alice = client_of("alice");
        ck_assert(credential_renew(alice, NULL));
        int64_t when = credential_renew_in(alice);
        first = when < first ? when : first;
        last = when > last ? when : last;
        credential_release(alice);
    }
    ck_assert_int_ge(first, 36000 * 3 / 8 - 60);
    ck_assert_int_le(last, 36000 / 2);
    ck_assert_int_gt(last - first, 300);
}
END_TEST

START_TEST(fresh_ticket_is_not_renewed)
{
    struct credential *alice = client_of("alice");

    ck_assert(credential_renew(alice, NULL));
    struct tickets *tickets = alice->tickets;
    ck_assert(credential_renew(alice, NULL));
    ck_assert_ptr_eq(alice->tickets, tickets);
    credential_release(alice);
}
END_TEST

START_TEST(ticket_past_half_its_life_is_renewed_with_its_service_tickets)
{
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);

    expect_client(alice, web1, "alice@" REALM);
    unsigned asked = kdc_log_count("TGS_REQ", PAIR_TARGET);
    alice->tickets->renew_at -= 40000;
    ck_assert_int_eq(credential_renew_in(alice), 0);
    ck_assert(credential_renew(alice, NULL));
    ck_assert_int_gt(credential_renew_in(alice), 13000);
    ck_assert_uint_eq(kdc_log_count("TGS_REQ", PAIR_TARGET), asked + 1);
    realm("stop", "kdc");
    bool ok = pair_establish(&pair, alice, web1, PAIR_TARGET);
    realm("start", "kdc");
    ck_assert_msg(ok, "%s", pair.error.text);
    pair_clear(&pair);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(service_ticket_near_its_own_end_is_renewed_alone)
{
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);

    expect_client(alice, web1, "alice@" REALM);
    unsigned asked = kdc_log_count("TGS_REQ", PAIR_TARGET);
    unsigned begun = kdc_log_count("AS_REQ", "alice");
    alice->targets->renew_at = time(NULL);
    ck_assert_int_eq(credential_renew_in(alice), 0);
    ck_assert(credential_renew(alice, NULL));
    ck_assert_int_gt(credential_renew_in(alice), 13000);
    ck_assert_uint_eq(kdc_log_count("TGS_REQ", PAIR_TARGET), asked + 1);
    ck_assert_uint_eq(kdc_log_count("AS_REQ", "alice"), begun);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(service_ticket_that_cannot_be_renewed_is_told_and_serves)
{
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);
    struct error err = {.text = ""};

    expect_client(alice, web1, "alice@" REALM);
    alice->targets->renew_at = time(NULL);
    realm("stop", "kdc");
    bool renewed = credential_renew(alice, &err);
    bool ok = pair_establish(&pair, alice, web1, PAIR_TARGET);
    realm("start", "kdc");
    ck_assert(!renewed && ok);
    ck_assert_ptr_nonnull(
        strstr(err.text, "cannot get a ticket for " PAIR_TARGET "@" REALM
                         " as alice@" REALM ": no KDC of the realm answers"));
    ck_assert_int_eq(credential_renew_in(alice), 0);
    pair_clear(&pair);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(silent_kdc_leaves_the_old_tickets_in_use)
{
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);
    struct error err = {.text = ""};

    expect_client(alice, web1, "alice@" REALM);
    alice->tickets->renew_at -= 40000;
    realm("stop", "kdc");
    bool renewed = credential_renew(alice, &err);
    bool ok = pair_establish(&pair, alice, web1, PAIR_TARGET);
    realm("start", "kdc");
    ck_assert(!renewed && ok);
    ck_assert_ptr_nonnull(strstr(err.text, "no KDC of the realm answers"));
    pair_clear(&pair);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(silent_kdc_is_named)
{
    struct credential *alice = client_of("alice");
    char sentence[4 * PATH_SIZE];
    struct error err;

    snprintf(sentence, sizeof sentence,
             "cannot get a ticket for alice@" REALM " with keytab %s: no KDC "
             "of the realm answers; check kdc = in krb5.conf, DNS and the "
             "firewall (port 88) (Cannot contact any KDC for realm '" REALM
             "')",
             keytab_of("alice"));
    realm("stop", "kdc");
    bool ok = credential_renew(alice, &err);
    realm("start", "kdc");
    ck_assert(!ok);
    ck_assert_str_eq(err.text, sentence);
    credential_release(alice);
}
END_TEST

START_TEST(expired_ticket_is_got_again_by_the_fetch)
{
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);

    ck_assert(credential_renew(alice, NULL));
    alice->tickets->tgt_start = 1;
    alice->tickets->tgt_end = 2;
    expect_client(alice, web1, "alice@" REALM);
    ck_assert_int_gt(credential_expires(alice), time(NULL));
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(wrong_key_of_the_client_is_named)
{
    struct credential *mallory = client_of("mallory");
    struct error err;

    kadmin("cpw -randkey mallory");
    ck_assert(!credential_renew(mallory, &err));
    ck_assert_ptr_nonnull(strstr(err.text,
                                 "the keytab's key is not the account's any "
                                 "more; export a new keytab "
                                 "(Preauthentication failed)"));
    credential_release(mallory);
}
END_TEST

START_TEST(environment_is_not_looked_at)
{
    char other[PATH_SIZE];

    snprintf(other, sizeof other, "%s", scratch("bob"));
    make_cache(other, "bob", "");
    setenv("KRB5CCNAME", other, 1);
    setenv("KRB5_CLIENT_KTNAME", keytab_of("bob"), 1);
    setenv("KRB5_KTNAME", keytab_of("web2"), 1);
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);

    expect_client(alice, web1, "alice@" REALM);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(named_cache_is_copied_and_never_written)
{
    char path[PATH_SIZE], line[4 * PATH_SIZE];

    snprintf(path, sizeof path, "%s", scratch("alice"));
    make_cache(path, "alice", "");
    setenv("KRB5_CLIENT_KTNAME", keytab_of("bob"), 1);
    snprintf(line, sizeof line, "cp -p %s %s.before", path, path);
    ck_assert_int_eq(system(line), 0);
    struct credential *copy = copy_of(path);
    struct credential *web1 = server_of("web1", NULL);

    ck_assert_str_eq(credential_name(copy), "alice@" REALM);
    expect_client(copy, web1, "alice@" REALM);
    snprintf(line, sizeof line, "cmp %s %s.before", path, path);
    ck_assert_int_eq(system(line), 0);
    credential_release(copy);
    credential_release(web1);
}
END_TEST

START_TEST(default_cache_is_the_ambient_one)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s", scratch("ambient"));
    make_cache(path, "bob", "");
    setenv("KRB5CCNAME", path, 1);
    struct credential *copy = copy_of("default");

    ck_assert_str_eq(credential_name(copy), "bob@" REALM);
    credential_release(copy);
}
END_TEST

START_TEST(missing_cache_is_named_and_may_come_later)
{
    char path[PATH_SIZE], sentence[4 * PATH_SIZE];
    struct error err;

    snprintf(path, sizeof path, "%s", scratch("later"));
    struct credential *copy = copy_of(path);
    ck_assert_str_eq(credential_name(copy), "");
    ck_assert(!credential_renew(copy, &err));
    snprintf(sentence, sizeof sentence,
             "cannot use credential cache %s: there is no such credential "
             "cache; run kinit for it (No credentials cache found (filename: "
             "%s))",
             path, path);
    ck_assert_str_eq(err.text, sentence);
    make_cache(path, "alice", "");
    ck_assert(credential_renew(copy, NULL));
    ck_assert_str_eq(credential_name(copy), "alice@" REALM);
    credential_release(copy);
}
END_TEST

/* As a loop begins a connection: it must not wait for who writes the cache. */
START_TEST(locked_cache_is_waited_for_by_the_fetch_only)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct credential *copy;
    struct context_output out;
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s", scratch("locked"));
    make_cache(path, "alice", "");
    struct initiator_settings settings = {.ccache = path};
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
    alarm(5);
    ck_assert(credential_new_initiator(&settings, 0, &copy, NULL));
    struct context *context = context_new_initiator(copy, PAIR_TARGET, NULL);
    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(context->ops->step(context, NULL, 0, &out),
                     CONTEXT_NEED_TICKET);
    alarm(0);
    close(fd);
    ck_assert_str_eq(credential_name(copy), "");
    ck_assert(context->ops->fetch(context, NULL));
    ck_assert_str_eq(credential_name(copy), "alice@" REALM);
    ck_assert_int_eq(context->ops->step(context, NULL, 0, &out),
                     CONTEXT_CONTINUE);
    free(out.token);
    context_free(context);
    credential_release(copy);
}
END_TEST

/* kinit writes into the same file. */
START_TEST(cache_that_was_filled_again_is_copied_again)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s", scratch("again"));
    make_cache(path, "alice", "-l 60s");
    struct credential *copy = copy_of(path);
    int64_t end = credential_expires(copy);
    ck_assert(credential_renew(copy, NULL));
    ck_assert_int_eq(credential_expires(copy), end);
    make_cache(path, "alice", "-l 1h");
    ck_assert(credential_renew(copy, NULL));
    ck_assert_int_gt(credential_expires(copy), end + 3000);
    ck_assert_int_le(credential_renew_in(copy), 60);
    credential_release(copy);
}
END_TEST

START_TEST(expired_cache_is_named)
{
    char path[PATH_SIZE], sentence[4 * PATH_SIZE];
    struct error err;

    snprintf(path, sizeof path, "%s", scratch("expired"));
    make_cache(path, "alice", "-l 1s");
    struct credential *copy = copy_of(path);
    ck_assert(!credential_renew(copy, &err));
    snprintf(sentence, sizeof sentence,
             "cannot use credential cache %s: the tickets of alice@" REALM
             " have expired; run kinit for it",
             path);
    ck_assert_str_eq(err.text, sentence);
    credential_release(copy);
}
END_TEST

START_TEST(cache_that_changes_hands_is_refused)
{
    char path[PATH_SIZE], sentence[4 * PATH_SIZE];
    struct error err;

    snprintf(path, sizeof path, "%s", scratch("hands"));
    make_cache(path, "alice", "");
    struct credential *copy = copy_of(path);
    make_cache(path, "bob", "");
    ck_assert(!credential_renew(copy, &err));
    snprintf(sentence, sizeof sentence,
             "cannot use credential cache %s: it now belongs to bob@" REALM
             ", before it was alice@" REALM "; restart to use it",
             path);
    ck_assert_str_eq(err.text, sentence);
    credential_release(copy);
}
END_TEST

/* The old key is gone at once, as when somebody overwrites a keytab. */
/* As if the tickets had been got long ago. */
static void
age(struct credential *credential)
{
    pthread_mutex_lock(&credential->mutex);
    for (struct target *target = credential->targets; target != NULL;
         target = target->next)
        target->fetched_ms = 0;
    pthread_mutex_unlock(&credential->mutex);
}

START_TEST(refused_ticket_is_got_anew)
{
    const char *target = "host/web2.corp.example.test";
    struct credential *alice = client_of("alice");
    struct credential *web2 = server_of("web2", NULL);

    ck_assert(pair_establish(&pair, alice, web2, target));
    pair_clear(&pair);
    kadmin("ktrem -q -k %s %s all", keytab_of("web2"), target);
    kadmin("ktadd -q -k %s %s", keytab_of("web2"), target);
    age(alice);
    ck_assert(!pair_establish(&pair, alice, web2, target));
    ck_assert(pair.stale);
    pair_clear(&pair);
    ck_assert_msg(pair_establish(&pair, alice, web2, target), "%s",
                  pair.error.text);
    pair_clear(&pair);
    credential_release(alice);
    credential_release(web2);
}
END_TEST

/* A ticket that was just got is not refused for its age, and the second no more
 * than the first: within a minute the KDC is not asked again, however often
 * somebody says that a ticket is bad. */
START_TEST(refusals_cost_one_ticket_a_minute)
{
    const char *target = "orders/web2.corp.example.test";
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);
    unsigned before = kdc_log_count("TGS_REQ", target);

    for (unsigned i = 0; i < 4; i++) {
        ck_assert(!pair_establish(&pair, alice, web1, target));
        ck_assert(!pair.stale);
        pair_clear(&pair);
    }
    ck_assert_uint_eq(kdc_log_count("TGS_REQ", target) - before, 2);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

START_TEST(old_ticket_serves_while_its_key_is_in_the_keytab)
{
    const char *target = "orders/web2.corp.example.test";
    struct credential *alice = client_of("alice");
    struct credential *bob = client_of("bob");
    struct credential *web2 = server_of("web2", NULL);

    ck_assert(pair_establish(&pair, alice, web2, target));
    pair_clear(&pair);
    kadmin("ktadd -q -k %s %s", keytab_of("web2"), target);
    ck_assert(pair_establish(&pair, alice, web2, target));
    pair_clear(&pair);
    ck_assert(pair_establish(&pair, bob, web2, target));
    pair_clear(&pair);
    credential_release(alice);
    credential_release(bob);
    credential_release(web2);
}
END_TEST

START_TEST(vanished_keytab_is_named)
{
    struct credential *web1 = server_of("web1", NULL);
    struct credential *alice = client_of("alice");
    char away[PATH_SIZE], sentence[4 * PATH_SIZE];

    snprintf(away, sizeof away, "%s.away", keytab_of("web1"));
    rename(keytab_of("web1"), away);
    bool ok = pair_establish(&pair, alice, web1, PAIR_TARGET);
    rename(away, keytab_of("web1"));
    ck_assert(!ok);
    snprintf(sentence, sizeof sentence,
             "cannot accept the client: cannot use keytab %s: there is no such "
             "keytab (Key table file '%s' not found)",
             keytab_of("web1"), keytab_of("web1"));
    ck_assert_str_eq(pair.acceptor_error.text, sentence);
    ck_assert_str_eq(pair.error.text, PAIR_TARGET
                     "@" REALM
                     " refused us, says an answer that nothing proves: its "
                     "keytab lacks the key of our ticket: the service is not "
                     "in it, or the account has a newer key; compare SPN and "
                     "key version with its keytab (The ticket isn't for us)");
    pair_clear(&pair);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

struct waiter {
    pthread_t thread;
    struct credential *credential;
    struct context *context;
    bool ok;
};

static void *
fetch(void *arg)
{
    struct waiter *waiter = arg;

    waiter->ok = waiter->context->ops->fetch(waiter->context, NULL);
    return NULL;
}

START_TEST(many_who_want_a_ticket_ask_once)
{
    struct credential *alice = client_of("alice");
    const char *target = "HTTP/web1.corp.example.test";
    struct waiter waiters[WAITERS];
    unsigned before = kdc_log_count("TGS_REQ", target);

    ck_assert(credential_renew(alice, NULL));
    for (size_t i = 0; i < WAITERS; i++) {
        waiters[i].context = context_new_initiator(alice, target, NULL);
        pthread_create(&waiters[i].thread, NULL, fetch, &waiters[i]);
    }
    for (size_t i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        ck_assert(waiters[i].ok);
        context_free(waiters[i].context);
    }
    ck_assert_uint_eq(kdc_log_count("TGS_REQ", target) - before, 1);
    credential_release(alice);
}
END_TEST

static void *
renew(void *arg)
{
    struct waiter *waiter = arg;

    waiter->ok = credential_renew(waiter->credential, NULL);
    return NULL;
}

START_TEST(prefetch_waits_for_who_is_asking_already)
{
    struct credential *alice = client_of("alice");
    struct waiter waiter = {.credential = alice};
    struct target *target;
    bool ignored;

    ck_assert(credential_renew(alice, NULL));
    ck_assert(credential_target(alice, PAIR_TARGET, &target, NULL));
    ck_assert(credential_fetch(alice, target, NULL));
    unsigned before = kdc_log_count("TGS_REQ", PAIR_TARGET);
    pthread_mutex_lock(&alice->mutex);
    target->renew_at = 1;
    pthread_mutex_unlock(&alice->mutex);
    ck_assert(flight_lead(&target->flight, &ignored, NULL));
    pthread_create(&waiter.thread, NULL, renew, &waiter);
    while (flight_waiting(&target->flight) < 1)
        usleep(100);
    flight_land(&target->flight, true, NULL);
    pthread_join(waiter.thread, NULL);
    ck_assert(waiter.ok);
    ck_assert_uint_eq(kdc_log_count("TGS_REQ", PAIR_TARGET), before);
    credential_drop_target(alice, target);
    credential_release(alice);
}
END_TEST

struct looker {
    pthread_t thread;
    const struct tickets *tickets;
    krb5_principal server;
    const bool *done;
    unsigned found, missed;
};

static void *
look_on(void *arg)
{
    struct looker *looker = arg;
    struct ticket_facts ignored;
    krb5_context context;

    ck_assert_int_eq(krb5_init_context(&context), 0);
    while (!__atomic_load_n(looker->done, __ATOMIC_ACQUIRE)) {
        if (tickets_find(context, looker->tickets, looker->server, &ignored))
            looker->found++;
        else
            looker->missed++;
    }
    krb5_free_context(context);
    return NULL;
}

START_TEST(ticket_that_is_got_anew_is_there_all_the_time)
{
    struct credential *alice = client_of("alice");
    struct looker looker = {.missed = 0};
    struct ticket_answer answer;
    struct tickets *tickets;
    krb5_principal server;
    krb5_context context;
    bool done = false;

    ck_assert(credential_renew_now(alice, false, NULL));
    tickets = credential_tickets(alice);
    ck_assert_int_eq(krb5_init_context(&context), 0);
    ck_assert_int_eq(krb5_parse_name(context, PAIR_TARGET, &server), 0);
    ck_assert(tickets_fetch(context, tickets, server, &answer, NULL));
    looker.tickets = tickets;
    looker.server = server;
    looker.done = &done;
    pthread_create(&looker.thread, NULL, look_on, &looker);
    for (unsigned i = 0; i < RENEWALS; i++)
        ck_assert(tickets_fetch(context, tickets, server, &answer, NULL));
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    pthread_join(looker.thread, NULL);
    ck_assert_uint_gt(looker.found, 0);
    ck_assert_uint_eq(looker.missed, 0);
    credential_drop_tickets(alice, context, tickets);
    krb5_free_principal(context, server);
    krb5_free_context(context);
    credential_release(alice);
}
END_TEST

struct stepper {
    pthread_t thread;
    struct credential *client, *server;
    const bool *done;
    unsigned handshakes;
    struct error error;
};

static void *
step_on(void *arg)
{
    struct stepper *stepper = arg;

    while (!__atomic_load_n(stepper->done, __ATOMIC_ACQUIRE)) {
        struct pair mine;
        bool ok = pair_establish(&mine, stepper->client, stepper->server,
                                 PAIR_TARGET);

        stepper->error = mine.error;
        pair_clear(&mine);
        if (!ok)
            break;
        stepper->handshakes++;
    }
    return NULL;
}

START_TEST(steps_go_on_while_tickets_are_renewed)
{
    struct credential *alice = client_of("alice");
    struct credential *web1 = server_of("web1", NULL);
    struct stepper steppers[STEPPERS];
    struct error err = {.text = ""};
    bool done = false, ok = true;

    expect_client(alice, web1, "alice@" REALM);
    for (size_t i = 0; i < STEPPERS; i++) {
        steppers[i] = (struct stepper){
            .client = alice, .server = web1, .done = &done};
        pthread_create(&steppers[i].thread, NULL, step_on, &steppers[i]);
    }
    for (unsigned i = 0; i < RENEWALS && ok; i++)
        ok = credential_renew_now(alice, true, &err);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < STEPPERS; i++) {
        pthread_join(steppers[i].thread, NULL);
        ck_assert_str_eq(steppers[i].error.text, "");
        ck_assert_uint_gt(steppers[i].handshakes, 0);
    }
    ck_assert_msg(ok, "%s", err.text);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

/* The same in threads of a pool, which keep their handles. */
struct pooled {
    struct job job; /* first */
    struct stepper stepper;
    unsigned *running;
    struct loop *loop; /* where done runs, and stops */
};

static void
pooled_run(struct job *job)
{
    step_on(&((struct pooled *)job)->stepper);
}

static void
pooled_done(struct job *job)
{
    struct pooled *pooled = (struct pooled *)job;

    if (--*pooled->running == 0)
        loop_stop(pooled->loop);
}

struct renewer {
    struct credential *client;
    bool *done;
    bool ok;
};

static void *
renew_on(void *arg)
{
    struct renewer *renewer = arg;

    renewer->ok = true;
    for (unsigned i = 0; i < RENEWALS / 4; i++)
        renewer->ok &= credential_renew_now(renewer->client, true, NULL);
    __atomic_store_n(renewer->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void
step_in_pool(struct credential *client, struct credential *server)
{
    struct pooled jobs[STEPPERS];
    unsigned running = STEPPERS;
    bool done = false;
    struct renewer renewer = {client, &done, false};
    pthread_t thread;
    struct loop *loop;
    struct pool *pool;

    ck_assert(loop_new("test", &loop, NULL));
    ck_assert(pool_new(STEPPERS, &pool, NULL));
    for (size_t i = 0; i < STEPPERS; i++) {
        jobs[i] = (struct pooled){
            .job = {.run = pooled_run, .done = pooled_done},
            .stepper = {.client = client, .server = server, .done = &done},
            .running = &running,
            .loop = loop,
        };
        pool_submit(pool, LANE_PROMPT, loop, &jobs[i].job);
    }
    pthread_create(&thread, NULL, renew_on, &renewer);
    loop_run(loop);
    pthread_join(thread, NULL);
    pool_free(pool);
    loop_free(loop);
    ck_assert(renewer.ok);
    for (size_t i = 0; i < STEPPERS; i++) {
        ck_assert_str_eq(jobs[i].stepper.error.text, "");
        ck_assert_uint_gt(jobs[i].stepper.handshakes, 0);
    }
}

START_TEST(pool_threads_step_while_tickets_are_renewed)
{
    struct initiator_settings client_settings = {.principal = "alice",
                                                 .keytab = keytab_of("alice")};
    struct acceptor_settings server_settings = {.keytab = keytab_of("web1")};
    struct credential *alice, *web1;

    ck_assert(
        credential_new_initiator(&client_settings, STEPPERS, &alice, NULL));
    ck_assert(credential_new_acceptor(&server_settings, STEPPERS, &web1, NULL));
    expect_client(alice, web1, "alice@" REALM);
    step_in_pool(alice, web1);
    credential_release(alice);
    credential_release(web1);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("credential");
    TCase *cases = tcase_create("credential");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, unusable_client_keytabs_are_named);
    tcase_add_test(cases, keytab_without_the_principal_is_named);
    tcase_add_test(cases, unusable_server_keytabs_are_named);
    tcase_add_test(cases, replay_cache_that_cannot_be_written_is_named_at_once);
    tcase_add_test(cases,
                   new_keytab_credential_knows_its_name_and_has_no_ticket);
    tcase_add_test(cases, renewal_gets_a_ticket_for_half_its_life);
    tcase_add_test(cases,
                   who_got_tickets_together_comes_again_at_different_times);
    tcase_add_test(cases, service_ticket_near_its_own_end_is_renewed_alone);
    tcase_add_test(cases,
                   service_ticket_that_cannot_be_renewed_is_told_and_serves);
    tcase_add_test(cases, locked_cache_is_waited_for_by_the_fetch_only);
    tcase_add_test(cases, cache_that_was_filled_again_is_copied_again);
    tcase_add_test(cases, fresh_ticket_is_not_renewed);
    tcase_add_test(
        cases, ticket_past_half_its_life_is_renewed_with_its_service_tickets);
    tcase_add_test(cases, silent_kdc_leaves_the_old_tickets_in_use);
    tcase_add_test(cases, silent_kdc_is_named);
    tcase_add_test(cases, expired_ticket_is_got_again_by_the_fetch);
    tcase_add_test(cases, wrong_key_of_the_client_is_named);
    tcase_add_test(cases, environment_is_not_looked_at);
    tcase_add_test(cases, named_cache_is_copied_and_never_written);
    tcase_add_test(cases, default_cache_is_the_ambient_one);
    tcase_add_test(cases, missing_cache_is_named_and_may_come_later);
    tcase_add_test(cases, expired_cache_is_named);
    tcase_add_test(cases, cache_that_changes_hands_is_refused);
    tcase_add_test(cases, refused_ticket_is_got_anew);
    tcase_add_test(cases, refusals_cost_one_ticket_a_minute);
    tcase_add_test(cases, old_ticket_serves_while_its_key_is_in_the_keytab);
    tcase_add_test(cases, vanished_keytab_is_named);
    tcase_add_test(cases, many_who_want_a_ticket_ask_once);
    tcase_add_test(cases, prefetch_waits_for_who_is_asking_already);
    tcase_add_test(cases, ticket_that_is_got_anew_is_there_all_the_time);
    tcase_add_test(cases, steps_go_on_while_tickets_are_renewed);
    tcase_add_test(cases, pool_threads_step_while_tickets_are_renewed);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(make_suite)
