/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines "KEY VALUE" between a first line that names the format and a last one
 * that says that nothing is missing.
 */
#include "directory/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "directory/spnvalue.h"
#include "directory/statefile.h"

enum {
    JOURNAL_SIZE_MAX = 1024 * 1024,
    TEXTS_MAX = 1000,
};

static const char first_line[] = "kerbwrap published 1";
static const char last_line[] = "end";

bool
journal_path(const char *state_dir, const char *name, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/%s.published", state_dir, name);

    return length >= 0 && (size_t)length < size;
}

/* The journal is replaced when it is written, so another file is locked. */
int
journal_lock(const char *path, struct error *err)
{
    char *name = NULL;
    int fd = -1;

    if (asprintf(&name, "%s.lock", path) < 0) {
        error_set(err, "cannot lock %s: out of memory", path);
        return -1;
    }
    fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(err, errno, "cannot write %s", name);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(err,
                  "cannot lock %s: another kerbwrap is publishing this "
                  "service just now",
                  name);
        close(fd);
        fd = -1;
    }
    free(name);
    return fd;
}

static void
texts_clear(struct journal_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct journal_texts){.count = 0};
}

void
journal_clear(struct journal *journal)
{
    free(journal->scp_dn);
    free(journal->account);
    texts_clear(&journal->spns);
    texts_clear(&journal->keywords);
    texts_clear(&journal->bindings);
    *journal = (struct journal){.scp_dn = NULL};
}

static char **
find(const struct journal_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (spnvalue_equal(texts->items[i], text))
            return &texts->items[i];
    }
    return NULL;
}

bool
journal_has(const struct journal_texts *texts, const char *text)
{
    return find(texts, text) != NULL;
}

static bool
no_memory(struct error *err)
{
    error_set(err, "cannot keep what is published: out of memory");
    return false;
}

bool
journal_add(struct journal_texts *texts, const char *text, struct error *err)
{
    if (find(texts, text) != NULL)
        return true;
    if (texts->count == TEXTS_MAX || strchr(text, '\n') != NULL) {
        error_set(err, "cannot keep what is published: a value has a line "
                       "break, or there are too many");
        return false;
    }
    char **larger = realloc(texts->items, (texts->count + 1) * sizeof *larger);
    if (larger == NULL)
        return no_memory(err);
    texts->items = larger;
    larger[texts->count] = strdup(text);
    if (larger[texts->count] == NULL)
        return no_memory(err);
    texts->count++;
    return true;
}

void
journal_drop(struct journal_texts *texts, const char *text)
{
    char **found = find(texts, text);

    if (found == NULL)
        return;
    free(*found);
    *found = texts->items[--texts->count];
}

bool
journal_set(char **member, const char *text, struct error *err)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL)
        return no_memory(err);
    free(*member);
    *member = copy;
    return true;
}

/* One line, already without its end. */
static bool
take_line(struct journal *journal, char *line, struct error *err)
{
    char *value = strchr(line, ' ');

    if (value == NULL || value[1] == '\0')
        return false;
    *value++ = '\0';
    if (strcmp(line, "state") == 0) {
        journal->under_way = strcmp(value, "under_way") == 0;
        return true;
    }
    if (strcmp(line, "created") == 0) {
        journal->scp_created = strcmp(value, "yes") == 0;
        return true;
    }
    if (strcmp(line, "guid") == 0) {
        journal->has_guid = guid_parse(value, &journal->guid);
        return journal->has_guid;
    }
    if (strcmp(line, "scp") == 0)
        return journal_set(&journal->scp_dn, value, err);
    if (strcmp(line, "account") == 0)
        return journal_set(&journal->account, value, err);
    if (strcmp(line, "spn") == 0)
        return journal_add(&journal->spns, value, err);
    if (strcmp(line, "keyword") == 0)
        return journal_add(&journal->keywords, value, err);
    if (strcmp(line, "binding") == 0)
        return journal_add(&journal->bindings, value, err);
    return false;
}

bool
journal_parse(const char *bytes, size_t length, struct journal *journal_out,
              struct error *err)
{
    struct journal journal = {.scp_dn = NULL};
    char *text = strndup(bytes, length);
    char *rest = text;
    char *line = strsep(&rest, "\n");
    bool sound = text != NULL && line != NULL && strlen(text) < length &&
                 strcmp(line, first_line) == 0;
    bool ended = false;

    error_set(err, "it is damaged");
    while (sound && (line = strsep(&rest, "\n")) != NULL && !ended) {
        ended = strcmp(line, last_line) == 0;
        sound = ended || take_line(&journal, line, err);
    }
    free(text);
    if (sound && ended) {
        *journal_out = journal;
        return true;
    }
    journal_clear(&journal);
    return false;
}

bool
journal_load(const char *path, struct journal *journal_out, struct error *err)
{
    char *bytes;
    size_t length;

    *journal_out = (struct journal){.scp_dn = NULL};
    switch (statefile_read(path, JOURNAL_SIZE_MAX, &bytes, &length, err)) {
    case STATEFILE_ABSENT:
        return true;
    case STATEFILE_UNUSABLE:
        return false;
    case STATEFILE_READ:
        break;
    }
    bool sound = journal_parse(bytes, length, journal_out, err);
    free(bytes);
    if (!sound)
        error_prefix(err, "cannot use %s", path);
    return sound;
}

static void
print_texts(FILE *out, const char *key, const struct journal_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        fprintf(out, "%s %s\n", key, texts->items[i]);
}

static void
print(FILE *out, const struct journal *journal)
{
    char guid[GUID_TEXT_SIZE];

    fprintf(out, "%s\nstate %s\n", first_line,
            journal->under_way ? "under_way" : "complete");
    if (journal->scp_dn != NULL)
        fprintf(out, "scp %s\ncreated %s\n", journal->scp_dn,
                journal->scp_created ? "yes" : "no");
    if (journal->has_guid) {
        guid_format(&journal->guid, guid);
        fprintf(out, "guid %s\n", guid);
    }
    if (journal->account != NULL)
        fprintf(out, "account %s\n", journal->account);
    print_texts(out, "spn", &journal->spns);
    print_texts(out, "keyword", &journal->keywords);
    print_texts(out, "binding", &journal->bindings);
    fprintf(out, "%s\n", last_line);
}

bool
journal_save(const char *path, const struct journal *journal, struct error *err)
{
    char *bytes = NULL;
    size_t length;

    if (!journal->under_way && journal->scp_dn == NULL &&
        journal->spns.count == 0)
        return statefile_remove(path, err);
    FILE *out = open_memstream(&bytes, &length);
    if (out == NULL)
        return no_memory(err);
    print(out, journal);
    bool sound = fclose(out) == 0 ? statefile_write(path, bytes, length, err)
                                  : no_memory(err);
    free(bytes);
    return sound;
}
