/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A version is made once and never changed, so that libkrb5 may go through it in
 * one thread while others do.
 */
#include "gss/acceptor_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/loop.h"
#include "gss/keytab_visit.h"

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

static krb5_error_code
take_entry(krb5_context context, krb5_keytab_entry *entry, void *arg)
{
    struct entries *entries = arg;
    krb5_keytab_entry *larger = realloc(entries->items,
                                        (entries->count + 1) * sizeof *larger);

    (void)context;
    if (larger == NULL)
        return ENOMEM;
    entries->items = larger;
    entries->items[entries->count++] = *entry;
    *entry = (krb5_keytab_entry){0};
    return 0;
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

/* The library tries it in vain, and says so to the client; a keytab without any
 * it would not take. */
static krb5_error_code
fill_with_nobodys_key(krb5_context context, krb5_keytab keytab)
{
    krb5_keytab_entry entry = {.vno = 1};
    krb5_error_code code;

    code = krb5_build_principal(context, &entry.principal, 1, "?", "nobody",
                                NULL);
    if (code == 0)
        code = krb5_c_make_random_key(context, ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                      &entry.key);
    if (code == 0)
        code = krb5_kt_add_entry(context, keytab, &entry);
    krb5_free_keyblock_contents(context, &entry.key);
    krb5_free_principal(context, entry.principal);
    return code;
}

/* False: there is nothing in it that could be used. */
static bool
read_file(krb5_context context, const char *path, const char *class,
          krb5_keytab keytab)
{
    struct entries entries = {.count = 0};
    krb5_keytab file = NULL;
    bool read = krb5_kt_resolve(context, path, &file) == 0 &&
                keytab_visit(context, file, take_entry, &entries) == 0 &&
                entries.count > 0;

    if (read) {
        sort(&entries, class);
        read = fill(context, keytab, &entries) == 0;
    }
    clear_entries(context, &entries);
    if (file != NULL)
        krb5_kt_close(context, file);
    return read;
}

/* Opened, because a file server may be asked anew only then. */
static bool
look_at(const char *path, struct stat *file_out)
{
    static const char prefix[] = "FILE:";
    bool prefixed = strncmp(path, prefix, sizeof prefix - 1) == 0;
    int fd = open(prefixed ? path + sizeof prefix - 1 : path,
                  O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool seen = fd >= 0 && fstat(fd, file_out) == 0;

    if (fd >= 0)
        close(fd);
    return seen;
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
note_file(struct acceptor_keys *keys, const char *path,
          const struct acceptor_keys *before)
{
    uint64_t now = loop_now_ms();

    keys->seen_ms = now;
    keys->usable = look_at(path, &keys->file);
    if (keys->usable && before != NULL && before->usable &&
        is_same_file(&keys->file, &before->file))
        keys->seen_ms = before->seen_ms;
    keys->settled = now - keys->seen_ms >= SETTLE_MS;
}

struct acceptor_keys *
acceptor_keys_read(krb5_context context, const char *path, const char *class,
                   const struct acceptor_keys *before)
{
    static atomic_ulong versions;
    struct acceptor_keys *keys = calloc(1, sizeof *keys);

    if (keys == NULL)
        return NULL;
    keys->references = 1;
    snprintf(keys->name, sizeof keys->name, "MEMORY:kerbwrap-keys-%lu",
             atomic_fetch_add(&versions, 1));
    note_file(keys, path, before);
    if (krb5_kt_resolve(context, keys->name, &keys->keytab) == 0) {
        keys->usable = read_file(context, path, class, keys->keytab) &&
                       keys->usable;
        if (keys->usable || fill_with_nobodys_key(context, keys->keytab) == 0)
            return keys;
    }
    acceptor_keys_free(context, keys);
    return NULL;
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

    return keys->usable && look_at(path, &file) &&
           is_same_file(&file, &keys->file) &&
           (keys->settled || loop_now_ms() - keys->seen_ms < SETTLE_MS);
}
