/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Publishing a service: its SPNs on an account, and a service connection point
 * below the object of its computer.  What is there is compared with what should
 * be, only the difference is written, and when a step fails those before it are
 * taken back.  What is ours is kept in a journal (journal.h); nothing else is
 * deleted.  Every call blocks, and asks KDCs and directory servers.
 */
#ifndef DIRECTORY_PUBLISH_H
#define DIRECTORY_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/registry.h"
#include "gss/keytab.h"

/* What is told on the way; text is safe to print. */
enum publish_news {
    PUBLISH_STEP,    /* a change: planned in a dry run, else done */
    PUBLISH_UNDONE,  /* a change that was taken back */
    PUBLISH_RESULT,  /* what is published now */
    PUBLISH_WARNING, /* something to look at */
    PUBLISH_COMMAND, /* what an administrator can run, one command */
};
typedef void publish_tell(enum publish_news news, const char *text, void *arg);

enum publish_flags {
    PUBLISH_DRY_RUN = 1,  /* tell, change nothing */
    PUBLISH_FORCE = 2,    /* unpublish: delete also what is not ours */
    PUBLISH_SCP_ONLY = 4, /* leave the SPNs alone */
};

/* Borrowed; texts are "" when not set. */
struct publish_settings {
    struct registry_settings registry;
    const char *name;      /* of the service, for the words */
    const char *config;    /* its file, for commands */
    const char *journal;   /* path */
    const char *principal; /* who asks, for the words */
    const char *service_class;
    char *const *spns; /* Kerberos text; none: CLASS/HOST */
    size_t spn_count;
    const char *account;   /* "": the computer's own */
    const char *machine;   /* what the keytab says of it; "": nothing */
    const char *this_host; /* its DNS name */
    const char *dns_name;  /* "": that of the computer */
    bool srv;              /* dns_name is the name of SRV records */
    uint16_t port;         /* 0: none */
    const char *scp_name;
    char *const *keywords;
    size_t keyword_count;
    unsigned flags; /* enum publish_flags */
    publish_tell *tell;
    void *arg;
};

enum publish_status {
    PUBLISH_DONE,   /* all is as it should be */
    PUBLISH_FAILED, /* and nothing is changed, unless err says so */
    PUBLISH_SILENT, /* likewise: the directory or a KDC did not answer */
};

/* err ends with what became of the steps before the one that failed. */
MUST_CHECK enum publish_status publish(const struct publish_settings *settings,
                                       struct error *err);
MUST_CHECK enum publish_status unpublish(
    const struct publish_settings *settings, struct error *err);

/*
 * Are the SPNs on the account, and nowhere else?  FAILED: a definite no; what
 * one is and what to do is in err.  Reads only.
 */
MUST_CHECK enum publish_status publish_verify(
    const struct publish_settings *settings, struct error *err);

/*
 * Likewise for a person, with what the keytab holds: is there an AES key for
 * each, and is its number the directory's?  Each SPN is a PUBLISH_RESULT, or a
 * PUBLISH_WARNING and then FAILED.
 */
MUST_CHECK enum publish_status publish_check(
    const struct publish_settings *settings, const struct keytab_keys *keys,
    struct error *err);

#endif
