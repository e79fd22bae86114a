/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where libevent's memory comes from.  It keeps a small record for each
 * descriptor number that was ever watched, as long as the loop lives.  Made in the
 * middle of a crowd, these lie between what the crowd needs, and would keep the
 * pages around them from the system when the crowd has gone (proxy/thrift.h).
 * So small pieces come from slabs of their own.
 */
#ifndef BASE_EVENT_MEMORY_H
#define BASE_EVENT_MEMORY_H

#include <stddef.h>

/* From now on; before anything of libevent was used. */
void event_memory_use(void);

/* What libevent is given: like malloc(), realloc() and free(); any thread. */
void *event_memory_get(size_t size);
void *event_memory_resize(void *bytes, size_t size);
void event_memory_release(void *bytes);

#endif
