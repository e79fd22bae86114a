/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules by which a service connection point is believed.  What the directory
 * says is compared with what the operator wrote, never the other way round.
 */
#include "directory/judge.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "directory/dn.h"

enum {
    SHOWN_SIZE = 300
};

bool
judge_class(const struct judge_rules *rules, const struct scp *scp,
            struct error *err)
{
    char shown[SHOWN_SIZE];

    if (strcasecmp(rules->service_class, scp->service_class) == 0)
        return true;
    error_set(err, "its class is '%s', not '%s'",
              text_sanitize(scp->service_class, strlen(scp->service_class),
                            shown, sizeof shown),
              rules->service_class);
    return false;
}

static bool
is_allowed_host(const struct judge_rules *rules, const char *host)
{
    for (size_t i = 0; i < rules->allow_host_count; i++) {
        if (host_matches(rules->allow_host[i], host))
            return true;
    }
    return false;
}

/* The anchors that lie in the name of the SCP: whoever could write there, the
 * operator trusts them. */
static enum judge_anchor
anchor_of_place(const struct judge_rules *rules, const struct scp *scp)
{
    if (rules->scp_guid != NULL && scp->has_guid &&
        guid_equal(rules->scp_guid, &scp->guid))
        return ANCHOR_SCP;
    if (rules->scp_dn != NULL && strcmp(rules->scp_dn, scp->canonical) == 0)
        return ANCHOR_SCP;
    if (rules->scp_base != NULL && dn_is_below(scp->canonical, rules->scp_base))
        return ANCHOR_SCP_BASE;
    return ANCHOR_NONE;
}

/* The targets of an SRV name are all judged by allow_host later: until then it
 * holds when there is one. */
static bool
anchored_by_host(const struct judge_rules *rules, const struct scp *scp)
{
    if (scp->type == SCP_TYPE_SRV)
        return rules->allow_host_count != 0;
    return is_allowed_host(rules, scp->dns_name);
}

bool
judge_needs_group(const struct judge_rules *rules, const struct scp *scp)
{
    return rules->allow_group != NULL &&
           anchor_of_place(rules, scp) == ANCHOR_NONE &&
           !anchored_by_host(rules, scp);
}

/* A computer may speak for itself only. */
static bool
computer_is_host(const struct scp *scp, const struct judge_parent *parent,
                 struct error *err)
{
    char shown[SHOWN_SIZE];

    if (scp->type == SCP_TYPE_SRV)
        return true;
    if (parent->dns_host_name == NULL) {
        error_set(err, "its parent computer has no dNSHostName");
        return false;
    }
    if (host_equal(parent->dns_host_name, scp->dns_name))
        return true;
    error_set(
        err, "its host is %s, but its parent computer is '%s'", scp->dns_name,
        text_sanitize(parent->dns_host_name, strlen(parent->dns_host_name),
                      shown, sizeof shown));
    return false;
}

/* Names the anchors that were configured and did not hold. */
static void
explain_no_anchor(const struct judge_rules *rules, const struct scp *scp,
                  struct error *err)
{
    struct error hosts = {.text = ""}, group = {.text = ""},
                 base = {.text = ""};

    if (rules->allow_host_count != 0)
        error_set(&hosts, ", %s is not in allow_host", scp->dns_name);
    if (rules->allow_group != NULL)
        error_set(&group, ", its computer is not in allow_group");
    if (rules->scp_base != NULL)
        error_set(&base, ", it is not below scp_base");
    error_set(err, "nothing vouches for it%s%s%s", hosts.text, group.text,
              base.text);
}

bool
judge_scp(const struct judge_rules *rules, const struct scp *scp,
          const struct judge_parent *parent, enum judge_anchor *anchor_out,
          struct error *err)
{
    enum judge_anchor anchor = anchor_of_place(rules, scp);

    if (parent->is_computer) {
        if (!computer_is_host(scp, parent, err))
            return false;
        if (anchor == ANCHOR_NONE && anchored_by_host(rules, scp))
            anchor = ANCHOR_HOST;
        if (anchor == ANCHOR_NONE && rules->allow_group != NULL &&
            parent->in_group)
            anchor = ANCHOR_GROUP;
    } else if (anchor == ANCHOR_NONE) {
        error_set(err, "its parent is not a computer: only scp or scp_base "
                       "can vouch for it");
        return false;
    }
    if (anchor == ANCHOR_NONE) {
        explain_no_anchor(rules, scp, err);
        return false;
    }
    *anchor_out = anchor;
    return true;
}

bool
judge_target(const struct judge_rules *rules, const char *host,
             struct error *err)
{
    if (is_allowed_host(rules, host))
        return true;
    if (rules->allow_host_count == 0) {
        error_set(err,
                  "%s is the target of an SRV record: name it in "
                  "allow_host to admit it",
                  host);
    } else {
        error_set(err, "the target %s of its SRV record is not in allow_host",
                  host);
    }
    return false;
}

const char *
judge_anchor_name(enum judge_anchor anchor)
{
    switch (anchor) {
    case ANCHOR_NONE:
        return "nothing";
    case ANCHOR_SCP:
        return "scp";
    case ANCHOR_SCP_BASE:
        return "scp_base";
    case ANCHOR_HOST:
        return "allow_host";
    case ANCHOR_GROUP:
        return "allow_group";
    }
    return "nothing";
}
