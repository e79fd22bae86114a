/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An acceptor's credential: a keytab, any key of which will do, because with an
 * Active Directory account the name in a ticket is not the one in the keytab.
 * Which service was asked for is told inside the seal.
 *
 * The file is looked at for each accept, so that rotation needs nothing.
 */
#include "gss/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gss/acceptor_keys.h"
#include "gss/credential_private.h"
#include "gss/enctype.h"
#include "gss/keytab_visit.h"
#include "gss/reason.h"
#include "gss/ticket_clients.h"

struct key_counts {
    unsigned all, aes;
};

static krb5_error_code
count_key(krb5_context context, krb5_keytab_entry *entry, void *arg)
{
    struct key_counts *counts = arg;

    (void)context;
    counts->all++;
    counts->aes += enctype_aes_name(entry->key.enctype) != NULL;
    return 0;
}

/* What is wrong with a keytab that can be read, or NULL. */
static const char *
find_fault(const struct key_counts *counts)
{
    if (counts->all == 0)
        return "it is empty; export the service's key into it (ktadd, "
               "ktpass, msktutil)";
    if (counts->aes == 0)
        return "it holds no AES key; give the account AES keys "
               "(msDS-SupportedEncryptionTypes 24) and export it again";
    return NULL;
}

static bool
check_keytab(krb5_context context, const char *path, struct error *err)
{
    struct key_counts counts = {0};
    krb5_keytab keytab = NULL;
    krb5_error_code code;
    const char *fault;

    code = krb5_kt_resolve(context, path, &keytab);
    if (code == 0) {
        code = keytab_visit(context, keytab, count_key, &counts);
        krb5_kt_close(context, keytab);
    }
    if (code != 0) {
        reason_krb5(err, REASON_KEYTAB, context, code, "cannot use keytab %s",
                    path);
        return false;
    }
    fault = find_fault(&counts);
    if (fault != NULL) {
        error_set(err, "cannot use keytab %s: %s", path, fault);
        return false;
    }
    return true;
}

/* A full disk shows in a write only, and this file is libkrb5's to write. */
static bool
has_room(int fd)
{
    struct statvfs room;

    if (fstatvfs(fd, &room) != 0 || room.f_bavail > 0 || room.f_blocks == 0)
        return true;
    errno = ENOSPC;
    return false;
}

static bool
check_replay_cache(const char *path, bool room, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && (!room || has_room(fd));

    if (!ok)
        error_set_errno(err, errno,
                        "cannot write the replay cache %s (it must be "
                        "possible for the user kerbwrap runs as)",
                        path);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* room: there must be some on the disk, too. */
static bool
check_files(const struct credential *credential, krb5_context context,
            bool room, struct error *err)
{
    return check_keytab(context, credential->keytab, err) &&
           (credential->replay_path == NULL ||
            check_replay_cache(credential->replay_path, room, err));
}

bool
acceptor_check_files(const struct credential *credential,
                     const struct worker *worker, struct error *err)
{
    return check_files(credential, worker->context, true, err);
}

struct acceptor_keys *
credential_keys(struct credential *credential, krb5_context context)
{
    struct acceptor_keys *before, *fresh;

    pthread_mutex_lock(&credential->mutex);
    before = credential->keys;
    if (before != NULL)
        before->references++;
    pthread_mutex_unlock(&credential->mutex);
    if (before != NULL && acceptor_keys_are_current(before, credential->keytab))
        return before;

    fresh = acceptor_keys_read(context, credential->keytab,
                               credential->service_class, before);
    credential_drop_keys(credential, context, before);
    if (fresh == NULL)
        return NULL;
    pthread_mutex_lock(&credential->mutex);
    before = credential->keys;
    credential->keys = fresh;
    fresh->references++;
    pthread_mutex_unlock(&credential->mutex);
    credential_drop_keys(credential, context, before);
    return fresh;
}

void
credential_drop_keys(struct credential *credential, krb5_context context,
                     struct acceptor_keys *keys)
{
    if (keys == NULL)
        return;
    pthread_mutex_lock(&credential->mutex);
    bool last = --keys->references == 0;
    pthread_mutex_unlock(&credential->mutex);
    if (last)
        acceptor_keys_free(context, keys);
}

/* libkrb5 has names for a file of ours, and for no replay cache at all. */
static bool
copy_settings(struct credential *credential,
              const struct acceptor_settings *set)
{
    bool ok;

    credential->clients = ticket_clients_new();
    credential->keytab = strdup(set->keytab);
    if (credential->clients == NULL || credential->keytab == NULL)
        return false;
    if (set->service_class != NULL) {
        credential->service_class = strdup(set->service_class);
        if (credential->service_class == NULL)
            return false;
    }
    if (set->replay_cache == NULL) {
        credential->replay_cache = strdup("none:");
        return credential->replay_cache != NULL;
    }
    credential->replay_path = strdup(set->replay_cache);
    ok = asprintf(&credential->replay_cache, "file2:%s", set->replay_cache) >=
         0;
    if (!ok)
        credential->replay_cache = NULL;
    return ok && credential->replay_path != NULL;
}

bool
credential_new_acceptor(const struct acceptor_settings *set, unsigned workers,
                        struct credential **credential_out, struct error *err)
{
    struct credential *credential;
    bool ok;

    if (!credential_new(false, workers, &credential, err))
        return false;
    ok = copy_settings(credential, set);
    if (!ok)
        error_set(err, "cannot keep a credential: out of memory");
    else
        ok = check_files(credential, credential->context, false, err);
    if (!ok) {
        credential_release(credential);
        return false;
    }
    *credential_out = credential;
    return true;
}
