/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what is published would work.  Reads, and changes nothing. */
#include <inttypes.h>
#include <stdio.h>

#include "directory/publish_parts.h"

static enum directory_status
verify_all(struct publishing *publishing, bool *sound_out, struct error *err)
{
    enum directory_status status = publishing_prepare(publishing, err);

    *sound_out = true;
    for (size_t i = 0; i < publishing->spn_count && *sound_out &&
                       status == DIRECTORY_ANSWERED;
         i++) {
        enum spn_verdict verdict = SPN_HELD;
        status = account_holds(publishing->registry, &publishing->holder,
                               publishing->spns[i], &verdict, err);
        *sound_out = verdict == SPN_HELD;
        if (verdict == SPN_MISSING)
            advise_spn(publishing, publishing->spns[i]);
    }
    return status;
}

enum publish_status
publish_verify(const struct publish_settings *settings, struct error *err)
{
    struct publishing publishing = {.settings = settings};
    bool sound;
    enum directory_status status = verify_all(&publishing, &sound, err);

    publishing_clear(&publishing);
    /* A server that says no to us says nothing about the names. */
    return status != DIRECTORY_ANSWERED ? PUBLISH_SILENT
           : sound                      ? PUBLISH_DONE
                                        : PUBLISH_FAILED;
}

/* The newest AES key that opens tickets for value: a directory's account has
 * one key for all its names, other KDCs one for each. */
static const struct keytab_key *
newest_key(const struct keytab_keys *keys, const char *account,
           const char *value)
{
    const struct keytab_key *newest = NULL;

    for (size_t i = 0; i < keys->count; i++) {
        const struct keytab_key *key = &keys->items[i];
        if (key->aes &&
            (spnvalue_equal(key->name, account) ||
             spnvalue_equal(key->name, value)) &&
            (newest == NULL || key->kvno > newest->kvno))
            newest = key;
    }
    return newest;
}

/* What is wrong with the key, into why. */
static bool
key_fits(const struct keytab_key *key, const struct account *holder,
         struct error *why)
{
    if (key == NULL) {
        error_set(why,
                  "the keytab has no AES key of it or of %s; export the "
                  "account's key again",
                  holder->name);
        return false;
    }
    if (holder->kvno == 0 || key->kvno == holder->kvno)
        return true;
    error_set(why,
              "the key of %s in the keytab has number %" PRIu32
              ", the directory's has %" PRIu32 "; export it again",
              key->name, key->kvno, holder->kvno);
    return false;
}

static enum directory_status
check_one(struct publishing *publishing, const struct keytab_keys *keys,
          const char *value, bool *sound_out, struct error *err)
{
    const struct account *holder = &publishing->holder;
    const struct keytab_key *key = newest_key(keys, holder->name, value);
    struct publish_shown shown = publishing_show(value);
    struct error why;
    enum spn_verdict verdict;
    enum directory_status status = account_holds(publishing->registry, holder,
                                                 value, &verdict, &why);

    if (status != DIRECTORY_ANSWERED) {
        *err = why;
        return status;
    }
    bool held = verdict == SPN_HELD;
    *sound_out = held && key_fits(key, holder, &why);
    if (*sound_out)
        publishing_tell(publishing, PUBLISH_RESULT,
                        "%s: registered on %s, key number %" PRIu32 "%s",
                        shown.text, holder->name, key->kvno,
                        holder->kvno == 0 ? " (the directory tells none)" : "");
    else
        publishing_tell(publishing, PUBLISH_WARNING, "%s: %s", shown.text,
                        why.text);
    if (verdict == SPN_MISSING)
        advise_spn(publishing, value);
    return status;
}

enum publish_status
publish_check(const struct publish_settings *settings,
              const struct keytab_keys *keys, struct error *err)
{
    struct publishing publishing = {.settings = settings};
    size_t bad = 0;
    enum directory_status status = publishing_prepare(&publishing, err);

    for (size_t i = 0; i < publishing.spn_count && status == DIRECTORY_ANSWERED;
         i++) {
        bool sound;
        status = check_one(&publishing, keys, publishing.spns[i], &sound, err);
        bad += status == DIRECTORY_ANSWERED && !sound;
    }
    if (status == DIRECTORY_ANSWERED && bad != 0)
        error_set(err, "%zu of %zu names of %s would not work", bad,
                  publishing.spn_count, settings->name);
    publishing_clear(&publishing);
    return status == DIRECTORY_LOST                   ? PUBLISH_SILENT
           : status == DIRECTORY_ANSWERED && bad == 0 ? PUBLISH_DONE
                                                      : PUBLISH_FAILED;
}
