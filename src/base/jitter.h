/* SPDX-License-Identifier: BSD-2-Clause */
/* Spreads what many hosts would do at the same moment. */
#ifndef BASE_JITTER_H
#define BASE_JITTER_H

#include <stdint.h>

/* Between three quarters of ms and ms, at random. */
uint64_t with_jitter(uint64_t ms);

#endif
