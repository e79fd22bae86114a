/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes of so many values that a server hands them out in parts: what was
 * asked for as NAME is answered as "NAME;range=0-1499", and the rest as
 * "NAME;range=1500-*" when asked for by that name.  Private to this room.
 */
#ifndef DIRECTORY_RANGES_H
#define DIRECTORY_RANGES_H

#include "base/error.h"
#include "directory/entry.h"
#include "directory/ldapclient.h"

/* As of directory_ops. */
typedef enum directory_status ranges_search(void *connection,
                                            const struct search *search,
                                            struct entry_list *list,
                                            struct error *err);

/*
 * Gets what is missing, and calls each attribute by its bare name.  One of which
 * the server does not give the rest is marked as cut.
 */
MUST_CHECK enum directory_status ranges_complete(ranges_search *search,
                                                 void *connection,
                                                 struct entry_list *list,
                                                 struct error *err);

#endif
