/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The difference between the service connection point that is there and the
 * one that should be, as steps.  An old one goes last, because it cannot come
 * back with its objectGUID.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/publish_parts.h"

/* The single values, in the order in which they are shown. */
struct wanted {
    const char *attribute;
    const char *value;
};

enum {
    WANTED_COUNT = 3
};

static void
fill_wanted(const struct publishing *publishing,
            struct wanted wanted[WANTED_COUNT])
{
    const struct publish_settings *settings = publishing->settings;

    wanted[0] = (struct wanted){"serviceClassName", settings->service_class};
    wanted[1] = (struct wanted){"serviceDNSName", publishing->host};
    wanted[2] = (struct wanted){"serviceDNSNameType",
                                settings->srv ? "SRV" : "A"};
}

static const char *
port_text(const struct publishing *publishing, char text[8])
{
    snprintf(text, 8, "%u", (unsigned)publishing->settings->port);
    return publishing->settings->port != 0 ? text : NULL;
}

static bool
plan_create(struct publishing *publishing, struct error *err)
{
    const struct publish_settings *settings = publishing->settings;
    struct journal *journal = &publishing->journal;
    struct wanted wanted[WANTED_COUNT];
    char digits[8];
    const char *port = port_text(publishing, digits);
    struct step *step = steps_add(
        &publishing->steps, STEP_CREATE, publishing->scp_dn, err,
        "create the service connection point %s (%s:%s)",
        publishing_show(publishing->scp_dn).text, publishing->host,
        port != NULL ? port : "SRV");

    if (step == NULL || !changes_add(&step->apply, CHANGE_ADD, "objectClass",
                                     "serviceConnectionPoint", err))
        return false;
    fill_wanted(publishing, wanted);
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        if (!changes_add(&step->apply, CHANGE_ADD, wanted[i].attribute,
                         wanted[i].value, err))
            return false;
    }
    for (size_t i = 0; i < settings->keyword_count; i++) {
        if (!changes_add(&step->apply, CHANGE_ADD, "keywords",
                         settings->keywords[i], err) ||
            !journal_add(&journal->keywords, settings->keywords[i], err))
            return false;
    }
    if (port != NULL && (!changes_add(&step->apply, CHANGE_ADD,
                                      "serviceBindingInformation", port, err) ||
                         !journal_add(&journal->bindings, port, err)))
        return false;
    journal->scp_created = true;
    journal->has_guid = false;
    return journal_set(&journal->scp_dn, publishing->scp_dn, err);
}

/* An update that is being made: the step, and its words. */
struct update {
    struct step *step; /* NULL until something differs */
    char words[PUBLISH_SHOWN_SIZE];
};

static void
say(struct update *update, const char *attribute, const char *sign,
    const char *value)
{
    size_t length = strlen(update->words);

    snprintf(update->words + length, sizeof update->words - length, "%s%s %s%s",
             length == 0 ? "" : ", ", attribute, sign,
             publishing_show(value).text);
}

/* The step, made when it is first needed. */
static struct step *
update_step(struct publishing *publishing, struct update *update,
            struct error *err)
{
    const char *dn = publishing_scp(publishing)->dn;

    if (update->step == NULL)
        update->step = steps_add(&publishing->steps, STEP_MODIFY, dn, err,
                                 "update the service connection point %s",
                                 publishing_show(dn).text);
    return update->step;
}

static bool
update_single(struct publishing *publishing, struct update *update,
              const struct wanted *wanted, struct error *err)
{
    const struct entry *scp = publishing_scp(publishing);
    const char *now = entry_text(scp, wanted->attribute);

    if (now != NULL && spnvalue_equal(now, wanted->value))
        return true;
    struct step *step = update_step(publishing, update, err);
    if (step == NULL ||
        !changes_add(&step->apply, CHANGE_REPLACE, wanted->attribute,
                     wanted->value, err) ||
        !changes_add(&step->undo, CHANGE_REPLACE, wanted->attribute, now, err))
        return false;
    say(update, wanted->attribute, "", wanted->value);
    return true;
}

static bool
update_value(struct publishing *publishing, struct update *update,
             enum change_kind kind, const char *attribute, const char *value,
             struct error *err)
{
    bool adds = kind == CHANGE_ADD;
    struct step *step = update_step(publishing, update, err);

    if (step == NULL ||
        !changes_add(&step->apply, kind, attribute, value, err) ||
        !changes_add(&step->undo, adds ? CHANGE_DELETE : CHANGE_ADD, attribute,
                     value, err))
        return false;
    say(update, attribute, adds ? "+" : "-", value);
    return true;
}

static bool
in_list(char *const *values, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (spnvalue_equal(values[i], value))
            return true;
    }
    return false;
}

/* Ours come and go; values of others stay. */
static bool
update_values(struct publishing *publishing, struct update *update,
              const char *attribute, char *const *values, size_t count,
              struct journal_texts *ours, struct error *err)
{
    const struct entry *scp = publishing_scp(publishing);

    for (size_t i = 0; i < count; i++) {
        if (!entry_has(scp, attribute, values[i]) &&
            (!update_value(publishing, update, CHANGE_ADD, attribute, values[i],
                           err) ||
             !journal_add(ours, values[i], err)))
            return false;
    }
    for (size_t i = 0; i < ours->count; i++) {
        if (!in_list(values, count, ours->items[i]) &&
            entry_has(scp, attribute, ours->items[i]) &&
            !update_value(publishing, update, CHANGE_DELETE, attribute,
                          ours->items[i], err))
            return false;
    }
    return true;
}

static bool
plan_update(struct publishing *publishing, struct error *err)
{
    const struct publish_settings *settings = publishing->settings;
    struct journal *journal = &publishing->journal;
    const struct entry *scp = publishing_scp(publishing);
    struct update update = {.step = NULL};
    struct wanted wanted[WANTED_COUNT];
    char digits[8];
    char *port = (char *)port_text(publishing, digits);
    char *words = NULL;

    fill_wanted(publishing, wanted);
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        if (!update_single(publishing, &update, &wanted[i], err))
            return false;
    }
    if (!update_values(publishing, &update, "keywords", settings->keywords,
                       settings->keyword_count, &journal->keywords, err) ||
        !update_values(publishing, &update, "serviceBindingInformation", &port,
                       port != NULL, &journal->bindings, err))
        return false;
    journal->has_guid = publishing_read_guid(scp, &journal->guid);
    if (!journal_set(&journal->scp_dn, scp->dn, err))
        return false;
    if (update.step == NULL)
        return true;
    if (asprintf(&words, "%s: %s", update.step->deed, update.words) < 0) {
        error_set(err, "cannot prepare a change: out of memory");
        return false;
    }
    free(update.step->deed);
    update.step->deed = words;
    return true;
}

/* To take its removal back: what can be written of it. */
static bool
keep_attributes(const struct entry *scp, struct changes *undo,
                struct error *err)
{
    static const char *const kept[] = {"keywords", "serviceClassName",
                                       "serviceDNSName", "serviceDNSNameType",
                                       "serviceBindingInformation"};

    if (!changes_add(undo, CHANGE_ADD, "objectClass", "serviceConnectionPoint",
                     err))
        return false;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const struct attribute *attribute = entry_attribute(scp, kept[i]);
        for (size_t j = 0; attribute != NULL && j < attribute->count; j++) {
            if (!changes_add(undo, CHANGE_ADD, kept[i],
                             attribute->values[j].bytes, err))
                return false;
        }
    }
    return true;
}

static bool
plan_remove(struct publishing *publishing, struct error *err)
{
    const struct entry *scp = publishing_scp(publishing);
    struct step *step = steps_add(&publishing->steps, STEP_REMOVE, scp->dn, err,
                                  "delete the service connection point %s",
                                  publishing_show(scp->dn).text);

    return step != NULL && keep_attributes(scp, &step->undo, err);
}

/* It has another name now: a new one, and the old one goes if it was ours. */
static bool
plan_rename(struct publishing *publishing, struct error *err)
{
    bool ours = publishing->journal.scp_created;

    if (!plan_create(publishing, err))
        return false;
    if (ours)
        return plan_remove(publishing, err);
    publishing_tell(publishing, PUBLISH_WARNING,
                    "%s stays: kerbwrap did not create it",
                    publishing_show(publishing_scp(publishing)->dn).text);
    return true;
}

bool
plan_scp(struct publishing *publishing, struct error *err)
{
    if (publishing_scp(publishing) == NULL)
        return plan_create(publishing, err);
    return publishing_scp_fits(publishing) ? plan_update(publishing, err)
                                           : plan_rename(publishing, err);
}

/* What we put into an SCP of somebody else. */
static bool
plan_withdraw(struct publishing *publishing, struct error *err)
{
    struct journal *journal = &publishing->journal;
    struct update update = {.step = NULL};

    publishing_tell(publishing, PUBLISH_WARNING,
                    "%s stays without our values: kerbwrap did not create it; "
                    "--force deletes it",
                    publishing_show(publishing_scp(publishing)->dn).text);
    return update_values(publishing, &update, "keywords", NULL, 0,
                         &journal->keywords, err) &&
           update_values(publishing, &update, "serviceBindingInformation", NULL,
                         0, &journal->bindings, err);
}

bool
plan_no_scp(struct publishing *publishing, struct error *err)
{
    bool force = (publishing->settings->flags & PUBLISH_FORCE) != 0;

    if (publishing_scp(publishing) == NULL)
        return true;
    return publishing->journal.scp_created || force
               ? plan_remove(publishing, err)
               : plan_withdraw(publishing, err);
}
