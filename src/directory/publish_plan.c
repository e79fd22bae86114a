/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The difference between the names that are registered and those that should
 * be, as steps.  Names go from old accounts first, because one may stand on one
 * account only.
 */
#include <string.h>

#include "directory/publish_parts.h"

static const char spn_attribute[] = "servicePrincipalName";

/* One way and back: kind is CHANGE_ADD or CHANGE_DELETE. */
static bool
plan_spn(struct publishing *publishing, enum change_kind kind,
         const struct account *account, const char *value, struct error *err)
{
    bool adds = kind == CHANGE_ADD;
    struct step *step = steps_add(
        &publishing->steps, STEP_MODIFY, account->dn, err,
        "%s the SPN %s %s %s", adds ? "register" : "delete",
        publishing_show(value).text, adds ? "on" : "from",
        publishing_show(account->name).text);

    if (step == NULL ||
        !changes_add(&step->apply, kind, spn_attribute, value, err) ||
        !changes_add(&step->undo, adds ? CHANGE_DELETE : CHANGE_ADD,
                     spn_attribute, value, err))
        return false;
    step->spn = strdup(value);
    return true;
}

static bool
is_wanted(const struct publishing *publishing, const char *value)
{
    for (size_t i = 0; i < publishing->spn_count; i++) {
        if (spnvalue_equal(publishing->spns[i], value))
            return true;
    }
    return false;
}

/* What is ours and not wanted any more, or not there. */
static bool
plan_old_spns(struct publishing *publishing, struct error *err)
{
    const struct journal_texts *ours = &publishing->journal.spns;
    bool moved = publishing->former.dn != NULL;
    const struct account *account = moved ? &publishing->former
                                          : &publishing->holder;

    for (size_t i = 0; i < ours->count; i++) {
        if ((moved || !is_wanted(publishing, ours->items[i])) &&
            !plan_spn(publishing, CHANGE_DELETE, account, ours->items[i], err))
            return false;
    }
    return true;
}

/* Who holds value, but the account we shall take it from: is it ours alone? */
static enum directory_status
judge_holders(struct publishing *publishing, const char *value, bool *held_out,
              struct error *err)
{
    const char *former = publishing->former.canonical;
    struct holders holders;
    enum directory_status status = holders_find(publishing->registry, value,
                                                &holders, err);

    if (status != DIRECTORY_ANSWERED)
        return status;
    *held_out = false;
    for (size_t i = 0; i < holders.count; i++) {
        const struct account *other = &holders.items[i];
        if (strcmp(other->canonical, publishing->holder.canonical) == 0) {
            *held_out = true;
        } else if (former == NULL || strcmp(other->canonical, former) != 0 ||
                   !journal_has(&publishing->journal.spns, value)) {
            error_set(err,
                      "cannot register the SPN %s on %s: it is registered on "
                      "%s already, and nobody can authenticate by a name of "
                      "two accounts; delete it there first",
                      publishing_show(value).text, publishing->holder.name,
                      publishing_show(other->dn).text);
            status = DIRECTORY_REFUSED;
        }
    }
    holders_clear(&holders);
    return status;
}

static enum directory_status
plan_spns(struct publishing *publishing, struct error *err)
{
    struct journal_texts *ours = &publishing->journal.spns;

    if (!plan_old_spns(publishing, err))
        return DIRECTORY_REFUSED;
    for (size_t i = 0; i < publishing->spn_count; i++) {
        const char *value = publishing->spns[i];
        bool held;
        enum directory_status status = judge_holders(publishing, value, &held,
                                                     err);
        if (status != DIRECTORY_ANSWERED)
            return status;
        if (!held && (!plan_spn(publishing, CHANGE_ADD, &publishing->holder,
                                value, err) ||
                      !journal_add(ours, value, err)))
            return DIRECTORY_REFUSED;
    }
    return DIRECTORY_ANSWERED;
}

enum directory_status
plan_publish(struct publishing *publishing, struct error *err)
{
    bool spns = (publishing->settings->flags & PUBLISH_SCP_ONLY) == 0;
    enum directory_status status = spns ? plan_spns(publishing, err)
                                        : DIRECTORY_ANSWERED;

    if (status != DIRECTORY_ANSWERED)
        return status;
    bool sound = plan_scp(publishing, err);
    if (spns && sound)
        sound = journal_set(&publishing->journal.account,
                            publishing->holder.name, err);
    return sound ? DIRECTORY_ANSWERED : DIRECTORY_REFUSED;
}

/* With force also names that were there before us. */
static enum directory_status
plan_forced_spns(struct publishing *publishing, struct error *err)
{
    for (size_t i = 0; i < publishing->spn_count; i++) {
        const char *value = publishing->spns[i];
        enum spn_verdict verdict;
        struct error why;
        if (journal_has(&publishing->journal.spns, value))
            continue;
        enum directory_status status = account_holds(
            publishing->registry, &publishing->holder, value, &verdict, &why);
        if (status != DIRECTORY_ANSWERED) {
            *err = why;
            return status;
        }
        if (verdict == SPN_HELD && !plan_spn(publishing, CHANGE_DELETE,
                                             &publishing->holder, value, err))
            return DIRECTORY_REFUSED;
    }
    return DIRECTORY_ANSWERED;
}

enum directory_status
plan_unpublish(struct publishing *publishing, struct error *err)
{
    const struct journal_texts *ours = &publishing->journal.spns;
    bool force = (publishing->settings->flags & PUBLISH_FORCE) != 0;
    const struct account *account = publishing->former.dn != NULL
                                        ? &publishing->former
                                        : &publishing->holder;
    enum directory_status status = DIRECTORY_ANSWERED;
    bool sound = true;

    for (size_t i = 0; i < ours->count && sound; i++)
        sound = plan_spn(publishing, CHANGE_DELETE, account, ours->items[i],
                         err);
    if (sound && force)
        status = plan_forced_spns(publishing, err);
    if (!sound || status != DIRECTORY_ANSWERED)
        return sound ? status : DIRECTORY_REFUSED;
    return plan_no_scp(publishing, err) ? DIRECTORY_ANSWERED
                                        : DIRECTORY_REFUSED;
}
