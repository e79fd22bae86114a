/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a crowd needed goes back to the system once the crowd has gone:
 * the C library by itself keeps what lies between things still in use.
 */
#ifndef PROXY_THRIFT_H
#define PROXY_THRIFT_H

#include "base/loop.h"

struct thrift {
    struct timer timer;
    unsigned most; /* connections since memory was last given back */
    unsigned now;
};

void thrift_init(struct thrift *thrift, struct loop *loop);
void thrift_stop(struct thrift *thrift); /* all zero is fine */

/* One has ended; so many are left. */
void thrift_note(struct thrift *thrift, unsigned left);

#endif
