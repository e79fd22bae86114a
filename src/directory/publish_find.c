/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which computer, which account, which object: by what the configuration says,
 * else by what the keytab and this machine say of themselves.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "directory/dn.h"
#include "directory/filter.h"
#include "directory/publish_parts.h"

static const char *const scp_all[] = {
    "objectClass",
    "cn",
    "keywords",
    "serviceClassName",
    "serviceDNSName",
    "serviceDNSNameType",
    "objectGUID",
    "serviceBindingInformation",
    NULL,
};

static bool
is_computer_name(const char *account)
{
    size_t length = strlen(account);

    return length > 1 && account[length - 1] == '$';
}

/* The names that the computer may have, the surest first. */
static enum directory_status
find_computer(struct publishing *publishing, struct error *err)
{
    const struct publish_settings *settings = publishing->settings;
    const char *named = is_computer_name(settings->account) ? settings->account
                                                            : settings->machine;
    const char *host = *settings->dns_name != '\0' && !settings->srv
                           ? settings->dns_name
                           : settings->this_host;
    enum directory_status status = DIRECTORY_REFUSED;

    if (*named != '\0')
        status = account_find(publishing->registry, named,
                              &publishing->computer, err);
    if (status == DIRECTORY_REFUSED && named != settings->account)
        status = account_of_host(publishing->registry, host,
                                 &publishing->computer, err);
    if (status == DIRECTORY_REFUSED)
        error_prefix(err,
                     "cannot find the computer object to publish below (set "
                     "`account` to its name, as in WEB1$, or `dns_name`)");
    return status;
}

enum directory_status
publishing_find_accounts(struct publishing *publishing, struct error *err)
{
    const char *account = publishing->settings->account;
    const char *former = publishing->journal.account;
    struct error gone;
    enum directory_status status = find_computer(publishing, err);

    if (status != DIRECTORY_ANSWERED)
        return status;
    if (*account == '\0')
        account = publishing->computer.dn;
    status = account_find(publishing->registry, account, &publishing->holder,
                          err);
    if (status != DIRECTORY_ANSWERED || former == NULL ||
        strcasecmp(former, publishing->holder.name) == 0)
        return status;
    /* An account that is gone has taken its names with it. */
    status = account_find(publishing->registry, former, &publishing->former,
                          &gone);
    if (status == DIRECTORY_LOST)
        *err = gone;
    return status == DIRECTORY_REFUSED ? DIRECTORY_ANSWERED : status;
}

static bool
compose_spns(struct publishing *publishing, struct error *err)
{
    const struct publish_settings *settings = publishing->settings;
    const struct spn_composition composition = {
        .type = SPN_DNS_HOST,
        .service_class = settings->service_class,
        .this_host = publishing->spn_host,
    };

    publishing->spns = calloc(settings->spn_count + 1,
                              sizeof *publishing->spns);
    if (publishing->spns == NULL || settings->spn_count > PUBLISH_SPNS_MAX) {
        error_set(err, "cannot compose SPNs: there are too many");
        return false;
    }
    if (settings->spn_count == 0)
        return spnvalue_compose(&composition, publishing->spns,
                                &publishing->spn_count, err);
    for (size_t i = 0; i < settings->spn_count; i++) {
        if (!spnvalue_from_text(settings->spns[i], publishing->spns[i], err))
            return false;
        publishing->spn_count++;
    }
    return true;
}

bool
publishing_name(struct publishing *publishing, struct error *err)
{
    const struct publish_settings *settings = publishing->settings;
    const char *known = publishing->computer.dns_host_name;
    const char *host = known != NULL ? known : settings->this_host;
    bool own = *settings->dns_name == '\0';
    char cn[768];

    snprintf(publishing->host, sizeof publishing->host, "%s",
             own ? host : settings->dns_name);
    snprintf(publishing->spn_host, sizeof publishing->spn_host, "%s",
             own || settings->srv ? host : settings->dns_name);
    if (dn_escape(settings->scp_name, strlen(settings->scp_name), cn,
                  sizeof cn) >= sizeof cn ||
        asprintf(&publishing->scp_dn, "CN=%s,%s", cn, publishing->computer.dn) <
            0) {
        publishing->scp_dn = NULL;
        error_set(err, "cannot name the service connection point: `scp_name` "
                       "is too long, or out of memory");
        return false;
    }
    return compose_spns(publishing, err);
}

bool
publishing_read_guid(const struct entry *entry, struct guid *guid_out)
{
    const struct attribute *guid = entry_attribute(entry, "objectGUID");

    if (guid == NULL || guid->count != 1 || guid->values[0].length != GUID_SIZE)
        return false;
    memcpy(guid_out->octets, guid->values[0].bytes, GUID_SIZE);
    return true;
}

const struct entry *
publishing_scp(const struct publishing *publishing)
{
    return publishing->found.count == 1 ? publishing->found.entries : NULL;
}

static enum directory_status
find_by_guid(struct publishing *publishing, struct error *err)
{
    const struct guid *guid = &publishing->journal.guid;
    char *filter = filter_equal("objectGUID", guid->octets, GUID_SIZE, err);
    const struct search search = {
        .base = registry_base(publishing->registry),
        .scope = SEARCH_SUBTREE,
        .filter = filter,
        .attributes = scp_all,
    };

    if (filter == NULL)
        return DIRECTORY_REFUSED;
    enum directory_status status = registry_search(
        publishing->registry, &search, &publishing->found, err);
    free(filter);
    return status;
}

static enum directory_status
find_by_dn(struct publishing *publishing, const char *dn, struct error *err)
{
    const struct search search = {
        .base = dn,
        .scope = SEARCH_BASE,
        .filter = "(objectClass=*)",
        .attributes = scp_all,
    };

    return registry_search(publishing->registry, &search, &publishing->found,
                           err);
}

/* By what moves with it, by where it was, by where it should be. */
enum directory_status
publishing_find_scp(struct publishing *publishing, struct error *err)
{
    const struct journal *journal = &publishing->journal;
    enum directory_status status = DIRECTORY_ANSWERED;

    entry_list_clear(&publishing->found);
    if (journal->has_guid)
        status = find_by_guid(publishing, err);
    if (status == DIRECTORY_ANSWERED && publishing->found.count == 0 &&
        journal->scp_dn != NULL && !journal->has_guid)
        status = find_by_dn(publishing, journal->scp_dn, err);
    if (status == DIRECTORY_ANSWERED && publishing->found.count == 0)
        status = find_by_dn(publishing, publishing->scp_dn, err);
    const struct entry *scp = publishing_scp(publishing);
    if (status != DIRECTORY_ANSWERED || scp == NULL ||
        entry_has(scp, "objectClass", "serviceConnectionPoint"))
        return status;
    error_set(err,
              "cannot publish as %s: there is an object of another kind; "
              "choose another `scp_name`",
              publishing->scp_dn);
    return DIRECTORY_REFUSED;
}

bool
publishing_scp_fits(const struct publishing *publishing)
{
    const struct entry *scp = publishing_scp(publishing);
    assert(scp != NULL);
    char *wanted = dn_canonical(publishing->scp_dn, NULL);
    char *found = dn_canonical(scp->dn, NULL);
    bool same = wanted != NULL && found != NULL && strcmp(wanted, found) == 0;

    free(wanted);
    free(found);
    return same || entry_has(scp, "cn", publishing->settings->scp_name);
}
