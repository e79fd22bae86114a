/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes after what: the lock, the journal, the directory as it is, the
 * plan, the journal of what will be ours, the steps, the journal of what is.
 */
#include "directory/publish.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "directory/publish_parts.h"

enum {
    NEWS_SIZE = 2048
};

struct publish_shown
publishing_show(const char *text)
{
    struct publish_shown shown = {0};

    text_sanitize(text, strlen(text), shown.text, sizeof shown.text);
    return shown;
}

void
publishing_tell(const struct publishing *publishing, enum publish_news news,
                const char *format, ...)
{
    char text[NEWS_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    publishing->settings->tell(news, text, publishing->settings->arg);
}

static bool
is_flagged(const struct publishing *publishing, enum publish_flags flag)
{
    return (publishing->settings->flags & (unsigned)flag) != 0;
}

static enum publish_status
status_of(enum directory_status status)
{
    return status == DIRECTORY_ANSWERED ? PUBLISH_DONE
           : status == DIRECTORY_LOST   ? PUBLISH_SILENT
                                        : PUBLISH_FAILED;
}

void
publishing_clear(struct publishing *publishing)
{
    registry_close(publishing->registry);
    account_clear(&publishing->computer);
    account_clear(&publishing->holder);
    account_clear(&publishing->former);
    entry_list_clear(&publishing->found);
    journal_clear(&publishing->journal);
    steps_clear(&publishing->steps);
    free(publishing->scp_dn);
    free(publishing->spns);
}

enum directory_status
publishing_prepare(struct publishing *publishing, struct error *err)
{
    enum directory_status status = registry_open(
        &publishing->settings->registry, &publishing->registry, err);

    if (status == DIRECTORY_ANSWERED)
        status = publishing_find_accounts(publishing, err);
    if (status == DIRECTORY_ANSWERED && !publishing_name(publishing, err))
        status = DIRECTORY_REFUSED;
    return status;
}

static void
tell_gaps(const struct publishing *publishing)
{
    const char *gap;

    for (size_t i = 0; (gap = registry_gap(publishing->registry, i)) != NULL;
         i++)
        publishing_tell(publishing, PUBLISH_WARNING,
                        "not everything was looked at: %s", gap);
}

/* --- carrying out ------------------------------------------------------- */

static void
on_done(const struct step *step, void *arg)
{
    publishing_tell(arg, PUBLISH_STEP, "%s", step->deed);
}

static void
on_undone(const struct step *step, void *arg)
{
    publishing_tell(arg, PUBLISH_UNDONE, "%s", step->deed);
}

static void
on_kept(const struct step *step, const struct error *why, void *arg)
{
    publishing_tell(arg, PUBLISH_WARNING, "cannot take back: %s: %s",
                    step->deed, why->text);
}

/* Only what is still wanted stays ours. */
static void
keep_wanted(struct journal_texts *ours, char *const *wanted, size_t count)
{
    for (size_t i = ours->count; i-- > 0;) {
        bool found = false;
        for (size_t j = 0; j < count && !found; j++)
            found = spnvalue_equal(ours->items[i], wanted[j]);
        if (!found)
            journal_drop(ours, ours->items[i]);
    }
}

static void
settle_publish(struct publishing *publishing)
{
    const struct publish_settings *settings = publishing->settings;
    struct journal *journal = &publishing->journal;
    char *wanted[PUBLISH_SPNS_MAX + 1];
    char digits[8];
    char *port = digits;

    snprintf(digits, sizeof digits, "%u", (unsigned)settings->port);
    for (size_t i = 0; i < publishing->spn_count; i++)
        wanted[i] = publishing->spns[i];
    if (!is_flagged(publishing, PUBLISH_SCP_ONLY))
        keep_wanted(&journal->spns, wanted, publishing->spn_count);
    keep_wanted(&journal->keywords, settings->keywords,
                settings->keyword_count);
    keep_wanted(&journal->bindings, &port, settings->port != 0);
}

static void
settle_unpublish(struct publishing *publishing)
{
    journal_clear(&publishing->journal);
}

/* The objectGUID of an SCP that was just made. */
static void
learn_guid(struct publishing *publishing)
{
    struct journal *journal = &publishing->journal;
    struct error err;

    if (journal->has_guid)
        return;
    if (publishing_find_scp(publishing, &err) == DIRECTORY_ANSWERED &&
        publishing_scp(publishing) != NULL)
        journal->has_guid = publishing_read_guid(publishing_scp(publishing),
                                                 &journal->guid);
    if (!journal->has_guid)
        publishing_tell(publishing, PUBLISH_WARNING,
                        "%s has no objectGUID here: it is known by its name",
                        publishing_show(journal->scp_dn).text);
}

/* What became of the steps before the one that failed. */
static void
explain_failure(struct publishing *publishing, enum transaction_status outcome,
                const struct step *failed, enum write_status status,
                struct error *err)
{
    advise(publishing, failed, status, err);
    error_prefix(err, "cannot %s", failed->deed);
    size_t length = strlen(err->text);
    snprintf(err->text + length, sizeof err->text - length, "; %s",
             outcome == TRANSACTION_UNDONE
                 ? "nothing is changed"
                 : "some changes could not be taken back: run the command "
                   "again");
}

/* The file as it was before, once all is as it was before. */
static void
restore_journal(struct publishing *publishing, const struct journal *before)
{
    struct error why;

    if (!journal_save(publishing->settings->journal, before, &why))
        publishing_tell(publishing, PUBLISH_WARNING, "%s", why.text);
}

typedef void settle(struct publishing *publishing);

static enum publish_status
carry_out(struct publishing *publishing, const struct journal *before,
          settle *on_success, struct error *err)
{
    const char *path = publishing->settings->journal;
    const struct transaction_events events = {on_done, on_undone, on_kept,
                                              publishing};
    const struct step *failed;
    enum write_status status;

    publishing->journal.under_way = true;
    if (!journal_save(path, &publishing->journal, err))
        return PUBLISH_FAILED;
    enum transaction_status outcome = transaction_run(
        publishing->registry, &publishing->steps, &events, &failed, &status,
        err);
    if (outcome != TRANSACTION_DONE) {
        explain_failure(publishing, outcome, failed, status, err);
        if (outcome == TRANSACTION_UNDONE)
            restore_journal(publishing, before);
        return status == WRITE_LOST ? PUBLISH_SILENT : PUBLISH_FAILED;
    }
    on_success(publishing);
    publishing->journal.under_way = false;
    if (publishing->journal.scp_dn != NULL)
        learn_guid(publishing);
    return journal_save(path, &publishing->journal, err) ? PUBLISH_DONE
                                                         : PUBLISH_FAILED;
}

static enum publish_status
tell_plan(const struct publishing *publishing)
{
    for (size_t i = 0; i < publishing->steps.count; i++)
        publishing_tell(publishing, PUBLISH_STEP, "%s",
                        publishing->steps.items[i].deed);
    return PUBLISH_DONE;
}

/* --- the two deeds ------------------------------------------------------ */

static void
tell_published(const struct publishing *publishing)
{
    const struct journal *journal = &publishing->journal;
    char guid[GUID_TEXT_SIZE] = "none";

    if (journal->has_guid)
        guid_format(&journal->guid, guid);
    publishing_tell(publishing, PUBLISH_RESULT, "SCP  %s (objectGUID %s)",
                    publishing_show(journal->scp_dn).text, guid);
    if (is_flagged(publishing, PUBLISH_SCP_ONLY))
        return;
    for (size_t i = 0; i < publishing->spn_count; i++)
        publishing_tell(publishing, PUBLISH_RESULT, "SPN  %s on %s",
                        publishing_show(publishing->spns[i]).text,
                        publishing_show(publishing->holder.name).text);
}

static enum publish_status
publish_locked(struct publishing *publishing, const struct journal *before,
               struct error *err)
{
    enum directory_status status = publishing_prepare(publishing, err);

    if (status == DIRECTORY_ANSWERED)
        status = publishing_find_scp(publishing, err);
    if (status == DIRECTORY_ANSWERED)
        status = plan_publish(publishing, err);
    if (status != DIRECTORY_ANSWERED)
        return status_of(status);
    tell_gaps(publishing);
    if (is_flagged(publishing, PUBLISH_DRY_RUN))
        return tell_plan(publishing);
    enum publish_status outcome = carry_out(publishing, before, settle_publish,
                                            err);
    if (outcome == PUBLISH_DONE)
        tell_published(publishing);
    return outcome;
}

static bool
is_ours_or_forced(const struct publishing *publishing, struct error *err)
{
    const struct journal *journal = &publishing->journal;

    if (journal->scp_dn != NULL || journal->spns.count != 0 ||
        is_flagged(publishing, PUBLISH_FORCE))
        return true;
    error_set(err,
              "nothing of %s is ours according to %s; --force deletes what "
              "the configuration names",
              publishing->settings->name, publishing->settings->journal);
    return false;
}

static enum publish_status
unpublish_locked(struct publishing *publishing, const struct journal *before,
                 struct error *err)
{
    if (!is_ours_or_forced(publishing, err))
        return PUBLISH_FAILED;
    enum directory_status status = publishing_prepare(publishing, err);

    if (status == DIRECTORY_ANSWERED)
        status = publishing_find_scp(publishing, err);
    if (status == DIRECTORY_ANSWERED)
        status = plan_unpublish(publishing, err);
    if (status != DIRECTORY_ANSWERED)
        return status_of(status);
    if (is_flagged(publishing, PUBLISH_DRY_RUN))
        return tell_plan(publishing);
    return carry_out(publishing, before, settle_unpublish, err);
}

typedef enum publish_status publish_work(struct publishing *publishing,
                                         const struct journal *before,
                                         struct error *err);

/* Nobody else works on the same journal meanwhile; a dry run writes none. */
static enum publish_status
run(const struct publish_settings *settings, publish_work *work,
    const char *verb, struct error *err)
{
    struct publishing publishing = {.settings = settings};
    struct journal before = {.scp_dn = NULL};
    enum publish_status status = PUBLISH_FAILED;
    bool dry = is_flagged(&publishing, PUBLISH_DRY_RUN);
    int lock = dry ? -1 : journal_lock(settings->journal, err);

    /* Whoever holds the lock will not do so for long. */
    if (!dry && lock < 0)
        status = PUBLISH_SILENT;
    else if (journal_load(settings->journal, &before, err) &&
             journal_load(settings->journal, &publishing.journal, err))
        status = work(&publishing, &before, err);
    if (status != PUBLISH_DONE)
        error_prefix(err, "cannot %s %s", verb, settings->name);
    publishing_clear(&publishing);
    journal_clear(&before);
    if (lock >= 0)
        close(lock);
    return status;
}

enum publish_status
publish(const struct publish_settings *settings, struct error *err)
{
    return run(settings, publish_locked, "publish", err);
}

enum publish_status
unpublish(const struct publish_settings *settings, struct error *err)
{
    return run(settings, unpublish_locked, "unpublish", err);
}
