/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an endpoint to a connected socket: name resolution in the pool, then
 * one address after the other, the remaining time divided among those left.
 */
#ifndef PROXY_DIAL_H
#define PROXY_DIAL_H

#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "base/socket.h"

struct addressbook;
struct dial;

/*
 * fd: connected and the receiver's to close, with the address that answered;
 * or -1, and err says why.  err and address are valid during the call only.
 */
typedef void dial_done(int fd, const struct address *address,
                       const struct error *err, void *arg);

/*
 * endpoint is copied.  done fires exactly once, never inside dial_start, never
 * after dial_cancel.  NULL for lack of memory.
 */
MUST_CHECK struct dial *dial_start(struct loop *loop, struct pool *pool,
                                   const struct endpoint *endpoint,
                                   uint64_t timeout_ms, dial_done *done,
                                   void *arg);
void dial_cancel(struct dial *dial);

/* Right after dial_start: who is reached sees a reset, and no end, should this
 * process die. */
void dial_arm_reset(struct dial *dial);

/*
 * Right after dial_start: what a name resolves to is noted in book, and what is
 * there is gone by when the name service fails, or has not answered for a
 * second.  book is borrowed until done or dial_cancel.
 */
void dial_go_by(struct dial *dial, struct addressbook *book);

#endif
