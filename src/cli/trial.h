/* SPDX-License-Identifier: BSD-2-Clause */
/* Can the user of `user =` open what the process will have to? */
#ifndef CLI_TRIAL_H
#define CLI_TRIAL_H

#include "config/config.h"

/*
 * Tries it in a process of that user and reports what it cannot do, as
 * FILE:LINE of the section; a warning when that cannot be tried.  Nothing
 * without `user`.
 */
void trial_of_user(const struct config *config, config_report *report,
                   void *arg);

#endif
