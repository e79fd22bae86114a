/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `user =`: the process becomes that user, without capabilities, and keeps to
 * the directories that its configuration names.
 */
#ifndef PROXY_CONFINEMENT_H
#define PROXY_CONFINEMENT_H

#include "base/error.h"
#include "base/privileges.h"
#include "config/config.h"

struct confinement;

/* Before there are other threads, and after all that root is needed for. */
MUST_CHECK struct confinement *confine(const struct config *config,
                                       const struct identity *identity,
                                       struct error *err);
/* Logs what was done. */
void confinement_report(const struct confinement *confinement);
void confinement_free(struct confinement *confinement);

/* May all that config names be opened?  err: what may not.  NULL, a process
 * that is not confined, is fine. */
MUST_CHECK bool confinement_covers(const struct confinement *confinement,
                                   const struct config *config,
                                   struct error *err);

#endif
