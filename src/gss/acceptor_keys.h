/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An acceptor's keytab in memory: one version of the file.  libkrb5 would read
 * the file for each connection, and try its keys on the ticket in their order;
 * here the likely ones come first.  Private to src/gss.
 *
 * Shared by threads, each of which brings its own krb5_context.
 */
#ifndef GSS_ACCEPTOR_KEYS_H
#define GSS_ACCEPTOR_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <krb5.h>

struct credential;

struct acceptor_keys {
    /* owned */
    krb5_keytab keytab; /* of MEMORY type, which libkrb5 wipes at the end */
    char name[64];      /* the same by name */
    /* plain */
    struct stat file;    /* as it was before it was read */
    uint64_t seen_ms;    /* when the file was first seen like that */
    bool settled;        /* and it was read long enough after */
    bool usable;         /* else it holds a key that nobody has */
    unsigned references; /* under the credential's mutex */
};

/*
 * Reads the file at path.  Those of class first, whatever case ("" or NULL:
 * none is preferred), then the newest.  before (NULL: none) is the version until
 * now.  One reference is the caller's; a file that cannot be read, or holds
 * nothing, is a version with which nobody is accepted.  NULL: out of memory.
 */
struct acceptor_keys *acceptor_keys_read(krb5_context context, const char *path,
                                         const char *class,
                                         const struct acceptor_keys *before);
void acceptor_keys_free(krb5_context context, struct acceptor_keys *keys);

/*
 * May this version still be used?  The file is looked at, not read.  Two writes
 * may bear the same time: so a version is read twice, the second time when the
 * clock of any file system has gone on.
 */
bool acceptor_keys_are_current(const struct acceptor_keys *keys,
                               const char *path);

/* What credential's keytab holds now, held; NULL: out of memory. */
struct acceptor_keys *credential_keys(struct credential *credential,
                                      krb5_context context);
void credential_drop_keys(struct credential *credential, krb5_context context,
                          struct acceptor_keys *keys);

#endif
