/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounts as the directory tells of them.  An account is known by its
 * canonical DN: the same one may be found on several servers.
 */
#include "directory/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/dn.h"
#include "directory/filter.h"

enum {
    SHOWN_SIZE = 300
};

static const char *const account_attributes[] = {"sAMAccountName",
                                                 "dNSHostName", "objectClass",
                                                 "msDS-KeyVersionNumber", NULL};

static enum directory_status
out_of_memory(struct error *err)
{
    error_set(err, "cannot read an account: out of memory");
    return DIRECTORY_REFUSED;
}

void
account_clear(struct account *account)
{
    free(account->dn);
    free(account->canonical);
    free(account->name);
    free(account->dns_host_name);
    *account = (struct account){.dn = NULL};
}

static enum directory_status
account_take(const struct entry *entry, struct account *account_out,
             struct error *err)
{
    const char *name = entry_text(entry, "sAMAccountName");
    const char *host = entry_text(entry, "dNSHostName");
    const char *kvno = entry_text(entry, "msDS-KeyVersionNumber");
    uint64_t number = 0;
    struct account account = {
        .dn = strdup(entry->dn),
        .canonical = dn_canonical(entry->dn, NULL),
        .name = strdup(name != NULL ? name : entry->dn),
        .dns_host_name = host != NULL ? strdup(host) : NULL,
        .computer = entry_has(entry, "objectClass", "computer"),
    };

    if (kvno != NULL && number_parse(kvno, 0, UINT32_MAX, &number, NULL))
        account.kvno = (uint32_t)number;
    if (account.dn == NULL || account.canonical == NULL ||
        account.name == NULL ||
        (host != NULL && account.dns_host_name == NULL)) {
        account_clear(&account);
        return out_of_memory(err);
    }
    *account_out = account;
    return DIRECTORY_ANSWERED;
}

/* The one entry that search finds; what is how it was called, for the words. */
static enum directory_status
find_one(struct registry *registry, const struct search *search,
         const char *what, struct account *account_out, size_t *count_out,
         struct error *err)
{
    struct entry_list list = {.count = 0};
    char shown[SHOWN_SIZE];
    enum directory_status status = registry_search(registry, search, &list,
                                                   err);

    text_sanitize(what, strlen(what), shown, sizeof shown);
    *count_out = list.count;
    if (status == DIRECTORY_ANSWERED && list.count == 1) {
        status = account_take(&list.entries[0], account_out, err);
    } else if (status == DIRECTORY_ANSWERED) {
        error_set(err,
                  list.count == 0
                      ? "cannot find the account %s in %s"
                      : "cannot tell which account is meant by %s in %s: "
                        "there are several",
                  shown, registry_base(registry));
        status = DIRECTORY_REFUSED;
    }
    entry_list_clear(&list);
    return status;
}

/* Below the whole domain, the one object of which attribute is value. */
static enum directory_status
find_by(struct registry *registry, const char *attribute, const char *value,
        struct account *account_out, size_t *count_out, struct error *err)
{
    char *filter = filter_equal(attribute, value, strlen(value), err);
    const struct search search = {
        .base = registry_base(registry),
        .scope = SEARCH_SUBTREE,
        .filter = filter,
        .attributes = account_attributes,
    };

    *count_out = 0;
    if (filter == NULL)
        return DIRECTORY_REFUSED;
    enum directory_status status = find_one(registry, &search, value,
                                            account_out, count_out, err);
    free(filter);
    return status;
}

enum directory_status
account_find(struct registry *registry, const char *name,
             struct account *account_out, struct error *err)
{
    char computer[SHOWN_SIZE];
    size_t count;

    if (strchr(name, '=') != NULL) {
        const struct search search = {
            .base = name,
            .scope = SEARCH_BASE,
            .filter = "(objectClass=*)",
            .attributes = account_attributes,
        };
        return find_one(registry, &search, name, account_out, &count, err);
    }
    enum directory_status status = find_by(registry, "sAMAccountName", name,
                                           account_out, &count, err);
    size_t length = strlen(name);
    if (status != DIRECTORY_REFUSED || count != 0 || length == 0 ||
        name[length - 1] == '$' || length + 2 > sizeof computer)
        return status;
    struct error other;
    snprintf(computer, sizeof computer, "%s$", name);
    enum directory_status second = find_by(registry, "sAMAccountName", computer,
                                           account_out, &count, &other);
    return second == DIRECTORY_ANSWERED ? second : status;
}

enum directory_status
account_of_host(struct registry *registry, const char *host,
                struct account *account_out, struct error *err)
{
    size_t count;

    return find_by(registry, "dNSHostName", host, account_out, &count, err);
}

static bool
holders_have(const struct holders *holders, const char *canonical)
{
    for (size_t i = 0; i < holders->count; i++) {
        if (strcmp(holders->items[i].canonical, canonical) == 0)
            return true;
    }
    return false;
}

static enum directory_status
holders_take(struct holders *holders, const struct entry *entry,
             struct error *err)
{
    struct account account = {.dn = NULL};
    enum directory_status status = account_take(entry, &account, err);

    if (status != DIRECTORY_ANSWERED)
        return status;
    if (holders_have(holders, account.canonical)) {
        account_clear(&account);
        return DIRECTORY_ANSWERED;
    }
    struct account *larger = realloc(holders->items,
                                     (holders->count + 1) * sizeof *larger);
    if (larger == NULL) {
        account_clear(&account);
        return out_of_memory(err);
    }
    holders->items = larger;
    larger[holders->count++] = account;
    return DIRECTORY_ANSWERED;
}

enum directory_status
holders_find(struct registry *registry, const char *value,
             struct holders *holders_out, struct error *err)
{
    static const char *const attributes[] = {"sAMAccountName", NULL};
    struct holders holders = {.count = 0};
    struct entry_list list = {.count = 0};
    char *filter = filter_equal("servicePrincipalName", value, strlen(value),
                                err);

    if (filter == NULL)
        return DIRECTORY_REFUSED;
    enum directory_status status = registry_search_all(registry, filter,
                                                       attributes, &list, err);
    for (size_t i = 0; i < list.count && status == DIRECTORY_ANSWERED; i++)
        status = holders_take(&holders, &list.entries[i], err);
    entry_list_clear(&list);
    free(filter);
    if (status == DIRECTORY_ANSWERED)
        *holders_out = holders;
    else
        holders_clear(&holders);
    return status;
}

void
holders_clear(struct holders *holders)
{
    for (size_t i = 0; i < holders->count; i++)
        account_clear(&holders->items[i]);
    free(holders->items);
    *holders = (struct holders){.count = 0};
}

enum directory_status
account_holds(struct registry *registry, const struct account *account,
              const char *value, enum spn_verdict *verdict_out,
              struct error *why)
{
    struct holders holders;
    char shown[SHOWN_SIZE];
    enum directory_status status = holders_find(registry, value, &holders, why);

    if (status != DIRECTORY_ANSWERED)
        return status;
    *verdict_out = holders.count == 0 ? SPN_MISSING : SPN_HELD;
    if (holders.count == 0)
        error_set(why, "the SPN %s is not registered on any account", value);
    for (size_t i = 0; i < holders.count; i++) {
        const struct account *holder = &holders.items[i];
        if (strcmp(holder->canonical, account->canonical) == 0)
            continue;
        *verdict_out = SPN_ELSEWHERE;
        error_set(
            why,
            "the SPN %s is registered on another account, %s: nobody "
            "can authenticate by a name of two accounts; delete it "
            "there first",
            value,
            text_sanitize(holder->dn, strlen(holder->dn), shown, sizeof shown));
    }
    holders_clear(&holders);
    return status;
}
