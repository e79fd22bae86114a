/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A version is made once and never changed, so that libkrb5 may go through it in
 * one thread while others do.
 */
#include "gss/acceptor_keys.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/loop.h"
#include "gss/reason.h"

enum {
    /* The coarsest time of last change in use is one of two seconds. */
    SETTLE_MS = 2500
};

struct entries {
    krb5_keytab_entry *items; /* owned, and what is in them */
    size_t count;
};

static void
clear_entries(krb5_context context, struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        krb5_kt_free_entry(context, &entries->items[i]);
    free(entries->items);
    *entries = (struct entries){.count = 0};
}

/* entry is given away. */
static krb5_error_code
add_entry(krb5_context context, struct entries *entries,
          krb5_keytab_entry *entry)
{
    krb5_keytab_entry *larger = realloc(entries->items,
                                        (entries->count + 1) * sizeof *larger);

    if (larger == NULL) {
        krb5_kt_free_entry(context, entry);
        return ENOMEM;
    }
    entries->items = larger;
    entries->items[entries->count++] = *entry;
    return 0;
}

static krb5_error_code
read_entries(krb5_context context, krb5_keytab file, struct entries *entries)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(context, file, &cursor);

    if (code != 0)
        return code;
    while (code == 0) {
        code = krb5_kt_next_entry(context, file, &entry, &cursor);
        if (code == 0)
            code = add_entry(context, entries, &entry);
    }
    krb5_kt_end_seq_get(context, file, &cursor);
    return code == KRB5_KT_END ? 0 : code;
}

static bool
is_of_class(const krb5_keytab_entry *entry, const char *class)
{
    krb5_const_principal name = entry->principal;

    return class != NULL && name->length > 1 &&
           name->data[0].length == strlen(class) &&
           strncasecmp(name->data[0].data, class, name->data[0].length) == 0;
}

/* Is a more likely to be the ticket's key than b? */
static bool
is_likelier(const krb5_keytab_entry *a, const krb5_keytab_entry *b,
            const char *class)
{
    bool of_class = is_of_class(a, class);

    if (of_class != is_of_class(b, class))
        return of_class;
    return a->vno > b->vno;
}

/* By insertion, which leaves equals as they were. */
static void
sort(struct entries *entries, const char *class)
{
    for (size_t i = 1; i < entries->count; i++) {
        krb5_keytab_entry entry = entries->items[i];
        size_t at = i;

        for (; at > 0 && is_likelier(&entry, &entries->items[at - 1], class);
             at--)
            entries->items[at] = entries->items[at - 1];
        entries->items[at] = entry;
    }
}

/* The library puts what is added before what is there. */
static krb5_error_code
fill(krb5_context context, krb5_keytab keytab, struct entries *entries)
{
    krb5_error_code code = 0;

    for (size_t i = entries->count; i > 0 && code == 0; i--)
        code = krb5_kt_add_entry(context, keytab, &entries->items[i - 1]);
    return code;
}

static krb5_error_code
read_file(krb5_context context, const char *path, const char *class,
          krb5_keytab keytab)
{
    struct entries entries = {.count = 0};
    krb5_keytab file = NULL;
    krb5_error_code code = krb5_kt_resolve(context, path, &file);

    if (code == 0)
        code = read_entries(context, file, &entries);
    if (code == 0) {
        sort(&entries, class);
        code = fill(context, keytab, &entries);
    }
    clear_entries(context, &entries);
    if (file != NULL)
        krb5_kt_close(context, file);
    return code;
}

/* Times, too, of which a file system may keep no more than seconds. */
static bool
is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Before it is read: who writes meanwhile makes another version of it. */
static void
look(struct acceptor_keys *keys, const char *path,
     const struct acceptor_keys *before)
{
    uint64_t now = loop_now_ms();

    keys->seen_ms = now;
    if (stat(path, &keys->file) != 0)
        keys->file = (struct stat){.st_size = -1};
    else if (before != NULL && is_same_file(&keys->file, &before->file))
        keys->seen_ms = before->seen_ms;
    keys->settled = now - keys->seen_ms >= SETTLE_MS;
}

bool
acceptor_keys_read(krb5_context context, const char *path, const char *class,
                   const struct acceptor_keys *before,
                   struct acceptor_keys **keys_out, struct error *err)
{
    static atomic_ulong versions;
    struct acceptor_keys *keys = calloc(1, sizeof *keys);
    krb5_error_code code = ENOMEM;

    if (keys != NULL) {
        keys->references = 1;
        look(keys, path, before);
        snprintf(keys->name, sizeof keys->name, "MEMORY:kerbwrap-keys-%lu",
                 atomic_fetch_add(&versions, 1));
        code = krb5_kt_resolve(context, keys->name, &keys->keytab);
    }
    if (code == 0)
        code = read_file(context, path, class, keys->keytab);
    if (code == 0) {
        *keys_out = keys;
        return true;
    }
    reason_krb5(err, REASON_KEYTAB, context, code, "cannot use keytab %s",
                path);
    acceptor_keys_free(context, keys);
    return false;
}

void
acceptor_keys_free(krb5_context context, struct acceptor_keys *keys)
{
    if (keys == NULL)
        return;
    if (keys->keytab != NULL)
        krb5_kt_close(context, keys->keytab);
    free(keys);
}

bool
acceptor_keys_are_current(const struct acceptor_keys *keys, const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 && is_same_file(&file, &keys->file) &&
           (keys->settled || loop_now_ms() - keys->seen_ms < SETTLE_MS);
}
