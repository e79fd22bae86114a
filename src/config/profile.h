/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of krb5.conf(5), as far as finding them goes. */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include <stddef.h>

/* Each file of KRB5_CONFIG, or the usual ones, and what they include; a
 * directory that is included ends in '/'.  Those that are not there too. */
void profile_files(void (*found)(const char *path, void *arg), void *arg);

/* Where the ambient credential cache is: "TYPE:NAME" or a path. */
void profile_default_ccache(char *name, size_t size);

#endif
