/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last bytes of a tunnel: sent, then TCP's own end, then what the peer
 * still says is read and dropped, so that the kernel does not answer it with a
 * reset that destroys our last bytes on their way.
 */
#ifndef PROXY_FAREWELL_H
#define PROXY_FAREWELL_H

#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "proxy/sealed.h"

struct farewell;

/*
 * fd is borrowed; what bytes holds is taken over, on failure too.  done fires
 * exactly once, never inside farewell_start, never after farewell_cancel: when
 * the peer has closed, on an error, or after timeout_ms.
 */
MUST_CHECK struct farewell *farewell_start(struct loop *loop, int fd,
                                           struct bytes *bytes,
                                           uint64_t timeout_ms,
                                           void (*done)(void *arg), void *arg);
void farewell_cancel(struct farewell *farewell);

#endif
