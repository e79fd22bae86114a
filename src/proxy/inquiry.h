/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lookup as the configuration asks for it: the settings of a [client NAME]
 * and of [directory], the credential that asks, and all that must live as long.
 * For the daemon's finder and for `kerbwrap discover`.
 */
#ifndef PROXY_INQUIRY_H
#define PROXY_INQUIRY_H

#include "base/error.h"
#include "base/pool.h"
#include "config/config.h"
#include "directory/lookup.h"
#include "gss/credential.h"

struct inquiry {
    struct lookup *lookup; /* owned */
    struct lookup_settings settings;
    /* held */
    struct config *config;
    struct credential *credential;
    /* plain */
    struct directory_world world;
    char lane[LANE_NAME_SIZE]; /* of the credential's KDC */
};

/* Does the service find its servers in the directory? */
bool inquiry_is_wanted(const struct service_settings *service);

/*
 * The credential that asks for this service: [directory]'s own, when it has
 * one, else the service's.  A reference for the caller; NULL on failure.
 */
MUST_CHECK struct credential *inquiry_credential(
    const struct config *config, const struct service_settings *service,
    unsigned workers, struct error *err);

/* Takes references of its own. */
MUST_CHECK struct inquiry *inquiry_new(struct config *config,
                                       const struct service_settings *service,
                                       struct credential *credential,
                                       struct error *err);
void inquiry_free(struct inquiry *inquiry); /* any thread; NULL is fine */

/* What is asked, in words that only this question has; to be freed. */
MUST_CHECK char *inquiry_question(const struct config *config,
                                  const struct service_settings *service,
                                  struct error *err);

/* The credential of a [client NAME] itself; a reference for the caller. */
MUST_CHECK struct credential *service_credential(
    const struct service_settings *service, unsigned workers,
    struct error *err);

#endif
